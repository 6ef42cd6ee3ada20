import { randomUUID } from 'node:crypto';
import { BifractError } from '../contract/errors.ts';
import type { JobEventMap } from '../contract/events.ts';
import { restoreKey, staleLocks } from '../features/archive-restore/checkpoint.ts';
import type {
  ArchiveRestoreFile,
  ArchiveRestoreJobRequest,
  ArchiveRestorePlan,
  ArchiveRestoreQuery,
  ArchiveRestoreSummary,
} from '../features/archive-restore/contract.ts';
import { buildArchiveRestorePlan } from '../features/archive-restore/plan.ts';
import { recoverRestores } from '../features/archive-restore/recovery.ts';
import { restoreArchive } from '../features/archive-restore/restore.ts';
import { pathOf, type Target } from '../features/files/target.ts';
import type { JobContext } from '../job/context.ts';
import type { CallOptions } from '../ports/types.ts';
import type { JobRequest } from './contract.ts';
import { findTarget } from './find-target.ts';
import type { Services } from './services.ts';

const ERROR_TIME_VARIABLE = 'BIFRACT_ARCHIVE_MAX_ERROR_TIME';

/** Plans a restore of an archive; see `ArchiveRestoreQueries`. */
export async function planArchiveRestore(
  services: Services,
  query: ArchiveRestoreQuery,
): Promise<ArchiveRestorePlan> {
  const [catalog, logs, rows, keys] = await Promise.all([
    services.catalog(),
    services.logs(),
    services.logRestore(),
    services.keys(),
  ]);
  const find = (label: string) => findTarget(services, label, query);
  const hasToken = async (fractal_id: string) => (await catalog.ingestToken(fractal_id, query)) !== null;
  const staleIds = await staleLocks(services.state);
  const [now, id] = [services.now(), randomUUID()];
  return buildArchiveRestorePlan(
    { catalog, logs, rows, storages: services, keys, find, hasToken, stale_locks: staleIds, now, id },
    query,
  );
}

/** Runs a planned restore of an archive. */
export async function runArchiveRestore(
  services: Services,
  { plan }: ArchiveRestoreJobRequest,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const [catalog, logs, rows, keys] = await Promise.all([
    services.catalog(),
    services.logs(),
    services.logRestore(),
    services.keys(),
  ]);
  const deps = {
    catalog,
    logs,
    rows,
    keys,
    state: services.state,
    ingest: () => services.ingest(),
    find: (file: ArchiveRestoreFile) => findPlannedFile(services, file, context),
    max_memory: services.archive_limits.max_memory,
    retry: { max_ms: services.archive_limits.max_error_time_ms, variable: ERROR_TIME_VARIABLE },
  };
  return restoreArchive(deps, plan, context);
}

/** Finds the file of a plan: by its record, in the archive storage, or else at its path. */
async function findPlannedFile(
  services: Services,
  { archive_id, path, name }: ArchiveRestoreFile,
  { signal }: CallOptions,
): Promise<Target> {
  if (archive_id !== null) {
    const target = await findTarget(services, archive_id, { signal });
    if (target.record) return target;
    throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} no longer exists`);
  }
  const storage = await services.archives();
  const name_in_storage = path.startsWith(pathOf(storage, ''))
    ? path.slice(pathOf(storage, '').length)
    : undefined;
  const found = await findTarget(services, name_in_storage ?? path, { signal });
  if (found.path === path) return found;
  throw new BifractError('NOT_FOUND', `${name} is no longer at ${path}`);
}

/** Finishes or cleans up interrupted restores, except the one that this job resumes. */
export async function recoverArchiveRestores(
  services: Services,
  request: JobRequest | undefined,
  options: CallOptions = {},
): Promise<string[]> {
  const except = request?.kind === 'restore-archive' ? restoreKey(request.plan) : undefined;
  return recoverRestores(services, { except, now: services.now() }, options);
}

export function archiveRestoreStarted({ kind, plan }: ArchiveRestoreJobRequest): JobEventMap['job:started'] {
  const [first] = plan.files;
  const what = plan.files.length === 1 && first ? first.name : `${plan.files.length} archives`;
  return {
    kind,
    title: `Restore into ${plan.into.name}: ${what}`,
    target: { kind: 'fractal', id: plan.into.id },
  };
}

/** What a restore deletes, for the audit log; undefined if it only adds rows. */
export function archiveRestoreRemoves({ plan }: ArchiveRestoreJobRequest): string[] | undefined {
  const { into, removes, rows_there } = plan;
  if (!removes) return undefined;
  const { from, to } = removes;
  return [
    `${rows_there} rows of fractal ${into.name} (${into.id}), from ${from ?? 'the first'} to before ${to ?? 'the last'}`,
  ];
}
