import { BifractError } from '../contract/errors.ts';
import type { JobEventMap } from '../contract/events.ts';
import { type BackupDeps, backup } from '../features/backup/backup.ts';
import { pathOf } from '../features/files/target.ts';
import type {
  RestoreJobRequest,
  RestorePlan,
  RestoreQueries,
  RestoreQuery,
} from '../features/restore/contract.ts';
import { drill } from '../features/restore/drill.ts';
import { planRestore as computePlan } from '../features/restore/plan.ts';
import { restore } from '../features/restore/restore.ts';
import type { JobContext } from '../job/context.ts';
import type { CallOptions } from '../ports/types.ts';
import { type Located, locate } from './locate.ts';
import type { Services } from './services.ts';

/** Dependencies of a backup. */
export async function backupDeps(services: Services): Promise<BackupDeps> {
  return {
    database: await services.database(),
    dumpTool: await services.dumpTool(),
    storage: await services.backups(),
    state: services.state,
    key: await services.key(),
    variables: services.variables,
    version: services.installation.version,
  };
}

export async function runBackup(services: Services, context: JobContext) {
  return backup(await backupDeps(services), context);
}

/** Plans a restore on an installation's services; see `RestoreQueries`. */
export async function planRestore(
  services: Services,
  query: RestoreQuery,
  options?: Parameters<RestoreQueries['planRestore']>[1],
): Promise<RestorePlan> {
  return computePlan(
    {
      ...(await restoreDeps(services, await locate(services, query.file, options))),
      now: services.now(),
    },
    query,
    options,
  );
}

/** Runs a planned restore or drill. */
export async function runRestoreJob(services: Services, request: RestoreJobRequest, context: JobContext) {
  const { plan } = request;
  const deps = await restoreDeps(services, await findAgain(services, plan, context));
  if (request.kind === 'drill') return drill(deps, plan, context);
  return restore({ ...deps, backup: () => backupDeps(services) }, plan, request.consent, context);
}

async function restoreDeps(services: Services, found: Located) {
  return {
    ...found,
    keys: await services.keys(),
    server: await services.server(),
    tool: await services.restoreTool(),
    live: services.database_name,
    app: await services.app(),
    state: services.state,
  };
}

/** The file of the plan: in backup storage, else at its path. */
async function findAgain(
  services: Services,
  { file }: RestorePlan,
  { signal }: CallOptions,
): Promise<Located> {
  const storage = await services.backups();
  if (file.path !== pathOf(storage, file.name)) return locate(services, file.path, { signal });
  const object = await storage.stat(file.name, { signal });
  if (object) return { storage, object };
  throw new BifractError('NOT_FOUND', `${file.path} no longer exists`, { hint: 'Plan the restore again.' });
}

export function restoreStarted({ kind, plan }: RestoreJobRequest): JobEventMap['job:started'] {
  const what = kind === 'drill' ? 'Restore drill of' : 'Restore of';
  const into = plan.target.kind === 'beside' ? ` into ${plan.database}` : '';
  return { kind, title: `${what} ${plan.file.name}${into}` };
}
