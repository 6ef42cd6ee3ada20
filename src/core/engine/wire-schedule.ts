import { randomUUID } from 'node:crypto';
import type { JobEventMap } from '../contract/events.ts';
import type { ArchiveSummary } from '../features/archive/archive.ts';
import type { DeleteTarget } from '../features/delete/contract.ts';
import { deletePlanned } from '../features/delete/delete.ts';
import { planDelete } from '../features/delete/plan.ts';
import type { DueItem, DueQuery, RunDueJobRequest, RunDueSummary } from '../features/schedule/contract.ts';
import { buildDuePlan } from '../features/schedule/plan.ts';
import { type DueArchive, runDue } from '../features/schedule/run.ts';
import { withAudit } from '../job/audited.ts';
import type { JobContext } from '../job/context.ts';
import type { JobRequest } from './contract.ts';
import type { Services } from './services.ts';

type ArchiveRequest = Extract<JobRequest, { kind: 'archive' }>;

/** Plans what the schedules require now; see `ScheduleQueries`. */
export async function planDue(services: Services, query?: DueQuery): Promise<DueItem[]> {
  const [catalog, logs] = await Promise.all([services.catalog(), services.logs()]);
  return buildDuePlan({ catalog, logs, storages: services, now: services.now() }, query);
}

/** Makes the archives that are due, and applies `max_archives`. `archive` runs an archive job. */
export function runScheduled(
  services: Services,
  { mode }: RunDueJobRequest,
  archive: (request: ArchiveRequest, context: JobContext) => Promise<ArchiveSummary>,
  context: JobContext,
): Promise<RunDueSummary> {
  return runDue(
    {
      state: services.state,
      planDue: (query) => planDue(services, query),
      archive: async (item, itemContext) => dueArchive(await archive(archiveRequest(item), itemContext)),
      remove: (targets, itemContext) => deleteExcess(services, targets, itemContext),
    },
    { mode },
    context,
  );
}

function archiveRequest({ fractal_id, fractal_name, split, mode, to }: DueItem): ArchiveRequest {
  return {
    kind: 'archive',
    fractal_id,
    fractal_name,
    split,
    archive_type: 'scheduled',
    only_uncovered: mode === 'incremental',
    ...(to === null ? {} : { to }),
  };
}

function dueArchive({ log_count, size_bytes, children }: ArchiveSummary): DueArchive {
  return { log_count, size_bytes, files: children.length };
}

async function deleteExcess(services: Services, targets: readonly DeleteTarget[], context: JobContext) {
  const { state } = services;
  const deps = { storages: services, catalog: () => services.catalog(), state };
  const planned = { ...deps, keys: () => services.keys(), now: services.now(), id: randomUUID() };
  const plan = await planDelete(planned, targets, { signal: context.signal });
  const what = plan.items
    .filter(({ action }) => action === 'delete')
    .map(({ path, archive_id, id }) =>
      [path ?? id, archive_id && `record ${archive_id}`].filter(Boolean).join(', '),
    );
  const title = `Retention by max_archives: delete ${what.length} archives`;
  return withAudit(services.audit, { kind: 'run-due', title, what }, context, (itemContext) =>
    deletePlanned(deps, plan, itemContext),
  );
}

export function scheduleStarted({ kind }: RunDueJobRequest): JobEventMap['job:started'] {
  return { kind, title: 'Scheduled archives' };
}
