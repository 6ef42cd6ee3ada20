import { randomBytes } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { LogRestore } from '../../ports/log-restore.ts';
import type { State } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { RestoreCheckpoint, type RestoreRecord, staleLocks, unfinishedRestores } from './checkpoint.ts';
import { assertNoOtherRestore, completeDirect, dropTables } from './direct.ts';

export interface RecoverRestoresDeps {
  state: State;
  catalog(): Promise<Catalog>;
  logs(): Promise<LogDatabase>;
  logRestore(): Promise<LogRestore>;
}

/** How long staged rows of an interrupted restore are kept for resuming. */
const STAGED_RETENTION_MS = 24 * 3_600_000;
const INTERRUPTED = 'Interrupted: the restore process ended. Run the same command again to resume.';
const NO_RETRY = { max_ms: 0, variable: 'BIFRACT_ARCHIVE_MAX_ERROR_TIME' };

/**
 * Recovers interrupted restores of archives, and completes their records again. A restore that may already have
 * deleted rows is finished; staged rows of any other are kept for a day, then dropped. `except` is the key of a
 * restore that is about to be resumed. Returns a sentence for each action.
 */
export async function recoverRestores(
  deps: RecoverRestoresDeps,
  { except, now }: { except: string | undefined; now: Date },
  options: CallOptions = {},
): Promise<string[]> {
  const messages: string[] = [];
  for (const job of await unfinishedRestores(deps.state)) {
    try {
      await releaseStaleLock(deps, job);
      if (job.restoring.key !== except) messages.push(...(await recoverRestore(deps, job, now, options)));
    } catch (error) {
      options.signal?.throwIfAborted();
      // Nothing else depends on it: the job record stays, and the next job tries again.
      if (!(error instanceof BifractError)) throw error;
    }
  }
  return messages;
}

/** Releases the lock of an interrupted job, unless a running one has acquired it since. */
async function releaseStaleLock(
  { state, catalog }: RecoverRestoresDeps,
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

async function recoverRestore(
  deps: RecoverRestoresDeps,
  job: RestoreRecord,
  now: Date,
  { signal = new AbortController().signal }: CallOptions,
): Promise<string[]> {
  const interrupted = job.restoring;
  const what = interrupted.plan.files.map(({ name }) => name).join(', ');
  const expired = now.getTime() - Date.parse(job.started_at) > STAGED_RETENTION_MS;
  if (interrupted.phase === 'staging') {
    if (!expired) return [];
    await dropTables(await deps.logRestore(), interrupted, { keep: false }, signal);
    await deps.state.remove(job.id);
    return [`Dropped the staged rows of an interrupted restore of ${what}`];
  }
  if (interrupted.phase === 'sending') {
    if (expired) await deps.state.remove(job.id);
    return [];
  }
  const id = `restore-archive-end-${randomBytes(6).toString('hex')}`;
  const adopted = await RestoreCheckpoint.adopt(deps.state, job, id);
  try {
    await assertNoOtherRestore(deps.state, interrupted.plan, id);
    const [rows, logs] = [await deps.logRestore(), await deps.logs()];
    const context = { id, signal, emit: () => undefined, now: () => now };
    await completeDirect({ rows, logs, max_memory: 0, retry: NO_RETRY }, adopted, context);
    await adopted.remove();
  } catch (error) {
    await adopted.save({ left: true });
    throw error;
  }
  return [`Finished the interrupted restore of ${what} into ${interrupted.plan.into.name}`];
}
