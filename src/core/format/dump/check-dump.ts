import { BifractError } from '../../contract/errors.ts';
import { type DumpContents, DumpReader } from './dump-reader.ts';

/** A table and its row count, as the manifest of a backup has them. */
export interface ExpectedTable {
  schema: string;
  name: string;
  rows: number;
}

/**
 * Passes a dump on and proves, before it ends, that it is complete and has the expected rows: a data block for every
 * table, with as many rows as were counted in the same snapshot. So whatever reads it to its end without an error has a
 * complete dump; no seal is written for another.
 *
 * Throws `CUT_OFF`, `DAMAGED` or `UNSUPPORTED` as `DumpReader` does, and `COUNT_DIFFERS`. Without `expected` (files of
 * the server's own program) only the dump's own structure is checked. With `fresh`, a dump that this program has just
 * requested, every table must have rows that can be counted, and its definition: a single wrong byte in the header makes
 * a dump look compressed.
 */
export async function* checkDump(
  dump: AsyncIterable<Buffer>,
  expected: readonly ExpectedTable[] | undefined,
  { onChecked, fresh = false }: { onChecked?: (contents: DumpContents) => void; fresh?: boolean } = {},
): AsyncGenerator<Buffer> {
  const reader = new DumpReader();
  for await (const piece of dump) {
    reader.push(piece);
    yield piece;
  }
  const contents = reader.end();
  compareTables(contents, expected ?? [], fresh);
  onChecked?.(contents);
}

function compareTables({ tables }: DumpContents, expected: readonly ExpectedTable[], fresh: boolean): void {
  const dumped = new Map(tables.map((table) => [JSON.stringify([table.schema, table.name]), table]));
  for (const { schema, name, rows } of expected) {
    const table = dumped.get(JSON.stringify([schema, name]));
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
  }
}
