import type { JobContext } from '../../job/context.ts';
import type { State } from '../../ports/state.ts';
import type { RestorePlan, RestoreSummary } from './contract.ts';
import { type RestoreIntoDeps, restoreInto } from './load.ts';
import { mustBeClear } from './obstacles.ts';
import { dropScratch, removeRecordIf, scratchName } from './scratch-database.ts';

export interface DrillDeps extends RestoreIntoDeps {
  state: State;
}

/**
 * Test restore: restores the backup into a scratch database, compares all row counts with the manifest, and
 * drops the database. `COUNT_DIFFERS` names the differences.
 */
export async function drill(
  deps: DrillDeps,
  plan: RestorePlan,
  context: JobContext,
): Promise<RestoreSummary> {
  const started = performance.now();
  const { id, now, emit } = context;
  mustBeClear(plan, { safety_backup: false, end_sessions: false, stop_app: false });
  const database = scratchName('drill', id);
  await deps.state.save({ id, kind: 'drill', started_at: now().toISOString(), databases: [database] });
  try {
    const restored = await restoreInto(deps, plan, database, context);
    return {
      file: plan.file.name,
      database,
      live: false,
      ...restored,
      safety_backup: null,
      ended_sessions: 0,
      duration_ms: Math.round(performance.now() - started),
    };
  } finally {
    emit('job:phase', { phase: 'Dropping the scratch database' });
    await removeRecordIf(await dropScratch(deps.server, [database], context), deps.state, id);
  }
}
