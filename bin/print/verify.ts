import { formatDuration } from '../../src/components/view/time.ts';
import { formatBytes, formatExact, plural } from '../../src/components/view/units.ts';
import type { VerifySummary } from '../../src/core/jobs/verify.ts';

/** What a verification came to. */
export function verifySummaryLines({
  files,
  proven,
  rows,
  size_bytes,
  quick,
  duration_ms,
}: VerifySummary): string[] {
  if (files === 0) return ['There is nothing to verify: no backup and no completed archive.'];
  const whole =
    files === 1 ? 'proven whole' : `${proven === files ? 'all' : `${proven} of ${files}`} proven whole`;
  const verdict = quick ? 'ends are sound' : proven === 0 ? 'sound as far as they go' : whole;
  const amount = `${plural(files, 'file')}, ${formatBytes(size_bytes)}, ${formatExact(rows)} rows`;
  return [`${amount}: ${verdict}, ${formatDuration(duration_ms)}`];
}
