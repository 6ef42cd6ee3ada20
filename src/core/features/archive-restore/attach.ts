import { BifractError } from '../../contract/errors.ts';
import { compareTimes } from '../../policy/instant.ts';
import type { NewFractal } from '../../ports/catalog.ts';
import type { StagedPartition } from '../../ports/log-restore.ts';
import type { Timestamp } from '../../ports/types.ts';
import { plural } from '../../text/units.ts';
import type { ArchiveRestorePlan } from './contract.ts';
import type { RestoreLimits, RestoreRun } from './run.ts';
import { assertCount, type CombinedPartition, countPartitions, createTable, dropTables } from './tables.ts';

/** Counts the staged rows: the last check before the point of no return. */
export async function count(run: RestoreRun): Promise<void> {
  await run.retrier.through(() => countPartitions(run), run.context.signal);
}

/**
 * Attaches the staged rows to the logs, partition by partition, each atomically and only once. Corrects the counts per
 * minute afterwards.
 */
export async function attach(run: RestoreRun): Promise<void> {
  const deferred = deferCancellation(run);
  try {
    const finishing = { ...run, context: { ...run.context, signal: deferred.signal } };
    await attachAll(finishing);
    await updateCounts(finishing);
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
  const { plan, checkpoint, retrier, context, limits } = run;
  const { signal, emit } = context;
  if (plan.creates && checkpoint.data.phase === 'staging') await createTarget(run, plan.creates);
  if (plan.replace && checkpoint.data.phase !== 'attaching') await removeReplaced(run);
  await checkpoint.save({ phase: 'attaching' });
  const partitions = await retrier.through(() => countPartitions(run), signal);
  const done = new Set(checkpoint.data.partitions.map(({ id }) => id));
  for (const step of stepsOf(
    partitions.filter(({ id }) => !done.has(id)),
    limits.step,
  )) {
    const { first, last } = rangeOf(step);
    const days = [first.slice(0, 10), last.slice(0, 10)];
    emit('job:phase', { phase: `Attaching rows of ${[...new Set(days)].join(' to ')}` });
    await retrier.through(() => attachPartitions(run, step), signal);
  }
}

/** Creates the target. `EXISTS` if its name was taken since the plan was made. */
async function createTarget({ services, retrier, context: { signal } }: RestoreRun, fractal: NewFractal) {
  await retrier.through(async () => {
    const catalog = await services.catalog();
    // It was created if an earlier attempt ended after that.
    if ((await catalog.fractals({ signal })).some(({ id }) => id === fractal.id)) return;
    await catalog.createFractal(fractal, { signal });
  }, signal);
}

/** Divides the partitions, which are sorted by time, so that some small ones are attached together. */
function stepsOf(
  partitions: readonly CombinedPartition[],
  limit: RestoreLimits['step'],
): CombinedPartition[][] {
  const steps: CombinedPartition[][] = [];
  let step_rows = 0;
  for (const partition of partitions) {
    const step = steps.at(-1);
    step_rows += partition.rows;
    if (step && step.length < limit.partitions && step_rows <= limit.rows) step.push(partition);
    else {
      steps.push([partition]);
      step_rows = partition.rows;
    }
  }
  return steps;
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
    emit('job:phase', { phase: `Deleting ${plural(removed, 'row')}` });
    await rows.removeUntil(window, cutoff, { signal });
  }, signal);
}

function replacedWindow(plan: ArchiveRestorePlan) {
  const { from, to } = plan.removes ?? plan;
  return { fractal_id: plan.into.id, from: from ?? undefined, to: to ?? undefined };
}

/**
 * Each attempt selects the rows that are missing at that moment into new tables. It first drops the tables of earlier
 * attempts, which waits for or prevents any pending operation on them. So an attempt may fail anywhere, after some of the
 * partitions too: rows it attached are no longer missing.
 */
async function attachPartitions(run: RestoreRun, step: readonly CombinedPartition[]): Promise<void> {
  const { rows, logs, plan, checkpoint } = run;
  const { signal } = run.context;
  await dropTables(rows, checkpoint.data, { keep: true }, signal);
  const all_rows = await createTable(run, 'missing');
  await cloneAll(run, step, all_rows);
  const range = rangeOf(step);
  const window = { fractal_id: plan.into.id, from: range.first, to: afterLast(range) };
  const before = await logs.stats(window, { signal });
  const source = before.rows === 0 ? all_rows : await selectMissing(run, step, all_rows);
  const missing = new Map(
    (await rows.partitions(source, { signal })).map(({ id, rows: count }) => [id, count]),
  );
  if (source === all_rows)
    for (const { id, rows: expected } of step) assertCount(source, missing.get(id) ?? 0, expected);
  const moving = new Map([checkpoint.data.moving ?? []].flat().map(({ id, rows: count }) => [id, count]));
  // An earlier attempt may have attached some already.
  const added = step.map(({ id }) => ({ id, rows: Math.max(missing.get(id) ?? 0, moving.get(id) ?? 0) }));
  const total = [...missing.values()].reduce((sum, count) => sum + count, 0);
  if (total > 0) {
    await checkpoint.save({ moving: added });
    await rows.attach(source, [...missing.keys()], { signal });
    const after = await logs.stats(window, { signal });
    if (after.rows < before.rows + total) throw attachedRowsMissing(before.rows + total, after.rows);
  }
  const attached = step.map(({ id, rows: staged }, index) => {
    const count = added[index]?.rows ?? 0;
    return { id, added: count, there: staged - count };
  });
  await checkpoint.save({ partitions: [...checkpoint.data.partitions, ...attached], moving: null });
}

/** Adds the partitions of all staged tables to one table. */
async function cloneAll(
  { rows, context: { signal } }: RestoreRun,
  step: readonly CombinedPartition[],
  to: string,
): Promise<void> {
  const tables = new Set(step.flatMap((partition) => partition.tables));
  for (const table of tables) {
    const ids = step.filter((partition) => partition.tables.includes(table)).map(({ id }) => id);
    await rows.clonePartitions(table, to, ids, { signal });
  }
}

/**
 * Corrects the counts per minute of the server: attaching and deleting does not change them. The times are those of the
 * rows themselves: what a file without a trailer says of them may be wrong.
 */
async function updateCounts(run: RestoreRun): Promise<void> {
  const { rows, plan, checkpoint, retrier, context } = run;
  const { signal } = context;
  const within = checkpoint.data.compared?.within;
  const staged = await retrier.through(() => countPartitions(run), signal);
  const timeOf = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  const starts = [plan.removes?.from, timeOf(within?.from_ms), ...staged.map(({ first }) => first)];
  const ends = [plan.removes?.to, timeOf(within?.to_ms), ...staged.map(afterLast)];
  if (!plan.removes && !within && staged.length === 0) return;
  const window = { fractal_id: plan.into.id, from: sorted(starts).at(0), to: sorted(ends).at(-1) };
  await retrier.through(() => rows.updateCounts(window, { signal }), signal);
}

/** The earliest first; none if one of them is open. */
function sorted(times: (Timestamp | null | undefined)[]): Timestamp[] {
  return times.includes(null) ? [] : times.filter((time) => time != null).toSorted(compareTimes);
}

/** Returns a table with the missing rows. Only partitions with rows of minutes that have others are copied row by row. */
async function selectMissing(
  run: RestoreRun,
  step: readonly CombinedPartition[],
  all_rows: string,
): Promise<string> {
  const { rows, services, plan, context } = run;
  const { signal } = context;
  const stagedRows = (table: string, { first, last }: TimeRange) => ({
    table,
    first,
    last,
    fractal_id: plan.into.id,
  });
  const counted = await rows.count(all_rows, { signal });
  assertCount(all_rows, counted, rangeOf(step).rows);
  const overlapping = new Set(await rows.overlapping(stagedRows(all_rows, rangeOf(step)), { signal }));
  if (overlapping.size === 0) return all_rows;
  const [some, others] = [true, false].map((is) => step.filter(({ id }) => overlapping.has(id) === is));
  const idsOf = (partitions: readonly CombinedPartition[] = []) => partitions.map(({ id }) => id);
  let compared = all_rows;
  if (others?.length !== 0) {
    compared = await createTable(run, 'missing');
    await rows.clonePartitions(all_rows, compared, idsOf(some), { signal });
  }
  const to = await createTable(run, 'missing');
  const { max_memory } = services.archive_limits;
  await rows.insertMissing(stagedRows(compared, rangeOf(some ?? [])), to, { signal, max_memory });
  if (others?.length !== 0) await rows.clonePartitions(all_rows, to, idsOf(others), { signal });
  return to;
}

type TimeRange = Pick<StagedPartition, 'rows' | 'first' | 'last'>;

/** Rows and time range of partitions. */
function rangeOf(partitions: readonly StagedPartition[]): TimeRange {
  const lasts = partitions.map(({ last }) => last).toSorted();
  return {
    rows: partitions.reduce((sum, { rows }) => sum + rows, 0),
    first: partitions[0]?.first ?? '',
    last: lasts.at(-1) ?? '',
  };
}

function afterLast({ last }: Pick<TimeRange, 'last'>): string {
  return new Date(Date.parse(last) + 1).toISOString();
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
