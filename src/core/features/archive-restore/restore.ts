import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier } from '../../job/retry.ts';
import type { Services } from '../../ports/services.ts';
import { attach, count } from './attach.ts';
import { type ArchiveRestoreCheckpoint, assertNoOtherRestore, RestoreCheckpoint } from './checkpoint.ts';
import type { ArchiveRestorePlan, ArchiveRestoreSummary, RestoreMethod } from './contract.ts';
import { sendFiles, warnAboutSkippedRows } from './ingest.ts';
import { openRun, type RestoreLimits, type RestoreRun } from './run.ts';
import { stage } from './stage.ts';
import { dropTables } from './tables.ts';

const SENT_HINT = 'Lines sent to ingest are kept. Run the same command again to send the rest.';

const UNFINISHED_HINT =
  'Interrupted past the point of no return. Rows may be missing until the restore is finished: run the same command again, or open the console.';

/** How long a completed restore waits for ClickHouse to drop its tables. */
const CLEANUP_LIMIT_MS = 30_000;

type RowCounts = Pick<
  ArchiveRestoreSummary,
  'rows_read' | 'rows_added' | 'rows_there' | 'rows_removed' | 'rows_left_out'
>;

interface Method {
  restore(run: RestoreRun): Promise<RowCounts>;
  /**
   * Cleans up after a failure, unless the restore can be resumed; `released`: whether the lock on the archive record is
   * released. Returns the error to report.
   */
  rollBack(run: RestoreRun, error: unknown, released: boolean): Promise<unknown>;
}

const METHODS: Record<RestoreMethod, Method> = {
  direct: { restore: restoreDirect, rollBack: rollBackDirect },
  ingest: { restore: restoreByIngest, rollBack: rollBackIngest },
};

/**
 * Restores archived rows as planned. Throws the first obstacle of the plan. After an interruption, the same call
 * resumes.
 */
export async function restoreArchive(
  services: Services,
  plan: ArchiveRestorePlan,
  context: JobContext,
  limits: Partial<RestoreLimits> = {},
): Promise<ArchiveRestoreSummary> {
  const [obstacle] = plan.obstacles;
  if (obstacle) throw new BifractError(obstacle.code, obstacle.message, { hint: obstacle.hint });
  const started = performance.now();
  const openCheckpoint = () => RestoreCheckpoint.open(services.state, plan, context);
  const run = await openRun(services, openCheckpoint, context, limits);
  const method = METHODS[plan.via];
  try {
    await assertNoOtherRestore(services.state, plan, context.id);
    const counts = await method.restore(run);
    const duration_ms = Math.round(performance.now() - started);
    return { into: plan.into, via: plan.via, files: plan.files.length, ...counts, duration_ms };
  } catch (error) {
    const released = await run.lock.release(context.signal.aborted ? context.signal.reason : error);
    throw await method.rollBack(run, error, released);
  }
}

/**
 * Restores rows with all their columns. The files are first read completely into staging tables; only when all are
 * verified are the rows that the logs lack attached, partition by partition. Each step continues at the checkpoint.
 * Recovery enters at `attach`, to finish a restore that is past the point of no return.
 */
export async function restoreDirect(
  run: RestoreRun,
  enter: 'stage' | 'attach' = 'stage',
): Promise<RowCounts> {
  if (run.checkpoint.data.phase !== 'ended') {
    if (enter === 'stage') {
      await stage(run);
      await count(run);
    }
    await attach(run);
  }
  await record(run);
  return countsOf(run.checkpoint.data);
}

/** Sends the log lines of archives through the server's ingest, which parses them again. */
async function restoreByIngest(run: RestoreRun): Promise<RowCounts> {
  const sent = await sendFiles(run);
  await run.lock.release(undefined);
  await run.checkpoint.remove();
  warnAboutSkippedRows(sent, run.context);
  const rows_left_out = sent.newlines + sent.empty;
  return {
    rows_read: sent.rows + rows_left_out,
    rows_added: sent.rows,
    rows_there: 0,
    rows_removed: 0,
    rows_left_out,
  };
}

/** Records the end of the restore, in its checkpoint and in the catalog, and drops its tables. */
async function record(run: RestoreRun): Promise<void> {
  const { checkpoint, lock, context } = run;
  await checkpoint.save({ phase: 'ended' });
  await lock.release(undefined);
  try {
    await dropAllTables(run);
    await checkpoint.remove();
  } catch (error) {
    // They do no harm, and the next job drops them.
    await checkpoint.save({ left: true });
    const { message } = asBifractError(error);
    context.emit('job:warning', { message: `Cannot drop the staging tables yet: ${message}` });
  }
}

async function dropAllTables({ rows, checkpoint, retry, context }: RestoreRun): Promise<void> {
  const signal = context.signal.aborted ? new AbortController().signal : context.signal;
  const retrier = new Retrier({ ...retry, max_ms: Math.min(retry.max_ms, CLEANUP_LIMIT_MS) }, context);
  retrier.progressed();
  await retrier.through(() => dropTables(rows, checkpoint.data, { keep: false }, signal), signal);
}

function countsOf({ files, partitions, removed }: ArchiveRestoreCheckpoint): RowCounts {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const rows_read = sum(files.map(({ rows }) => rows));
  const rows_added = sum(partitions.map(({ added }) => added));
  return {
    rows_read,
    rows_added,
    // Most of them were never staged.
    rows_there: rows_read - rows_added,
    rows_removed: removed,
    rows_left_out: sum(files.map(({ left_out }) => left_out)),
  };
}

/**
 * Before the point of no return, drops the staging tables, unless the restore can be resumed. After it, keeps them so
 * that the restore can be finished.
 */
async function rollBackDirect(
  { rows, checkpoint, context: { signal, emit } }: RestoreRun,
  error: unknown,
  released: boolean,
): Promise<unknown> {
  const { transient, code } = asBifractError(error);
  const { phase } = checkpoint.data;
  const halfway = phase === 'removing' || phase === 'attaching';
  if (halfway) emit('job:warning', { message: UNFINISHED_HINT });
  const resumable = !signal.aborted && (transient || code.endsWith('_UNREACHABLE'));
  if (phase !== 'staging' || resumable || !released) await checkpoint.save({ left: true });
  else {
    const noSignal = new AbortController().signal;
    await dropTables(rows, checkpoint.data, { keep: false }, noSignal).then(
      () => checkpoint.remove(),
      () => checkpoint.save({ left: true }),
    );
  }
  return halfway && signal.aborted ? cancelledTooLate(signal, error) : error;
}

/** The error of a restore that was cancelled but did not finish in time. */
function cancelledTooLate({ reason }: AbortSignal, error: unknown): BifractError {
  const { code, message } = asBifractError(reason);
  const why = error === reason ? '' : `; finishing failed: ${asBifractError(error).message}`;
  return new BifractError(code, `${message}${why}`, { hint: UNFINISHED_HINT, cause: error });
}

/** Accepted lines cannot be taken back: the same call resumes after them. */
async function rollBackIngest({ checkpoint, context }: RestoreRun, error: unknown, released: boolean) {
  const { sent } = checkpoint.data;
  if (sent === null && released) await checkpoint.remove();
  else await checkpoint.save({ left: true });
  if (sent === null || !context.signal.aborted) return error;
  const { code, message } = asBifractError(context.signal.reason);
  return new BifractError(code, message, { hint: SENT_HINT, cause: error });
}
