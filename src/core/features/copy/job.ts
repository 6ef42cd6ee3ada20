import type { JobType } from '../../job/job-type.ts';
import { countOf } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import { needsFile } from '../files/half-restored.ts';
import type { CopyJobRequest, CopySummary } from './contract.ts';
import { copy } from './copy.ts';
import { recoverCopy } from './recovery.ts';

export const copyJob: JobType<CopyJobRequest, CopySummary> = {
  title: ({ plan }) => {
    const names = plan.items.map(({ name }) => name);
    return `${plan.move ? 'Move' : 'Copy'} of ${countOf(names, 'file')} to ${plan.to === 's3' ? 'S3' : 'disk'}`;
  },
  destroys: ({ plan }) => (plan.move ? plan.items.map(({ from_path }) => from_path) : undefined),
  locks: true,
  changesRecords: true,
  run: copy,
  summary: ({ copied, size_bytes, moved, duration_ms }) => [
    {
      label: moved ? 'Moved' : 'Copied',
      value: `${plural(copied, 'file')} (${formatBytes(size_bytes)})`,
      tone: 'good',
    },
    { label: 'Duration', value: formatDuration(duration_ms) },
  ],
  cancelEffect: 'Finished copies are kept; the partial one is deleted.',
  cancelledHint: 'Finished copies are kept; the partial one was deleted.',
  recover: recoverCopy,
  needsCleaned: ({ plan }, record) =>
    plan.move &&
    needsFile(
      record,
      plan.items.map(({ name }) => name),
    ),
};
