import { BifractError } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { plural } from '../../text/units.ts';
import { backupDeps } from '../backup/job.ts';
import { type Located, locate } from '../files/locate.ts';
import { pathOf } from '../files/target.ts';
import type {
  DrillRequest,
  RestorePlan,
  RestoreQueries,
  RestoreQuery,
  RestoreRequest,
  RestoreSummary,
} from './contract.ts';
import { drill } from './drill.ts';
import { planRestore } from './plan.ts';
import { restore } from './restore.ts';

export const restoreJob: JobType<RestoreRequest, RestoreSummary> = {
  title: ({ plan }) => `Restore of ${plan.file.name} to ${plan.database}`,
  destroys: ({ plan }) => (plan.replaces ? [`database ${plan.database}, replaced`] : undefined),
  run: async (services, { plan, consent }, context) => {
    const deps = await restoreDeps(services, await findAgain(services, plan, context));
    return restore({ ...deps, backup: () => backupDeps(services) }, plan, consent, context);
  },
  summary: (summary) =>
    restoreRows(
      { label: 'Restored', value: `${summary.file} to ${summary.database}`, tone: 'good' },
      summary,
    ),
  cancelEffect:
    'The live database is not changed before the final swap; what has been restored so far is dropped.',
};

export const drillJob: JobType<DrillRequest, RestoreSummary> = {
  title: ({ plan }) => `Test restore of ${plan.file.name}`,
  destroys: () => undefined,
  run: async (services, { plan }, context) =>
    drill(await restoreDeps(services, await findAgain(services, plan, context)), plan, context),
  summary: (summary) =>
    restoreRows({ label: 'Test restore', value: `${summary.file}: passed`, tone: 'good' }, summary),
  cancelEffect: 'The scratch database is dropped; nothing else is changed.',
};

/** See `RestoreQueries`. */
export async function planRestoreOf(
  services: Services,
  query: RestoreQuery,
  options?: Parameters<RestoreQueries['planRestore']>[1],
): Promise<RestorePlan> {
  const deps = await restoreDeps(services, await locate(services, query.file, options));
  return planRestore({ ...deps, now: services.now() }, query, options);
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

/** The very file of the plan: in the storage of backups, else where its path says. */
async function findAgain(
  services: Services,
  { file }: RestorePlan,
  { signal }: CallOptions,
): Promise<Located> {
  const storage = await services.backups();
  if (file.path !== pathOf(storage, file.name)) return locate(services, file.path, { signal });
  const object = await storage.stat(file.name, { signal });
  if (object) return { storage, object };
  throw new BifractError('NOT_FOUND', `${file.path} is gone`, { hint: 'Plan it again.' });
}

function restoreRows(first: Row, summary: RestoreSummary): Row[] {
  const { tables, rows, compared, safety_backup, ended_sessions, duration_ms } = summary;
  const checked = compared ? 'every count matches the manifest' : 'the manifest has no counts to compare';
  return [
    first,
    { label: 'Contents', value: `${plural(tables, 'table')}, ${plural(rows, 'row')}; ${checked}` },
    ...(ended_sessions > 0 ? [{ label: 'Sessions', value: `${ended_sessions} ended` }] : []),
    ...(safety_backup === null ? [] : [{ label: 'Safety backup', value: safety_backup }]),
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}
