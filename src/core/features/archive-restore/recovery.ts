import { randomBytes } from 'node:crypto';
import type { RecoverOptions } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import {
  assertNoOtherRestore,
  isRestoreRecord,
  RestoreCheckpoint,
  type RestoreRecord,
  restoreKey,
  staleLocks,
} from './checkpoint.ts';
import type { ArchiveRestoreJobRequest, ArchiveRestorePlan } from './contract.ts';
import { restoreDirect } from './restore.ts';
import { openRun } from './run.ts';
import { dropTables } from './tables.ts';

/** How long staged rows of an interrupted restore are kept for resuming. */
const STAGED_RETENTION_MS = 24 * 3_600_000;
const INTERRUPTED = 'Interrupted: the restore process ended. Run the same command again to resume.';
/** A server that does not answer is left to the next recovery; an abort ends this one at once. */
const LIMITS = { retry_ms: 0, cancel_grace_ms: 0 };

/** Whether `request` resumes an interrupted restore, or a later one can: none of its rows were deleted yet. */
export async function canResume(
  services: Pick<Services, 'now'>,
  record: JobRecord,
  { request }: { request?: ArchiveRestoreJobRequest },
): Promise<boolean> {
  if (!isRestoreRecord(record)) return false;
  const { key, phase } = record.restoring;
  if (request && restoreKey(request.plan) === key) return true;
  const age_ms = services.now().getTime() - Date.parse(record.started_at);
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
 * deleted rows is finished; staged rows of any other are dropped once it can no longer be resumed. Returns a sentence
 * for each action.
 */
export async function recoverArchiveRestore(
  services: Services,
  record: JobRecord,
  { resumable, signal = new AbortController().signal, alive }: RecoverOptions,
): Promise<string[]> {
  if (!isRestoreRecord(record)) return [];
  await releaseStaleLock(services, record);
  const { phase, plan } = record.restoring;
  if (resumable || phase === 'sending') return [];
  const what = plan.files.map(({ name }) => name).join(', ');
  if (phase === 'staging' && !(await hasCreatedTarget(services, plan))) {
    await dropTables(await services.logRestore(), record.restoring, { keep: false }, signal);
    return [`Dropped the staged rows of an interrupted restore of ${what}`];
  }
  const finished = await finish(services, record, { signal, alive });
  return finished ? [`Finished the interrupted restore of ${what} into ${plan.into.name}`] : [];
}

/** Its target is created once all rows are staged: then it can be finished. */
async function hasCreatedTarget(services: Services, { creates }: ArchiveRestorePlan): Promise<boolean> {
  if (!creates) return false;
  const fractals = await (await services.catalog()).fractals();
  return fractals.some(({ id }) => id === creates.id);
}

/** Releases the lock of an interrupted job, unless a running one has acquired it since. */
async function releaseStaleLock(services: Services, { restoring }: RestoreRecord): Promise<void> {
  const ids = restoring.archive_ids;
  if (ids.length === 0) return;
  const stale = await staleLocks(services.state);
  const catalog = await services.catalog();
  for (const { id, status } of await catalog.archives({ ids })) {
    if (status === 'restoring' && stale.has(id))
      await catalog.endRestore({ archive_id: id, lines: null, error: INTERRUPTED });
  }
}

/** Continues at the checkpoint, under another job id. False if staging tables are left to a later recovery. */
async function finish(
  services: Services,
  record: RestoreRecord,
  { signal, alive }: { signal: AbortSignal; alive: () => void },
): Promise<boolean> {
  const { state } = services;
  const id = `restore-archive-end-${randomBytes(6).toString('hex')}`;
  const context = { id, signal, emit: alive, now: () => services.now() };
  const run = await openRun(services, () => RestoreCheckpoint.adopt(state, record, id), context, LIMITS);
  try {
    await assertNoOtherRestore(state, run.plan, id);
    await restoreDirect(run, 'attach');
    return run.checkpoint.data.left !== true;
  } catch (error) {
    await run.checkpoint.save({ left: true });
    throw error;
  }
}
