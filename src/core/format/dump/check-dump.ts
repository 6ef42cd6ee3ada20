import { BifractError } from '../../contract/errors.ts';
import type { TableCount } from '../../ports/database.ts';
import { type Definitions, type DumpContents, DumpReader, withEndOfRows } from './dump-reader.ts';

/** A table as the manifest of a backup has it. */
export type ExpectedTable = Pick<TableCount, 'schema' | 'name' | 'rows' | 'crc32'>;

/** What a dump must have, as the manifest of a backup says it. */
export interface ExpectedContents {
  tables: readonly ExpectedTable[];
  /** Absent in backups of version 0.2 and older. */
  large_objects?: number;
  /** Those of another dump in the same snapshot, if there is one. */
  definitions?: Definitions;
}

/** The definitions in a dump that has nothing else. Throws `CUT_OFF`, `DAMAGED` or `UNSUPPORTED` as `DumpReader` does. */
export async function readDefinitions(dump: AsyncIterable<Buffer>): Promise<Definitions> {
  const reader = new DumpReader({ definitions: true });
  for await (const piece of dump) reader.push(piece);
  return reader.end().definitions;
}

/**
 * Passes a dump on and proves, before it ends, that it is complete and has the expected rows: a data block for every
 * table, with as many rows as were counted in the same snapshot, and the same text where that has a checksum, as many large
 * objects, and all definitions. So whatever reads it to its end without an error has a complete dump; no seal is written for another.
 *
 * Throws `CUT_OFF`, `DAMAGED` or `UNSUPPORTED` as `DumpReader` does, `COUNT_DIFFERS`, and `DAMAGED` for other rows than
 * expected. Without `expected` (files of the server's own program) only the dump's own structure is checked; a compressed
 * dump has no rows to compare. With `fresh`, a dump that this program has just requested, every table must have rows that
 * can be counted, and its definition: a single wrong byte in the header makes a dump look compressed.
 */
export async function* checkDump(
  dump: AsyncIterable<Buffer>,
  expected: ExpectedContents | undefined,
  { onChecked, fresh = false }: { onChecked?: (contents: DumpContents) => void; fresh?: boolean } = {},
): AsyncGenerator<Buffer> {
  const known = new Set(expected?.tables.filter(({ crc32 }) => crc32 !== undefined).map(keyOf));
  const reader = new DumpReader({
    checksums: (table) => known.has(keyOf(table)),
    definitions: expected?.definitions !== undefined,
  });
  for await (const piece of dump) {
    reader.push(piece);
    yield piece;
  }
  const contents = reader.end();
  if (expected) {
    compareTables(contents, expected.tables, fresh);
    compareLargeObjects(contents, expected);
    compareDefinitions(contents, expected);
  }
  onChecked?.(contents);
}

function compareTables({ tables }: DumpContents, expected: readonly ExpectedTable[], fresh: boolean): void {
  const dumped = new Map(tables.map((table) => [keyOf(table), table]));
  for (const wanted of expected) {
    const { schema, name, rows, crc32 } = wanted;
    const table = dumped.get(keyOf(wanted));
    if (!table)
      throw new BifractError('CUT_OFF', `The dump is incomplete: it has no data of ${schema}.${name}`);
    if (fresh && !table.defined)
      throw new BifractError('CUT_OFF', `The dump is incomplete: it does not create ${schema}.${name}`);
    if (fresh && table.rows === null)
      throw new BifractError('DAMAGED', `The rows of ${schema}.${name} in the dump cannot be counted`);
    if (table.rows !== null && table.rows !== rows)
      throw new BifractError(
        'COUNT_DIFFERS',
        `The dump has ${table.rows} rows of ${schema}.${name} instead of ${rows}`,
      );
    if (crc32 !== undefined && table.crc32 !== null && table.crc32 !== withEndOfRows(crc32))
      throw new BifractError(
        'DAMAGED',
        `The dump has other values in ${schema}.${name} than the database had: their checksums differ`,
      );
  }
}

function keyOf({ schema, name }: Pick<ExpectedTable, 'schema' | 'name'>): string {
  return JSON.stringify([schema, name]);
}

function compareLargeObjects(
  { large_objects }: DumpContents,
  { large_objects: expected = large_objects }: ExpectedContents,
): void {
  if (large_objects === expected) return;
  throw new BifractError(
    'COUNT_DIFFERS',
    `The dump has ${large_objects} large objects instead of ${expected}`,
  );
}

/** A dump with data has all definitions of one without, and entries for the data. */
function compareDefinitions(
  { definitions }: DumpContents,
  { definitions: expected }: ExpectedContents,
): void {
  for (const [crc, count] of expected ?? [])
    if ((definitions.get(crc) ?? 0) < count)
      throw new BifractError(
        'DAMAGED',
        'The dump has other definitions than pg_dump gave before in the same snapshot',
      );
}
