import { asBifractError, type ErrorReport } from '../../contract/errors.ts';
import { describeFile } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import type { Services } from '../../ports/services.ts';
import { plural } from '../../text/units.ts';
import { CheckMemory } from '../files/check-memory.ts';
import type { FileServices } from '../files/find-target.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { requireNoObstacles } from './checks.ts';
import type { DrillRequest, RestorePlan, RestoreSummary } from './contract.ts';
import { type Load, type LoadServices, type Restored, restoreInto } from './load.ts';
import { type BackupSource, plannedBackup } from './open-backup.ts';
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
    const restored = await checkedRestore(services, { plan, source, database }, context);
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

/** Restores, and remembers of the file how that ended. */
async function checkedRestore(
  services: LoadServices & Pick<Services, 'state'>,
  load: Load,
  context: JobContext,
): Promise<Restored> {
  const remember = async (message: string, error?: ErrorReport) => {
    const memory = new CheckMemory(services, context);
    const file = { ...(await identityOf(load, context)), message, error };
    await memory.add({ kind: 'drill', ...file });
    // It was also read to its last byte.
    if (!error) await memory.add({ kind: 'verify', ...file });
    await memory.save();
  };
  try {
    const restored = await restoreInto(services, load, context);
    const checked = restored.compared ? 'as many rows as in the backup' : 'no counts to compare with';
    await remember(`Restored ${plural(restored.tables, 'table')}, ${checked}.`);
    return restored;
  } catch (thrown) {
    context.signal.throwIfAborted();
    const error = asBifractError(thrown).report();
    await remember(error.message, error);
    throw thrown;
  }
}

async function identityOf(
  { plan, source }: { plan: RestorePlan; source: BackupSource },
  context: JobContext,
) {
  const { path, checksum, key_id } = plan.file;
  const { storage, object, keys } = source;
  const described = await describeFile(sourceOf(storage, object, context), keys, context).catch(() => null);
  const { size_bytes, modified_at } = object;
  return { path, size_bytes, modified_at, uuid: described?.head?.uuid ?? null, checksum, key_id };
}
