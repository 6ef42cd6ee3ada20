import type { ArchiveRestorePlan, ArchiveRestoreSummary } from '../archive-restore.ts';
import { asBifractError, BifractError } from '../errors.ts';
import type { ArchiveRestoreJournal } from '../ports/archive-restore-journal.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { LogRestore } from '../ports/log-restore.ts';
import type { State } from '../ports/state.ts';
import type { JobContext } from './context.ts';
import { Patience, type PatienceOptions } from './patience.ts';
import { type AttachDeps, attachAll, mustBeStaged, removeOld } from './restore-attach.ts';
import { RestoreJournal } from './restore-journal.ts';
import { RestoreMarkHolder } from './restore-mark.ts';
import { RestoreProgress, type RestoreRun, type StageDeps, stageFile } from './restore-stage.ts';

const UNFINISHED =
  'It could not be undone any more: rows may be missing among the logs until the same call again, an open console, or the next backup or archive brings it to its end.';

/** How long a restore that cannot be undone any more goes on after it was cancelled, milliseconds. */
const LATE_MS = 60_000;

/** How long the end of a restore whose rows are all back waits for ClickHouse, milliseconds. */
const TIDY_MS = 30_000;

export interface DirectDeps extends StageDeps, AttachDeps {
  catalog: Catalog;
  state: State;
  patience: PatienceOptions;
}

/**
 * Brings rows back with all their columns. They are written into tables beside the logs first, while their files
 * are read to the end; only when all files have proved whole are they moved in, partition by partition, those that the
 * logs have already left out. Whatever dies in between, the same call goes on with what was done.
 */
export async function restoreDirect(
  deps: DirectDeps,
  plan: ArchiveRestorePlan,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const started = performance.now();
  const journal = await RestoreJournal.open(deps.state, plan, context);
  const patience = new Patience(deps.patience, context);
  const mark = new RestoreMarkHolder(deps.catalog, journal, patience, context);
  const progress = new RestoreProgress(plan, context.emit);
  const run = { plan, journal, mark, patience, context, progress };
  try {
    await mustBeAlone(deps.state, plan, context.id);
    if (journal.entry.phase !== 'ended') {
      await stage(deps, run);
      await moveIn(deps, run);
      await journal.save({ phase: 'ended' });
    }
    await mark.release(undefined);
    await endTables(deps, journal, context);
    return { ...summaryOf(journal.entry), duration_ms: Math.round(performance.now() - started) };
  } catch (error) {
    const released = await mark.release(context.signal.aborted ? context.signal.reason : error);
    const undone = await undo(deps.rows, journal, { released, error }, context);
    throw undone || !context.signal.aborted ? error : notUndone(context.signal, error);
  }
}

async function stage(deps: DirectDeps, run: RestoreRun): Promise<void> {
  const { plan, journal, mark, patience, context } = run;
  const { signal } = context;
  if (journal.resumed) await patience.through(() => takeOver(deps.rows, journal, signal), signal);
  if (plan.replace && journal.entry.cutoff_ms === null) {
    const cutoff_ms = await patience.through(() => deps.rows.clock({ signal }), signal);
    await journal.save({ cutoff_ms });
  }
  context.emit('job:phase', { phase: 'Reading the archive, writing its rows beside the logs' });
  for (const [index, file] of plan.files.entries()) {
    await mark.hold(file.archive_id);
    const staged = journal.entry.files[index];
    if (staged) mark.tell(staged.rows);
    else await stageFile(deps, run, index);
  }
}

/** Two at once would each take the other's rows for lacking. */
export async function mustBeAlone(state: State, { into }: ArchiveRestorePlan, own: string): Promise<void> {
  const others = (await state.live()).filter(
    ({ id, restoring }) => id !== own && restoring && !restoring.left,
  );
  const other = others.find(({ restoring }) => restoring?.plan.into.id === into.id);
  if (!other) return;
  throw new BifractError('BUSY', `The job ${other.id} is bringing rows back into ${into.name}`, {
    hint: 'Wait for its end, then try again.',
  });
}

/** What is not in the journal was not completed. Staged rows that were lost since, as with a power failure, are staged again. */
async function takeOver(rows: LogRestore, journal: RestoreJournal, signal: AbortSignal): Promise<void> {
  await dropAll(rows, journal.entry, { keep: true }, signal);
  const there = new Set(await rows.tables(journal.entry.prefix, { signal }));
  for (const { name, rows: expected } of journal.entry.tables) {
    if (there.has(name) && (await rows.count(name, { signal })) === expected) continue;
    await dropAll(rows, journal.entry, { keep: false }, signal);
    return journal.save({ tables: [], files: [] });
  }
}

async function moveIn(deps: DirectDeps, run: RestoreRun): Promise<void> {
  const { plan, journal } = run;
  await mustBeStaged(deps, run);
  const late = lateEnd(run.context);
  const steady = { ...run, context: { ...run.context, signal: late.signal } };
  try {
    if (plan.replace && journal.entry.phase !== 'attaching') await removeOld(deps, steady);
    await journal.save({ phase: 'attaching' });
    await attachAll(deps, steady);
  } finally {
    late.release();
  }
}

/** A signal that follows the job's when what has begun ought to have ended: nobody is left with half of the rows. */
function lateEnd({ signal, emit }: JobContext): { signal: AbortSignal; release(): void } {
  signal.throwIfAborted();
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    emit('job:warning', {
      message: 'It is brought to its end first: what has begun with the rows cannot be undone',
    });
    timer = setTimeout(() => late.abort(signal.reason), LATE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: late.signal,
    release() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** The end of a restore that was cancelled too late. */
function notUndone({ reason }: AbortSignal, error: unknown): BifractError {
  const { code, message } = asBifractError(reason);
  const why = error === reason ? '' : `; its end failed: ${asBifractError(error).message}`;
  return new BifractError(code, `${message}${why}`, { hint: UNFINISHED, cause: error });
}

/** Ends a restore that had come so far that it can only be brought to its end. */
export async function finishDirect(
  deps: AttachDeps & { patience: PatienceOptions },
  journal: RestoreJournal,
  context: JobContext,
): Promise<void> {
  const patience = new Patience(deps.patience, context);
  const run = { journal, patience, context };
  if (journal.entry.phase === 'removing') await removeOld(deps, run);
  if (journal.entry.phase !== 'ended') await attachAll(deps, run);
  await journal.save({ phase: 'ended' });
  await dropAll(deps.rows, journal.entry, { keep: false }, context.signal);
}

/**
 * Drops the tables of a restore that has ended well. Those that stay because ClickHouse does not come back soon are no
 * harm to anybody, and go with the next job.
 */
async function endTables(
  { rows, patience: options }: DirectDeps,
  journal: RestoreJournal,
  context: JobContext,
): Promise<void> {
  const { emit } = context;
  const signal = context.signal.aborted ? new AbortController().signal : context.signal;
  const patience = new Patience({ ...options, max_ms: Math.min(options.max_ms, TIDY_MS) }, context);
  patience.progressed();
  try {
    await patience.through(() => dropAll(rows, journal.entry, { keep: false }, signal), signal);
    await journal.forget();
  } catch (error) {
    await journal.save({ left: true });
    const { message } = asBifractError(error);
    emit('job:warning', { message: `Tables of the restore are still to be dropped: ${message}` });
  }
}

/**
 * Up to the point of no return nothing has happened but in tables of its own: they go, unless the same call can go on with them.
 * From then on they and the journal stay, for the restore to be brought to its end. False then.
 */
async function undo(
  rows: LogRestore,
  journal: RestoreJournal,
  { released, error }: { released: boolean; error: unknown },
  { signal, emit }: JobContext,
): Promise<boolean> {
  const { transient, code } = asBifractError(error);
  const again = !signal.aborted && (transient || code.endsWith('_UNREACHABLE'));
  const begun = journal.entry.phase !== 'staging';
  const halfway = begun && journal.entry.phase !== 'ended';
  if (halfway) emit('job:warning', { message: UNFINISHED });
  if (begun || again || !released) {
    await journal.save({ left: true });
    return !halfway;
  }
  const never = new AbortController().signal;
  await dropAll(rows, journal.entry, { keep: false }, never).then(
    () => journal.forget(),
    () => journal.save({ left: true }),
  );
  return true;
}

/** Drops the tables of a restore, all or but those that its journal knows to be complete. */
export async function dropAll(
  rows: LogRestore,
  { prefix, tables }: ArchiveRestoreJournal,
  { keep }: { keep: boolean },
  signal: AbortSignal,
): Promise<void> {
  const kept = new Set(keep ? tables.map(({ name }) => name) : []);
  for (const name of await rows.tables(prefix, { signal })) {
    if (!kept.has(name)) await rows.drop(name, { signal });
  }
}

function summaryOf({ plan, files, partitions, removed }: ArchiveRestoreJournal) {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    into: plan.into,
    via: plan.via,
    files: files.length,
    rows_read: sum(files.map(({ rows }) => rows)),
    rows_added: sum(partitions.map(({ added }) => added)),
    rows_there: sum(partitions.map(({ there }) => there)),
    rows_removed: removed,
    rows_left_out: sum(files.map(({ left_out }) => left_out)),
  };
}
