import { randomBytes } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { LogRestore, StagedPartition } from '../../ports/log-restore.ts';
import type { ArchiveRestoreCheckpoint } from './checkpoint.ts';
import type { RestoreRun } from './run.ts';

/** Creates a table of a restore: with staged rows of a file, or with rows to attach. */
export async function createTable(
  { rows, checkpoint, context: { signal } }: RestoreRun,
  content: 'staged' | 'missing',
): Promise<string> {
  const name = `${checkpoint.data.prefix}${content[0]}${randomBytes(4).toString('hex')}`;
  await rows.create(name, { signal });
  return name;
}

/** Drops the tables of a restore: all, or with `keep` those that are not recorded as staged. */
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

/** A partition of all staged tables together. */
export interface CombinedPartition extends StagedPartition {
  tables: string[];
}

/** Counts the staged rows by partition, the earliest first. `COUNT_DIFFERS` if some of them were lost. */
export async function countPartitions({
  rows,
  checkpoint,
  context: { signal },
}: RestoreRun): Promise<CombinedPartition[]> {
  const combined = new Map<string, CombinedPartition>();
  for (const { name, rows: expected } of checkpoint.data.tables) {
    const partitions = await rows.partitions(name, { signal });
    assertCount(
      name,
      partitions.reduce((sum, partition) => sum + partition.rows, 0),
      expected,
    );
    for (const partition of partitions) {
      const known = combined.get(partition.id);
      combined.set(partition.id, known ? merge(known, partition, name) : { ...partition, tables: [name] });
    }
  }
  return [...combined.values()].sort((a, b) => (a.first < b.first ? -1 : 1));
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

export function assertCount(table: string, counted: number, expected: number): void {
  if (counted === expected) return;
  throw new BifractError('COUNT_DIFFERS', `ClickHouse counts ${counted} rows in ${table}, not ${expected}`, {
    hint: 'Staged rows were lost, and none of them were attached. Run the restore again.',
  });
}
