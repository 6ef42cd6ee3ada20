import { randomUUID } from 'node:crypto';
import type { DeleteJobRequest, DeletePlan, DeleteQuery, DeleteTarget } from './deletion.ts';
import type { JobRequest } from './engine.ts';
import type { JobEventMap } from './events.ts';
import type { JobContext } from './jobs/context.ts';
import { deletePlanned } from './jobs/delete.ts';
import { planDelete } from './jobs/plan-delete.ts';
import type { Services } from './services.ts';

/** Jobs on whole files in storage. */
export type StorageJobRequest = DeleteJobRequest;

/** Whether it is one of these jobs. */
export function isStorageJob<Request extends JobRequest>(
  request: Request,
): request is Extract<Request, StorageJobRequest> {
  return request.kind === 'delete';
}

/** Plans a deletion on an installation's services; see `DeletionQueries`. */
export function serveDeletePlan(
  services: Services,
  targets: readonly DeleteTarget[],
  query?: DeleteQuery,
): Promise<DeletePlan> {
  const deps = {
    storages: services,
    catalog: () => services.catalog(),
    keys: () => services.keys(),
    state: services.state,
    now: services.now(),
    id: randomUUID(),
  };
  return planDelete(deps, targets, query);
}

/** Runs a deletion as planned. */
export function runStorageJob(services: Services, request: DeleteJobRequest, context: JobContext) {
  const deps = { storages: services, catalog: () => services.catalog(), state: services.state };
  return deletePlanned(deps, request.plan, context);
}

/** What a job says of itself when it starts. */
export function storageJobStarted({ plan }: DeleteJobRequest): JobEventMap['job:started'] {
  return { kind: 'delete', title: `Deletion of ${things(plan)}` };
}

function things({ items: [first, ...others] }: DeletePlan): string {
  if (others.length > 0) return `${others.length + 1} files`;
  return first?.name ?? first?.id ?? 'nothing';
}

/** What a job will destroy, for the audit log; undefined for one that destroys nothing. */
export function destroys(request: JobRequest): string[] | undefined {
  switch (request.kind) {
    case 'delete':
      return goes(
        request.plan.items,
        ({ path, archive_id, id }) =>
          [path, archive_id && `record ${archive_id}`].filter(Boolean).join(', ') || id,
      );
    case 'prune':
      return goes(request.plan.items, ({ name }) => name);
    case 'clean':
      return request.orphans.map(({ kind, path, id }) =>
        kind === 'record' ? `record ${id}, ${path}` : path,
      );
    default:
      return undefined;
  }
}

function goes<Item extends { action: string }>(items: readonly Item[], name: (item: Item) => string) {
  return items.filter(({ action }) => action === 'delete').map(name);
}
