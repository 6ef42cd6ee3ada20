import { randomBytes } from 'node:crypto';
import { BifractError } from '../errors.ts';
import type { ArchiveRestoreJournal } from '../ports/archive-restore-journal.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { LogRestore, StagedPartition } from '../ports/log-restore.ts';
import type { JobContext } from './context.ts';
import type { Patience } from './patience.ts';
import type { RestoreJournal } from './restore-journal.ts';

export interface AttachDeps {
  rows: LogRestore;
  logs: LogDatabase;
  max_memory: number;
}

export interface AttachRun {
  journal: RestoreJournal;
  patience: Patience;
  context: Pick<JobContext, 'emit' | 'signal'>;
}

/** A partition in all staged tables. */
interface Gathered extends StagedPartition {
  tables: string[];
}

/** Removes the window's rows that had been ingested before the restore began. Done again, it changes nothing more. */
export async function removeOld(
  { rows }: AttachDeps,
  { journal, patience, context }: AttachRun,
): Promise<void> {
  const { plan, cutoff_ms } = journal.entry;
  const { signal, emit } = context;
  const window = removedRows(plan);
  const cutoff = cutoff_ms as number;
  await patience.through(async () => {
    const removed = await rows.countUntil(window, cutoff, { signal });
    // Noted first, and only ever grown: a second try finds some of them gone.
    const known = Math.max(journal.entry.removed, removed);
    await journal.save({ phase: 'removing', removed: known });
    if (removed === 0) return;
    emit('job:phase', { phase: `Removing ${removed} rows` });
    await rows.removeUntil(window, cutoff, { signal });
  }, signal);
}

/** The rows that a restore replaces. */
function removedRows(plan: ArchiveRestoreJournal['plan']) {
  const { from, to } = plan.removes ?? plan;
  return { fractal_id: plan.into.id, from: from ?? undefined, to: to ?? undefined };
}

/** The point of no return: every staged row is there. */
export async function mustBeStaged(
  { rows }: Pick<AttachDeps, 'rows'>,
  { journal, patience, context: { signal } }: AttachRun,
): Promise<void> {
  await patience.through(() => gather(rows, journal.entry, signal), signal);
}

/** Moves the staged rows among the logs, partition by partition, each in one step and once. */
export async function attachAll(deps: AttachDeps, run: AttachRun): Promise<void> {
  const { journal, patience, context } = run;
  const { signal } = context;
  const partitions = await patience.through(() => gather(deps.rows, journal.entry, signal), signal);
  for (const partition of partitions) {
    if (journal.entry.partitions.some(({ id }) => id === partition.id)) continue;
    context.emit('job:phase', { phase: `Moving in the rows of ${monthOf(partition.id)}` });
    await patience.through(() => moveIn(deps, run, partition), signal);
  }
}

function monthOf(id: string): string {
  return /^\d{6}$/.test(id) ? `${id.slice(0, 4)}-${id.slice(4)}` : `partition ${id}`;
}

async function gather(
  rows: LogRestore,
  { tables }: ArchiveRestoreJournal,
  signal: AbortSignal,
): Promise<Gathered[]> {
  const gathered = new Map<string, Gathered>();
  for (const { name, rows: expected } of tables) {
    const partitions = await rows.partitions(name, { signal });
    const counted = partitions.reduce((sum, partition) => sum + partition.rows, 0);
    if (counted !== expected) throw lost(name, expected, counted);
    for (const partition of partitions) {
      const known = gathered.get(partition.id);
      gathered.set(partition.id, known ? merge(known, partition, name) : { ...partition, tables: [name] });
    }
  }
  return [...gathered.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function merge(known: Gathered, { rows, first, last }: StagedPartition, table: string): Gathered {
  return {
    id: known.id,
    rows: known.rows + rows,
    first: first < known.first ? first : known.first,
    last: last > known.last ? last : known.last,
    tables: [...known.tables, table],
  };
}

/**
 * What is moved in is made anew each time, out of what the logs lack at that moment, in tables of new names; those of an
 * earlier try are dropped before, which also waits for, or prevents, whatever was still to happen with them. So it
 * does not matter how far that try came: what it moved in is no longer lacking.
 */
async function moveIn(deps: AttachDeps, run: AttachRun, partition: Gathered): Promise<void> {
  const { rows, logs } = deps;
  const { journal, context } = run;
  const { signal } = context;
  const { entry } = journal;
  await dropOthers(rows, entry, signal);
  const whole = await make(rows, entry, signal);
  for (const table of partition.tables) await rows.share(table, whole, partition.id, { signal });
  const counted = await rows.count(whole, { signal });
  if (counted !== partition.rows) throw lost(whole, partition.rows, counted);
  const window = rangeOf(partition, entry.plan.into.id);
  const before = await logs.stats(window, { signal });
  const source = before.rows === 0 ? whole : await lacking(deps, run, partition, whole);
  const lacks = source === whole ? counted : await rows.count(source, { signal });
  const tried = entry.moving?.id === partition.id ? entry.moving.rows : 0;
  const added = Math.max(lacks, tried);
  if (lacks > 0) {
    await journal.save({ moving: { id: partition.id, rows: added } });
    await rows.attach(source, partition.id, { signal });
    const after = await logs.stats(window, { signal });
    if (after.rows < before.rows + lacks) throw missing(before.rows + lacks, after.rows);
  }
  const done = { id: partition.id, added, there: partition.rows - added };
  await journal.save({ phase: 'attaching', partitions: [...entry.partitions, done], moving: null });
}

async function make(rows: LogRestore, { prefix }: ArchiveRestoreJournal, signal: AbortSignal) {
  const name = `${prefix}m${randomBytes(4).toString('hex')}`;
  await rows.create(name, { signal });
  return name;
}

async function lacking(
  { rows, max_memory }: AttachDeps,
  { journal, context: { signal } }: AttachRun,
  { tables: _, ...partition }: Gathered,
  table: string,
): Promise<string> {
  const to = await make(rows, journal.entry, signal);
  const part = { table, partition, fractal_id: journal.entry.plan.into.id };
  await rows.difference(part, to, { signal, max_memory });
  return to;
}

/** Tables of earlier tries. */
async function dropOthers(
  rows: LogRestore,
  { prefix, tables }: ArchiveRestoreJournal,
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

function lost(table: string, expected: number, counted: number): BifractError {
  return new BifractError('COUNT_DIFFERS', `ClickHouse counts ${counted} rows in ${table}, not ${expected}`, {
    hint: 'Rows that were prepared are gone. Nothing of them is among the logs; restore again.',
  });
}

function missing(expected: number, counted: number): BifractError {
  return new BifractError(
    'COUNT_DIFFERS',
    `After rows were moved in, ClickHouse counts ${counted} of them, not ${expected}`,
    {
      hint: 'Something deletes rows there just now. Restore again when that has ended: what is there stays.',
    },
  );
}
