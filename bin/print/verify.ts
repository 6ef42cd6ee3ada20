import type { VerifySummary } from '../../src/core/features/inspect/verify.ts';
import { formatDuration } from '../../src/core/text/time.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';

/** The result of a verification, for people. */
export function verifySummaryLines({
  files,
  proven,
  rows,
  size_bytes,
  quick,
  duration_ms,
}: VerifySummary): string[] {
  if (files === 0) return ['Nothing to verify: no backups and no completed archives.'];
  const full = proven === files ? 'complete' : `${proven} of ${files} complete, the others readable`;
  const outcome = quick ? 'header and trailer ok' : proven === 0 ? 'readable, completeness unknown' : full;
  const amount = `${plural(files, 'file')}, ${formatBytes(size_bytes)}, ${formatExact(rows)} rows`;
  return [`${amount}, verified: ${outcome}, ${formatDuration(duration_ms)}`];
}
