import type { JobType } from '../../job/job-type.ts';
import type { Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { RunDueJobRequest, RunDueSummary } from './contract.ts';
import { runDue } from './run.ts';

export const runDueJob: JobType<RunDueJobRequest, RunDueSummary> = {
  title: () => 'Scheduled archives',
  destroys: () => undefined,
  changesRecords: true,
  run: runDue,
  cancelEffect: 'Archives made so far are kept; unfinished files are deleted. The next run makes the others.',
  cancelledHint: 'Archives made so far are kept. The next run makes the others.',
  summary: runDueRows,
  resumeHint: 'The next run resumes the archive that was being made, or starts it over.',
};

function runDueRows(summary: RunDueSummary): Row[] {
  const { archived, skipped, rows, size_bytes, deleted, freed_bytes, duration_ms } = summary;
  return [
    { label: 'Archived', value: `${plural(archived, 'fractal')}; ${skipped} not due`, tone: 'good' },
    { label: 'Contents', value: `${plural(rows, 'row')}, ${formatBytes(size_bytes)}` },
    ...(deleted > 0
      ? [{ label: 'Deleted', value: `${plural(deleted, 'old archive')} (${formatBytes(freed_bytes)})` }]
      : []),
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}
