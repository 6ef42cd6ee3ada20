import type { JobType } from '../../job/job-type.ts';
import { countOf, type Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { VerifyRequest, VerifySummary } from './contract.ts';
import { verify } from './verify.ts';

export const verifyJob: JobType<VerifyRequest, VerifySummary> = {
  title: ({ targets }) => `Verification of ${targets === 'all' ? 'all files' : countOf(targets, 'file')}`,
  destroys: () => undefined,
  readsOnly: true,
  run: verify,
  summary: verifyRows,
  cancelEffect: 'Verifying changes nothing. Results so far are kept.',
  cancelledHint: 'Nothing was changed. Results so far are kept.',
};

function verifyRows(summary: VerifySummary): Row[] {
  const { files, proven, rows, size_bytes, quick, duration_ms } = summary;
  if (files === 0) return [{ label: 'Verified', value: 'nothing: no backup and no completed archive' }];
  const complete = proven === files ? 'complete' : `complete: ${proven} of ${files}`;
  const result = quick
    ? 'header and trailer are intact'
    : proven === 0
      ? 'intact; completeness unknown'
      : complete;
  return [
    { label: 'Verified', value: `${plural(files, 'file')}: ${result}`, tone: 'good' },
    { label: 'Contents', value: `${formatBytes(size_bytes)}, ${plural(rows, 'row')}` },
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}
