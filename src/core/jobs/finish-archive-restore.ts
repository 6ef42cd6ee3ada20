import { randomBytes } from 'node:crypto';
import { BifractError } from '../errors.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { LogRestore } from '../ports/log-restore.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { dropAll, finishDirect, mustBeAlone } from './restore-direct.ts';
import { leftBehind, RestoreJournal, staleMarks } from './restore-journal.ts';

export interface FinishRestoreDeps {
  state: State;
  catalog(): Promise<Catalog>;
  logs(): Promise<LogDatabase>;
  logRestore(): Promise<LogRestore>;
}

/** How long what was prepared is kept for the same call to go on with. */
const KEPT_MS = 24 * 3_600_000;
const INTERRUPTED = 'Interrupted: the process that restored it ended. The same call goes on with it.';
const PATIENCE = { max_ms: 0, variable: 'BIFRACT_ARCHIVE_MAX_ERROR_TIME' };

/**
 * Puts right what restores of archives left that ended without their end. Their records are completed again. One whose rows all
 * stand beside the logs is brought to its end, for it may have removed others; what was prepared by any other is kept
 * for a day, then dropped. `except` is the key of a restore that is about to go on by itself. Returns a sentence for each thing done.
 */
export async function finishArchiveRestores(
  deps: FinishRestoreDeps,
  { except, now }: { except: string | undefined; now: Date },
  options: CallOptions = {},
): Promise<string[]> {
  const done: string[] = [];
  for (const note of await leftBehind(deps.state)) {
    try {
      await releaseMark(deps, note);
      if (note.restoring?.key !== except) done.push(...(await finish(deps, note, now, options)));
    } catch (error) {
      options.signal?.throwIfAborted();
      // Nothing else waits for it: the note stays, and the next job tries again.
      if (!(error instanceof BifractError)) throw error;
    }
  }
  return done;
}

/** The mark of a dead job, unless one that lives has set it again. */
async function releaseMark({ state, catalog }: FinishRestoreDeps, { restoring }: JobNote): Promise<void> {
  const ids = restoring?.archive_ids ?? [];
  if (ids.length === 0) return;
  const stale = await staleMarks(state);
  const database = await catalog();
  for (const { id, status } of await database.archives({ ids })) {
    if (status === 'restoring' && stale.has(id))
      await database.endRestore({ archive_id: id, lines: null, error: INTERRUPTED });
  }
}

async function finish(
  deps: FinishRestoreDeps,
  note: JobNote,
  now: Date,
  { signal = new AbortController().signal }: CallOptions,
): Promise<string[]> {
  const journal = note.restoring;
  if (!journal) return [];
  const what = journal.plan.files.map(({ name }) => name).join(', ');
  const old = now.getTime() - Date.parse(note.started_at) > KEPT_MS;
  if (journal.phase === 'staging') {
    if (!old) return [];
    await dropAll(await deps.logRestore(), journal, { keep: false }, signal);
    await deps.state.forget(note.id);
    return [`Dropped what an interrupted restore of ${what} had prepared`];
  }
  if (journal.phase === 'sending') {
    if (old) await deps.state.forget(note.id);
    return [];
  }
  const id = `restore-archive-end-${randomBytes(6).toString('hex')}`;
  const own = await RestoreJournal.takeOver(deps.state, { ...note, restoring: journal }, id);
  try {
    await mustBeAlone(deps.state, journal.plan, id);
    const [rows, logs] = [await deps.logRestore(), await deps.logs()];
    const context = { id, signal, emit: () => undefined, now: () => now };
    await finishDirect({ rows, logs, max_memory: 0, patience: PATIENCE }, own, context);
    await own.forget();
  } catch (error) {
    await own.save({ left: true });
    throw error;
  }
  return [`Brought the interrupted restore of ${what} into ${journal.plan.into.name} to its end`];
}
