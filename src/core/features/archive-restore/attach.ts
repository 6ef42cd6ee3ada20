import { randomBytes } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { Retrier } from '../../job/retry.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { LogRestore, StagedPartition } from '../../ports/log-restore.ts';
import type { ArchiveRestoreCheckpoint, RestoreCheckpoint } from './checkpoint.ts';

export interface AttachDeps {
  rows: LogRestore;
  logs: LogDatabase;
  max_memory: number;
}

export interface AttachRun {
  checkpoint: RestoreCheckpoint;
  retrier: Retrier;
  context: Pick<JobContext, 'emit' | 'signal'>;
}

/** A partition of all staged tables together. */
interface CombinedPartition extends StagedPartition {
  tables: string[];
}

/** Deletes the rows of the window that were ingested before the restore began. Idempotent. */
export async function removeReplaced(
  { rows }: AttachDeps,
  { checkpoint, retrier, context }: AttachRun,
): Promise<void> {
  const { plan, cutoff_ms } = checkpoint.data;
  const { signal, emit } = context;
  const window = removedRows(plan);
  const cutoff = cutoff_ms as number;
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

function removedRows(plan: ArchiveRestoreCheckpoint['plan']) {
  const { from, to } = plan.removes ?? plan;
  return { fractal_id: plan.into.id, from: from ?? undefined, to: to ?? undefined };
}

/** The last check before the point of no return. */
export async function assertAllStaged(
  { rows }: Pick<AttachDeps, 'rows'>,
  { checkpoint, retrier, context: { signal } }: AttachRun,
): Promise<void> {
  await retrier.through(() => combinePartitions(rows, checkpoint.data, signal), signal);
}

/** Attaches the staged rows to the logs, partition by partition, each atomically and only once. */
export async function attachAll(deps: AttachDeps, run: AttachRun): Promise<void> {
  const { checkpoint, retrier, context } = run;
  const { signal } = context;
  const partitions = await retrier.through(
    () => combinePartitions(deps.rows, checkpoint.data, signal),
    signal,
  );
  for (const partition of partitions) {
    if (checkpoint.data.partitions.some(({ id }) => id === partition.id)) continue;
    context.emit('job:phase', { phase: `Attaching rows of ${monthOf(partition.id)}` });
    await retrier.through(() => attachPartition(deps, run, partition), signal);
  }
}

function monthOf(id: string): string {
  return /^\d{6}$/.test(id) ? `${id.slice(0, 4)}-${id.slice(4)}` : `partition ${id}`;
}

async function combinePartitions(
  rows: LogRestore,
  { tables }: ArchiveRestoreCheckpoint,
  signal: AbortSignal,
): Promise<CombinedPartition[]> {
  const combined = new Map<string, CombinedPartition>();
  for (const { name, rows: expected } of tables) {
    const partitions = await rows.partitions(name, { signal });
    const counted = partitions.reduce((sum, partition) => sum + partition.rows, 0);
    if (counted !== expected) throw stagedRowsLost(name, expected, counted);
    for (const partition of partitions) {
      const known = combined.get(partition.id);
      combined.set(partition.id, known ? merge(known, partition, name) : { ...partition, tables: [name] });
    }
  }
  return [...combined.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function merge(
  known: CombinedPartition,
  { rows, first, last }: StagedPartition,
  table: string,
): CombinedPartition {
  return {
    id: known.id,
    rows: known.rows + rows,
    first: first < known.first ? first : known.first,
    last: last > known.last ? last : known.last,
    tables: [...known.tables, table],
  };
}

/**
 * Each attempt selects the rows that are missing at that moment into new tables. It first drops the tables of earlier
 * attempts, which waits for or prevents any pending operation on them. So an attempt may fail anywhere: rows it
 * attached are no longer missing.
 */
async function attachPartition(
  deps: AttachDeps,
  run: AttachRun,
  partition: CombinedPartition,
): Promise<void> {
  const { rows, logs } = deps;
  const { checkpoint, context } = run;
  const { signal } = context;
  const { data: entry } = checkpoint;
  await dropEarlierTables(rows, entry, signal);
  const all_rows = await createTable(rows, entry, signal);
  for (const table of partition.tables) await rows.clonePartition(table, all_rows, partition.id, { signal });
  const counted = await rows.count(all_rows, { signal });
  if (counted !== partition.rows) throw stagedRowsLost(all_rows, partition.rows, counted);
  const window = rangeOf(partition, entry.plan.into.id);
  const before = await logs.stats(window, { signal });
  const source = before.rows === 0 ? all_rows : await selectMissing(deps, run, partition, all_rows);
  const missingRows = source === all_rows ? counted : await rows.count(source, { signal });
  const attempted = entry.moving?.id === partition.id ? entry.moving.rows : 0;
  const added = Math.max(missingRows, attempted);
  if (missingRows > 0) {
    await checkpoint.save({ moving: { id: partition.id, rows: added } });
    await rows.attach(source, partition.id, { signal });
    const after = await logs.stats(window, { signal });
    if (after.rows < before.rows + missingRows)
      throw attachedRowsMissing(before.rows + missingRows, after.rows);
  }
  const attached = { id: partition.id, added, there: partition.rows - added };
  await checkpoint.save({ phase: 'attaching', partitions: [...entry.partitions, attached], moving: null });
}

async function createTable(rows: LogRestore, { prefix }: ArchiveRestoreCheckpoint, signal: AbortSignal) {
  const name = `${prefix}m${randomBytes(4).toString('hex')}`;
  await rows.create(name, { signal });
  return name;
}

async function selectMissing(
  { rows, max_memory }: AttachDeps,
  { checkpoint, context: { signal } }: AttachRun,
  { tables: _, ...partition }: CombinedPartition,
  table: string,
): Promise<string> {
  const to = await createTable(rows, checkpoint.data, signal);
  const part = { table, partition, fractal_id: checkpoint.data.plan.into.id };
  await rows.insertMissing(part, to, { signal, max_memory });
  return to;
}

async function dropEarlierTables(
  rows: LogRestore,
  { prefix, tables }: ArchiveRestoreCheckpoint,
  signal: AbortSignal,
): Promise<void> {
  const kept = new Set(tables.map(({ name }) => name));
  for (const name of await rows.tables(prefix, { signal })) {
    if (!kept.has(name)) await rows.drop(name, { signal });
  }
}

function rangeOf({ first, last }: StagedPartition, fractal_id: string) {
  return { fractal_id, from: first, to: new Date(Date.parse(last) + 1).toISOString() };
}

function stagedRowsLost(table: string, expected: number, counted: number): BifractError {
  return new BifractError('COUNT_DIFFERS', `ClickHouse counts ${counted} rows in ${table}, not ${expected}`, {
    hint: 'Staged rows were lost, and none of them were attached. Run the restore again.',
  });
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
