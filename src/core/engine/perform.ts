import { readOnly } from '../contract/errors.ts';
import type { JobEventMap } from '../contract/events.ts';
import { type ArchiveSummary, archive } from '../features/archive/archive.ts';
import { selectUncovered } from '../features/archive/incremental.ts';
import type { Key } from '../format/index.ts';
import { withAudit } from '../job/audited.ts';
import type { JobContext } from '../job/context.ts';
import type { JobRequest } from './contract.ts';
import { recoverAll } from './recover-all.ts';
import type { Services } from './services.ts';
import { archiveRestoreStarted, runArchiveRestore } from './wire-archive-restore.ts';
import { fileJobStarted, runFileJob } from './wire-file.ts';
import { restoreStarted, runBackup, runRestoreJob } from './wire-restore.ts';
import { runScheduled, scheduleStarted } from './wire-schedule.ts';
import { destroys, isStorageJob, runStorageJob, storageJobStarted } from './wire-storage.ts';
import { runUpkeepJob, upkeepStarted } from './wire-upkeep.ts';

/** Runs a job and returns its summary. Recovers from interrupted processes first. */
export async function perform(services: Services, request: JobRequest, context: JobContext) {
  // Verification is read-only, so it does not recover either.
  if (request.kind === 'verify') return runFileJob(services, request, context);
  if (services.installation.read_only) throw readOnly();
  const version = services.installation.version;
  const key = await services.key();
  await recoverAll(services, request, { signal: context.signal });
  const what = destroys(request);
  const run = (own: JobContext) => dispatch(services, request, { key, version }, own);
  return what ? withAudit(services.audit, { ...startedEvent(request), what }, context, run) : run(context);
}

async function dispatch(
  services: Services,
  request: Exclude<JobRequest, { kind: 'verify' }>,
  { key, version }: { key: Key; version: string },
  context: JobContext,
) {
  if (isStorageJob(request)) return runStorageJob(services, request, context);
  switch (request.kind) {
    case 'backup':
      return runBackup(services, context);
    case 'restore':
    case 'drill':
      return runRestoreJob(services, request, context);
    case 'restore-archive':
      return runArchiveRestore(services, request, context);
    case 'prune':
    case 'rotate-key':
      return runUpkeepJob(services, request, context);
    case 'run-due': {
      const runArchive = (own: Extract<JobRequest, { kind: 'archive' }>, own_context: JobContext) =>
        dispatch(services, own, { key, version }, own_context) as Promise<ArchiveSummary>;
      return runScheduled(services, request, runArchive, context);
    }
    case 'archive': {
      const [catalog, logs] = [await services.catalog(), await services.logs()];
      return archive(
        {
          catalog,
          logs,
          storage: await services.archives(),
          state: services.state,
          key,
          version,
          ...services.archive_limits,
          selectUncovered: ({ id }, plan, options) =>
            selectUncovered({ catalog, logs, storages: services }, id, plan, options),
        },
        { ...request, fields: request.fields ?? true },
        context,
      );
    }
    default:
      return runFileJob(services, request, context);
  }
}

/** The `job:started` payload. */
export function startedEvent(request: JobRequest): JobEventMap['job:started'] {
  if (request.kind === 'backup') return { kind: 'backup', title: 'Backup of PostgreSQL' };
  if (request.kind === 'restore' || request.kind === 'drill') return restoreStarted(request);
  if (request.kind === 'prune' || request.kind === 'rotate-key') return upkeepStarted(request);
  if (request.kind === 'restore-archive') return archiveRestoreStarted(request);
  if (isStorageJob(request)) return storageJobStarted(request);
  if (request.kind === 'run-due') return scheduleStarted(request);
  if (request.kind !== 'archive') return fileJobStarted(request);
  const title = `Archive of ${request.fractal_name ?? request.fractal_id}`;
  return { kind: 'archive', title, target: { kind: 'fractal', id: request.fractal_id } };
}
