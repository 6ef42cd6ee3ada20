import type { JobType } from '../../job/job-type.ts';
import { countOf } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import { needsFile } from '../files/half-restored.ts';
import type { CopyItem, CopyJobRequest, CopySummary } from './contract.ts';
import { copy } from './copy.ts';
import { recoverCopy } from './recovery.ts';

export const copyJob: JobType<CopyJobRequest, CopySummary> = {
  title: ({ plan }) => {
    const names = plan.items.filter(isCopied).map(({ name }) => name);
    return `${plan.move ? 'Move' : 'Copy'} of ${countOf(names, 'file')} to ${plan.to === 's3' ? 'S3' : 'disk'}`;
  },
  destroys: ({ plan }) =>
    plan.move ? plan.items.filter(isCopied).map(({ from_path }) => from_path) : undefined,
  locks: true,
  changesRecords: true,
  run: copy,
  summary: ({ copied, kept, size_bytes, moved, duration_ms }: CopySummary) => [
    {
      label: moved ? 'Moved' : 'Copied',
      value: `${plural(copied, 'file')} (${formatBytes(size_bytes)})`,
      tone: 'good',
    },
    // Results of earlier versions do not say it.
    ...(kept ? [{ label: 'Kept', value: `${plural(kept, 'file')}, as planned` }] : []),
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

function isCopied({ action }: CopyItem): boolean {
  return action === 'copy';
}
