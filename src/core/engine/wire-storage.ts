import { randomUUID } from 'node:crypto';
import type { JobEventMap } from '../contract/events.ts';
import type { CopyJobRequest, CopyPlan, CopyQueries } from '../features/copy/contract.ts';
import { copy } from '../features/copy/copy.ts';
import { planCopy as computeCopyPlan } from '../features/copy/plan.ts';
import type { DeleteJobRequest, DeletePlan, DeleteQuery, DeleteTarget } from '../features/delete/contract.ts';
import { deletePlanned } from '../features/delete/delete.ts';
import { planDelete as computeDeletePlan } from '../features/delete/plan.ts';
import type { JobContext } from '../job/context.ts';
import type { JobRequest } from './contract.ts';
import type { Services } from './services.ts';
import { archiveRestoreRemoves } from './wire-archive-restore.ts';

/** Jobs on files in storage. */
export type StorageJobRequest = DeleteJobRequest | CopyJobRequest;

/** Whether the request is one of these jobs. */
export function isStorageJob<Request extends JobRequest>(
  request: Request,
): request is Extract<Request, StorageJobRequest> {
  return request.kind === 'delete' || request.kind === 'copy';
}

/** Plans a deletion on an installation's services; see `DeletionQueries`. */
export function planDelete(
  services: Services,
  targets: readonly DeleteTarget[],
  query?: DeleteQuery,
): Promise<DeletePlan> {
  const keys = () => services.keys();
  return computeDeletePlan(
    { ...depsOf(services), keys, now: services.now(), id: randomUUID() },
    targets,
    query,
  );
}

/** Plans a copy; see `CopyQueries`. */
export function planCopy(
  services: Services,
  targets: readonly string[],
  query: Parameters<CopyQueries['planCopy']>[1],
): Promise<CopyPlan> {
  return computeCopyPlan({ ...depsOf(services), now: services.now() }, targets, query);
}

function depsOf(services: Services) {
  return { storages: services, catalog: () => services.catalog(), state: services.state };
}

/** Runs a planned deletion or copy. */
export async function runStorageJob(services: Services, request: StorageJobRequest, context: JobContext) {
  const deps = depsOf(services);
  if (request.kind === 'delete') return deletePlanned(deps, request.plan, context);
  return copy({ ...deps, keys: await services.keys() }, request.plan, context);
}

/** The `job:started` payload. */
export function storageJobStarted({ kind, plan }: StorageJobRequest): JobEventMap['job:started'] {
  if (kind === 'delete')
    return { kind, title: `Deletion of ${countedNames(plan.items.map(({ name, id }) => name ?? id))}` };
  const names = countedNames(plan.items.map(({ name }) => name));
  return { kind, title: `${plan.move ? 'Move' : 'Copy'} of ${names} to ${plan.to === 's3' ? 'S3' : 'disk'}` };
}

function countedNames([first = 'nothing', ...others]: string[]): string {
  return others.length > 0 ? `${others.length + 1} files` : first;
}

/** What a job will destroy, for the audit log; undefined if nothing. */
export function destroys(request: JobRequest): string[] | undefined {
  switch (request.kind) {
    case 'delete':
      return deletedItems(
        request.plan.items,
        ({ path, archive_id, id }) =>
          [path, archive_id && `record ${archive_id}`].filter(Boolean).join(', ') || id,
      );
    case 'copy':
      return request.plan.move ? request.plan.items.map(({ from_path }) => from_path) : undefined;
    case 'prune':
      return deletedItems(request.plan.items, ({ name }) => name);
    case 'restore':
      return request.plan.replaces ? [`database ${request.plan.database}, replaced`] : undefined;
    case 'restore-archive':
      return archiveRestoreRemoves(request);
    case 'clean':
      return request.orphans.map(({ kind, path, id }) =>
        kind === 'record' ? `record ${id}, ${path}` : path,
      );
    default:
      return undefined;
  }
}

function deletedItems<Item extends { action: string }>(items: readonly Item[], name: (item: Item) => string) {
  return items.filter(({ action }) => action === 'delete').map(name);
}
