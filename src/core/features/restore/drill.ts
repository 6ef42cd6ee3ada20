import type { JobContext } from '../../job/context.ts';
import type { Services } from '../../ports/services.ts';
import type { FileServices } from '../files/find-target.ts';
import { requireNoObstacles } from './checks.ts';
import type { DrillRequest, RestoreSummary } from './contract.ts';
import { type LoadServices, restoreInto } from './load.ts';
import { plannedBackup } from './open-backup.ts';
import { dropScratch, endRecord, scratchName } from './scratch-database.ts';

/**
 * Test restore: restores the backup into a scratch database, compares all row counts with the manifest, and
 * drops the database. `COUNT_DIFFERS` names the differences.
 */
export async function drill(
  services: FileServices & LoadServices & Pick<Services, 'keys' | 'state'>,
  { plan }: DrillRequest,
  context: JobContext,
): Promise<RestoreSummary> {
  const started = performance.now();
  const { id, now, emit } = context;
  requireNoObstacles(plan, { safety_backup: false, end_sessions: false, stop_app: false });
  const source = await plannedBackup(services, plan, context);
  const server = await services.server();
  const { state } = services;
  const database = scratchName('drill', id);
  const record = { id, kind: 'drill', started_at: now().toISOString(), databases: [database] };
  await state.save(record);
  try {
    const restored = await restoreInto(services, { plan, source, database }, context);
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
    await endRecord(state, record, await dropScratch(server, record.databases, context));
  }
}
