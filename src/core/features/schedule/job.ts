import { withAudit } from '../../job/audited.ts';
import type { JobContext } from '../../job/context.ts';
import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { ArchiveJobRequest } from '../archive/contract.ts';
import { runArchive } from '../archive/job.ts';
import type { DeleteTarget } from '../delete/contract.ts';
import { deletePlanned } from '../delete/delete.ts';
import { deleteDeps, deletedBy, planDeleteOf } from '../delete/job.ts';
import type { DueItem, DueQuery, RunDueJobRequest, RunDueSummary } from './contract.ts';
import { buildDuePlan } from './plan.ts';
import { runDue } from './run.ts';

export const runDueJob: JobType<RunDueJobRequest, RunDueSummary> = {
  title: () => 'Scheduled archives',
  destroys: () => undefined,
  run: (services, { mode }, context) =>
    runDue(
      {
        state: services.state,
        planDue: (query) => planDue(services, query),
        archive: async (item, own) => {
          const { log_count, size_bytes, children } = await runArchive(services, requestOf(item), own);
          return { log_count, size_bytes, files: children.length };
        },
        remove: (targets, own) => removeExcess(services, targets, own),
      },
      { mode },
      context,
    ),
  summary: runDueRows,
  keepsPartialWork: true,
};

/** See `ScheduleQueries`. */
export async function planDue(services: Services, query?: DueQuery): Promise<DueItem[]> {
  const [catalog, logs] = await Promise.all([services.catalog(), services.logs()]);
  return buildDuePlan({ catalog, logs, storages: services, now: services.now() }, query);
}

function requestOf({ fractal_id, fractal_name, split, mode, to }: DueItem): ArchiveJobRequest {
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

/** Deletes what exceeds `max_archives`, with a plan and an entry in the audit log of its own. */
async function removeExcess(services: Services, targets: readonly DeleteTarget[], context: JobContext) {
  const plan = await planDeleteOf(services, targets, { signal: context.signal });
  const what = deletedBy(plan);
  const title = `Retention by max_archives: delete ${plural(what.length, 'archive')}`;
  return withAudit(services.audit, { kind: 'run-due', title, what }, context, (own) =>
    deletePlanned(deleteDeps(services), plan, own),
  );
}

function runDueRows(summary: RunDueSummary): Row[] {
  const { archived, skipped, rows, size_bytes, deleted, freed_bytes, duration_ms } = summary;
  return [
    { label: 'Archived', value: `${plural(archived, 'fractal')}; ${skipped} not due`, tone: 'good' },
    { label: 'Contents', value: `${plural(rows, 'row')}, ${formatBytes(size_bytes)}` },
    ...(deleted > 0
      ? [{ label: 'Deleted', value: `${plural(deleted, 'old archive')} (${formatBytes(freed_bytes)})` }]
      : []),
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}
