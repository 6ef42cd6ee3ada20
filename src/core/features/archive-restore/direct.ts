import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier, type RetryOptions } from '../../job/retry.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { LogRestore } from '../../ports/log-restore.ts';
import type { State } from '../../ports/state.ts';
import { type AttachDeps, assertAllStaged, attachAll, removeReplaced } from './attach.ts';
import { type ArchiveRestoreCheckpoint, RestoreCheckpoint } from './checkpoint.ts';
import type { ArchiveRestorePlan, ArchiveRestoreSummary } from './contract.ts';
import { RestoreRecordLock } from './record-lock.ts';
import { RestoreProgress, type RestoreRun, type StageDeps, stageFile } from './staging.ts';

const UNFINISHED_HINT =
  'Interrupted past the point of no return. Rows may be missing until the restore is finished: run the same command again, or open the console.';

/** How long a restore past the point of no return may continue after it was cancelled. */
const CANCEL_GRACE_MS = 60_000;

/** How long a completed restore waits for ClickHouse to drop its tables. */
const CLEANUP_LIMIT_MS = 30_000;

export interface DirectDeps extends StageDeps, AttachDeps {
  catalog: Catalog;
  state: State;
  retry: RetryOptions;
}

/**
 * Restores rows with all their columns. The files are first read completely into staging tables; only when all are
 * verified are the rows that the logs lack attached, partition by partition. After an interruption, the same call
 * resumes.
 */
export async function restoreDirect(
  deps: DirectDeps,
  plan: ArchiveRestorePlan,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const started = performance.now();
  const checkpoint = await RestoreCheckpoint.open(deps.state, plan, context);
  const retrier = new Retrier(deps.retry, context);
  const lock = new RestoreRecordLock(deps.catalog, checkpoint, retrier, context);
  const progress = new RestoreProgress(plan, context.emit);
  const run = { plan, checkpoint, lock, retrier, context, progress };
  try {
    await assertNoOtherRestore(deps.state, plan, context.id);
    if (checkpoint.data.phase !== 'ended') {
      await stage(deps, run);
      await attach(deps, run);
      await checkpoint.save({ phase: 'ended' });
    }
    await lock.release(undefined);
    await cleanUp(deps, checkpoint, context);
    return { ...summaryOf(checkpoint.data), duration_ms: Math.round(performance.now() - started) };
  } catch (error) {
    const released = await lock.release(context.signal.aborted ? context.signal.reason : error);
    const rolledBack = await rollBack(deps.rows, checkpoint, { released, error }, context);
    throw rolledBack || !context.signal.aborted ? error : cancelledTooLate(context.signal, error);
  }
}

async function stage(deps: DirectDeps, run: RestoreRun): Promise<void> {
  const { plan, checkpoint, lock, retrier, context } = run;
  const { signal } = context;
  if (checkpoint.resumed)
    await retrier.through(() => checkStagedTables(deps.rows, checkpoint, signal), signal);
  if (plan.replace && checkpoint.data.cutoff_ms === null) {
    const cutoff_ms = await retrier.through(() => deps.rows.clock({ signal }), signal);
    await checkpoint.save({ cutoff_ms });
  }
  context.emit('job:phase', { phase: 'Staging rows of the archive' });
  for (const [index, file] of plan.files.entries()) {
    await lock.acquire(file.archive_id);
    const staged = checkpoint.data.files[index];
    if (staged) lock.report(staged.rows);
    else await stageFile(deps, run, index);
  }
}

/** Two concurrent restores would both add the same missing rows. */
export async function assertNoOtherRestore(
  state: State,
  { into }: ArchiveRestorePlan,
  job_id: string,
): Promise<void> {
  const others = (await state.running()).filter(
    ({ id, restoring }) => id !== job_id && restoring && !restoring.left,
  );
  const other = others.find(({ restoring }) => restoring?.plan.into.id === into.id);
  if (!other) return;
  throw new BifractError('BUSY', `Job ${other.id} is restoring rows into ${into.name}`, {
    hint: 'Wait until it has finished, then try again.',
  });
}

/** Drops incomplete tables. If staged rows were lost, for example in a power failure, all are staged again. */
async function checkStagedTables(
  rows: LogRestore,
  checkpoint: RestoreCheckpoint,
  signal: AbortSignal,
): Promise<void> {
  await dropTables(rows, checkpoint.data, { keep: true }, signal);
  const existing = new Set(await rows.tables(checkpoint.data.prefix, { signal }));
  for (const { name, rows: expected } of checkpoint.data.tables) {
    if (existing.has(name) && (await rows.count(name, { signal })) === expected) continue;
    await dropTables(rows, checkpoint.data, { keep: false }, signal);
    return checkpoint.save({ tables: [], files: [] });
  }
}

async function attach(deps: DirectDeps, run: RestoreRun): Promise<void> {
  const { plan, checkpoint } = run;
  await assertAllStaged(deps, run);
  const deferred = deferCancellation(run.context);
  const deferredRun = { ...run, context: { ...run.context, signal: deferred.signal } };
  try {
    if (plan.replace && checkpoint.data.phase !== 'attaching') await removeReplaced(deps, deferredRun);
    await checkpoint.save({ phase: 'attaching' });
    await attachAll(deps, deferredRun);
  } finally {
    deferred.release();
  }
}

/** A signal that aborts some time after the job's, so that the restore can finish. */
function deferCancellation({ signal, emit }: JobContext): { signal: AbortSignal; release(): void } {
  signal.throwIfAborted();
  const deferred = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    emit('job:warning', {
      message: 'Too late to cancel: finishing the restore first',
    });
    timer = setTimeout(() => deferred.abort(signal.reason), CANCEL_GRACE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: deferred.signal,
    release() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** The error of a restore that was cancelled but did not finish in time. */
function cancelledTooLate({ reason }: AbortSignal, error: unknown): BifractError {
  const { code, message } = asBifractError(reason);
  const why = error === reason ? '' : `; finishing failed: ${asBifractError(error).message}`;
  return new BifractError(code, `${message}${why}`, { hint: UNFINISHED_HINT, cause: error });
}

/** Finishes a restore that is past the point of no return. */
export async function completeDirect(
  deps: AttachDeps & { retry: RetryOptions },
  checkpoint: RestoreCheckpoint,
  context: JobContext,
): Promise<void> {
  const retrier = new Retrier(deps.retry, context);
  const run = { checkpoint, retrier, context };
  if (checkpoint.data.phase === 'removing') await removeReplaced(deps, run);
  if (checkpoint.data.phase !== 'ended') await attachAll(deps, run);
  await checkpoint.save({ phase: 'ended' });
  await dropTables(deps.rows, checkpoint.data, { keep: false }, context.signal);
}

/**
 * Drops the tables of a finished restore. If ClickHouse does not answer, they do no harm, and the next job drops
 * them.
 */
async function cleanUp(
  { rows, retry: options }: DirectDeps,
  checkpoint: RestoreCheckpoint,
  context: JobContext,
): Promise<void> {
  const { emit } = context;
  const signal = context.signal.aborted ? new AbortController().signal : context.signal;
  const retrier = new Retrier({ ...options, max_ms: Math.min(options.max_ms, CLEANUP_LIMIT_MS) }, context);
  retrier.progressed();
  try {
    await retrier.through(() => dropTables(rows, checkpoint.data, { keep: false }, signal), signal);
    await checkpoint.remove();
  } catch (error) {
    await checkpoint.save({ left: true });
    const { message } = asBifractError(error);
    emit('job:warning', { message: `Cannot drop the staging tables yet: ${message}` });
  }
}

/**
 * Before the point of no return, drops the staging tables, unless the restore can be resumed. After it, keeps them so
 * that the restore can be finished, and returns false.
 */
async function rollBack(
  rows: LogRestore,
  checkpoint: RestoreCheckpoint,
  { released, error }: { released: boolean; error: unknown },
  { signal, emit }: JobContext,
): Promise<boolean> {
  const { transient, code } = asBifractError(error);
  const resumable = !signal.aborted && (transient || code.endsWith('_UNREACHABLE'));
  const started = checkpoint.data.phase !== 'staging';
  const halfway = started && checkpoint.data.phase !== 'ended';
  if (halfway) emit('job:warning', { message: UNFINISHED_HINT });
  if (started || resumable || !released) {
    await checkpoint.save({ left: true });
    return !halfway;
  }
  const noSignal = new AbortController().signal;
  await dropTables(rows, checkpoint.data, { keep: false }, noSignal).then(
    () => checkpoint.remove(),
    () => checkpoint.save({ left: true }),
  );
  return true;
}

/** Drops the tables of a restore: all, or with `keep` only the incomplete ones. */
export async function dropTables(
  rows: LogRestore,
  { prefix, tables }: ArchiveRestoreCheckpoint,
  { keep }: { keep: boolean },
  signal: AbortSignal,
): Promise<void> {
  const kept = new Set(keep ? tables.map(({ name }) => name) : []);
  for (const name of await rows.tables(prefix, { signal })) {
    if (!kept.has(name)) await rows.drop(name, { signal });
  }
}

function summaryOf({ plan, files, partitions, removed }: ArchiveRestoreCheckpoint) {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    into: plan.into,
    via: plan.via,
    files: files.length,
    rows_read: sum(files.map(({ rows }) => rows)),
    rows_added: sum(partitions.map(({ added }) => added)),
    rows_there: sum(partitions.map(({ there: existing }) => existing)),
    rows_removed: removed,
    rows_left_out: sum(files.map(({ left_out }) => left_out)),
  };
}
