import { BifractError } from '../../contract/errors.ts';
import type { StagedPartition } from '../../ports/log-restore.ts';
import type { ArchiveRestorePlan } from './contract.ts';
import type { RestoreRun } from './run.ts';
import { assertCount, type CombinedPartition, countPartitions, createTable, dropTables } from './tables.ts';

/** Counts the staged rows: the last check before the point of no return. */
export async function count(run: RestoreRun): Promise<void> {
  await run.retrier.through(() => countPartitions(run), run.context.signal);
}

/** Attaches the staged rows to the logs, partition by partition, each atomically and only once. */
export async function attach(run: RestoreRun): Promise<void> {
  const deferred = deferCancellation(run);
  try {
    await attachAll({ ...run, context: { ...run.context, signal: deferred.signal } });
  } finally {
    deferred.release();
  }
}

/** A signal that aborts some time after the job's, so that the restore can finish. */
function deferCancellation({ context, limits }: RestoreRun): { signal: AbortSignal; release(): void } {
  const { signal, emit } = context;
  signal.throwIfAborted();
  const deferred = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    emit('job:warning', {
      message: 'Too late to cancel: finishing the restore first',
    });
    timer = setTimeout(() => deferred.abort(signal.reason), limits.cancel_grace_ms);
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

async function attachAll(run: RestoreRun): Promise<void> {
  const { plan, checkpoint, retrier, context } = run;
  const { signal, emit } = context;
  if (plan.replace && checkpoint.data.phase !== 'attaching') await removeReplaced(run);
  await checkpoint.save({ phase: 'attaching' });
  const partitions = await retrier.through(() => countPartitions(run), signal);
  for (const partition of partitions) {
    if (checkpoint.data.partitions.some(({ id }) => id === partition.id)) continue;
    emit('job:phase', { phase: `Attaching rows of ${monthOf(partition.id)}` });
    await retrier.through(() => attachPartition(run, partition), signal);
  }
}

function monthOf(id: string): string {
  return /^\d{6}$/.test(id) ? `${id.slice(0, 4)}-${id.slice(4)}` : `partition ${id}`;
}

/** Deletes the rows of the window that were ingested before the restore began. Idempotent. */
async function removeReplaced({ rows, plan, checkpoint, retrier, context }: RestoreRun): Promise<void> {
  const { signal, emit } = context;
  const window = replacedWindow(plan);
  const cutoff = checkpoint.data.cutoff_ms as number;
  await retrier.through(async () => {
    const removed = await rows.countUntil(window, cutoff, { signal });
    // Saved first, and never reduced: a retry counts only what is left.
    const known = Math.max(checkpoint.data.removed, removed);
    await checkpoint.save({ phase: 'removing', removed: known });
    if (removed === 0) return;
    emit('job:phase', { phase: `Deleting ${removed} rows` });
    await rows.removeUntil(window, cutoff, { signal });
  }, signal);
}

function replacedWindow(plan: ArchiveRestorePlan) {
  const { from, to } = plan.removes ?? plan;
  return { fractal_id: plan.into.id, from: from ?? undefined, to: to ?? undefined };
}

/**
 * Each attempt selects the rows that are missing at that moment into new tables. It first drops the tables of earlier
 * attempts, which waits for or prevents any pending operation on them. So an attempt may fail anywhere: rows it
 * attached are no longer missing.
 */
async function attachPartition(run: RestoreRun, partition: CombinedPartition): Promise<void> {
  const { rows, logs, plan, checkpoint } = run;
  const { signal } = run.context;
  await dropTables(rows, checkpoint.data, { keep: true }, signal);
  const all_rows = await createTable(run, 'missing');
  for (const table of partition.tables) await rows.clonePartition(table, all_rows, partition.id, { signal });
  const counted = await rows.count(all_rows, { signal });
  assertCount(all_rows, counted, partition.rows);
  const window = rangeOf(partition, plan.into.id);
  const before = await logs.stats(window, { signal });
  const source = before.rows === 0 ? all_rows : await selectMissing(run, partition, all_rows);
  const missing = source === all_rows ? counted : await rows.count(source, { signal });
  const { moving } = checkpoint.data;
  // An earlier attempt may have attached some already.
  const added = Math.max(missing, moving?.id === partition.id ? moving.rows : 0);
  if (missing > 0) {
    await checkpoint.save({ moving: { id: partition.id, rows: added } });
    await rows.attach(source, partition.id, { signal });
    const after = await logs.stats(window, { signal });
    if (after.rows < before.rows + missing) throw attachedRowsMissing(before.rows + missing, after.rows);
  }
  const attached = { id: partition.id, added, there: partition.rows - added };
  await checkpoint.save({ partitions: [...checkpoint.data.partitions, attached], moving: null });
}

async function selectMissing(
  run: RestoreRun,
  { tables: _, ...partition }: CombinedPartition,
  table: string,
): Promise<string> {
  const { rows, services, plan } = run;
  const { signal } = run.context;
  const to = await createTable(run, 'missing');
  const { max_memory } = services.archive_limits;
  await rows.insertMissing({ table, partition, fractal_id: plan.into.id }, to, { signal, max_memory });
  return to;
}

function rangeOf({ first, last }: StagedPartition, fractal_id: string) {
  return { fractal_id, from: first, to: new Date(Date.parse(last) + 1).toISOString() };
}

function attachedRowsMissing(expected: number, counted: number): BifractError {
  return new BifractError(
    'COUNT_DIFFERS',
    `After attaching rows, ClickHouse counts ${counted}, not ${expected}`,
    {
      hint: 'Another process is deleting rows. Run the restore again once it has finished; restored rows stay.',
    },
  );
}
