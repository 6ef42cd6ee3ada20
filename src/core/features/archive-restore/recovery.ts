import { randomBytes } from 'node:crypto';
import type { RecoverOptions } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import {
  isRestoreRecord,
  RestoreCheckpoint,
  type RestoreRecord,
  restoreKey,
  staleLocks,
} from './checkpoint.ts';
import type { ArchiveRestoreJobRequest } from './contract.ts';
import { assertNoOtherRestore, completeDirect, dropTables } from './direct.ts';

type RecoveryServices = Pick<Services, 'state' | 'catalog' | 'logs' | 'logRestore' | 'now'>;

/** How long staged rows of an interrupted restore are kept for resuming. */
const STAGED_RETENTION_MS = 24 * 3_600_000;
const INTERRUPTED = 'Interrupted: the restore process ended. Run the same command again to resume.';
const NO_RETRY = { max_ms: 0, variable: 'BIFRACT_ARCHIVE_MAX_ERROR_TIME' };

/** Whether `request` resumes an interrupted restore, or a later one can: none of its rows were deleted yet. */
export async function canResume(
  { now }: Pick<Services, 'now'>,
  record: JobRecord,
  { request }: { request?: ArchiveRestoreJobRequest },
): Promise<boolean> {
  if (!isRestoreRecord(record)) return false;
  const { key, phase } = record.restoring;
  if (request && restoreKey(request.plan) === key) return true;
  const age_ms = now().getTime() - Date.parse(record.started_at);
  return (phase === 'staging' || phase === 'sending') && age_ms <= STAGED_RETENTION_MS;
}

/** The request that resumes an interrupted restore. */
export async function resumeRequest(
  _: unknown,
  record: JobRecord,
): Promise<ArchiveRestoreJobRequest | undefined> {
  return isRestoreRecord(record) ? { kind: 'restore-archive', plan: record.restoring.plan } : undefined;
}

/**
 * Recovers an interrupted restore of archives, and completes their records again. A restore that may already have
 * deleted rows is finished; staged rows of any other are dropped once it can no longer be resumed. Returns a sentence for
 * each action.
 */
export async function recoverArchiveRestore(
  services: RecoveryServices,
  record: JobRecord,
  { resumable, signal = new AbortController().signal }: RecoverOptions,
): Promise<string[]> {
  if (!isRestoreRecord(record)) return [];
  await releaseStaleLock(services, record);
  if (resumable) return [];
  const { phase, plan } = record.restoring;
  const what = plan.files.map(({ name }) => name).join(', ');
  if (phase === 'sending') return [];
  if (phase === 'staging') {
    await dropTables(await services.logRestore(), record.restoring, { keep: false }, signal);
    return [`Dropped the staged rows of an interrupted restore of ${what}`];
  }
  await finish(services, record, signal);
  return [`Finished the interrupted restore of ${what} into ${plan.into.name}`];
}

/** Releases the lock of an interrupted job, unless a running one has acquired it since. */
async function releaseStaleLock(
  { state, catalog }: RecoveryServices,
  { restoring }: RestoreRecord,
): Promise<void> {
  const ids = restoring.archive_ids;
  if (ids.length === 0) return;
  const stale = await staleLocks(state);
  const database = await catalog();
  for (const { id, status } of await database.archives({ ids })) {
    if (status === 'restoring' && stale.has(id))
      await database.endRestore({ archive_id: id, lines: null, error: INTERRUPTED });
  }
}

async function finish(services: RecoveryServices, record: RestoreRecord, signal: AbortSignal): Promise<void> {
  const { state, now } = services;
  const id = `restore-archive-end-${randomBytes(6).toString('hex')}`;
  const adopted = await RestoreCheckpoint.adopt(state, record, id);
  try {
    await assertNoOtherRestore(state, record.restoring.plan, id);
    const [rows, logs] = [await services.logRestore(), await services.logs()];
    const context = { id, signal, emit: () => undefined, now };
    await completeDirect({ rows, logs, max_memory: 0, retry: NO_RETRY }, adopted, context);
    await adopted.remove();
  } catch (error) {
    await adopted.save({ left: true });
    throw error;
  }
}
