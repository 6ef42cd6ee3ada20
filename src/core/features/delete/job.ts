import type { JobType } from '../../job/job-type.ts';
import { countOf } from '../../text/rows.ts';
import { formatBytes, plural } from '../../text/units.ts';
import { needsFile } from '../files/half-restored.ts';
import type { DeleteItem, DeleteJobRequest, DeleteSummary } from './contract.ts';
import { deletePlanned } from './delete.ts';
import { recoverDelete } from './recovery.ts';

export const deleteJob: JobType<DeleteJobRequest, DeleteSummary> = {
  title: ({ plan }) => {
    const names = plan.items.filter(isDeleted).map(({ name, id }) => name ?? id);
    return `Deletion of ${countOf(names, 'item')}`;
  },
  destroys: ({ plan }) => plan.items.filter(isDeleted).map(describeItem),
  locks: true,
  changesRecords: true,
  run: deletePlanned,
  summary: ({ deleted, kept, freed_bytes }: DeleteSummary) => [
    { label: 'Deleted', value: `${plural(deleted, 'item')} (${formatBytes(freed_bytes)})`, tone: 'good' },
    // Results of earlier versions do not say it.
    ...(kept ? [{ label: 'Kept', value: `${plural(kept, 'item')}, as planned` }] : []),
  ],
  cancelEffect: 'What has been deleted so far is gone; the rest is kept.',
  cancelledHint: 'What has been deleted so far is gone; the rest is kept.',
  recover: recoverDelete,
  needsCleaned: ({ plan }, record) =>
    needsFile(
      record,
      plan.items.map(({ name }) => name),
    ),
};

function isDeleted({ action }: DeleteItem): boolean {
  return action === 'delete';
}

function describeItem({ path, archive_id, id }: DeleteItem): string {
  return [path, archive_id && `record ${archive_id}`].filter(Boolean).join(', ') || id;
}
