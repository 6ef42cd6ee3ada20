import { randomUUID } from 'node:crypto';
import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import { countOf } from '../../text/rows.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { DeleteJobRequest, DeletePlan, DeleteQuery, DeleteSummary, DeleteTarget } from './contract.ts';
import { deletePlanned } from './delete.ts';
import { planDelete } from './plan.ts';
import { recoverDelete } from './recovery.ts';

export const deleteJob: JobType<DeleteJobRequest, DeleteSummary> = {
  title: ({ plan }) =>
    `Deletion of ${countOf(
      plan.items.map(({ name, id }) => name ?? id),
      'item',
    )}`,
  destroys: ({ plan }) => deletedBy(plan),
  run: (services, { plan }, context) => deletePlanned(deleteDeps(services), plan, context),
  summary: ({ deleted, freed_bytes }) => [
    { label: 'Deleted', value: `${plural(deleted, 'item')} (${formatBytes(freed_bytes)})`, tone: 'good' },
  ],
  cancelEffect: 'What has been deleted so far is gone; the rest is kept.',
  recover: recoverDelete,
};

/** See `DeletionQueries`. */
export function planDeleteOf(
  services: Services,
  targets: readonly DeleteTarget[],
  query?: DeleteQuery,
): Promise<DeletePlan> {
  const keys = () => services.keys();
  return planDelete({ ...deleteDeps(services), keys, now: services.now(), id: randomUUID() }, targets, query);
}

/** What a deletion works on. */
export function deleteDeps(services: Services) {
  return { storages: services, catalog: () => services.catalog(), state: services.state };
}

/** What a plan deletes, one line each, for the audit log. */
export function deletedBy({ items }: DeletePlan): string[] {
  return items
    .filter(({ action }) => action === 'delete')
    .map(
      ({ path, archive_id, id }) =>
        [path, archive_id && `record ${archive_id}`].filter(Boolean).join(', ') || id,
    );
}
