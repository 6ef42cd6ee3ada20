import type { Column } from './column.ts';
import { malformed, type Reader, unknown } from './reader.ts';
import { FixedColumn, StringColumn } from './scalars.ts';
import { readColumn } from './types.ts';

const NO_VALUES = new StringColumn();

/** What is selected, by these names and in this order; the last one only where it is asked for. */
const COLUMNS = ['ts', 'raw', 'id', 'its', 'fields'] as const;
const TIME_TYPE = /^DateTime64\(3(?:, '[\w/+-]+')?\)$/;

/** A block's rows, none written yet. */
export interface Rows {
  count: number;
  ts: FixedColumn;
  raw: StringColumn;
  id: StringColumn;
  its: FixedColumn;
  /** Undefined where they were not asked for. */
  fields: Column | undefined;
}

/** Reads one whole block, undefined where it has no rows. Throws `NotRead`. */
export function readBlock(reader: Reader, withFields: boolean): Rows | undefined {
  const count = readCount(reader, withFields);
  const names = withFields ? COLUMNS : COLUMNS.slice(0, -1);
  const [ts, raw, id, its, fields] = names.map((name) => column(reader, name, count));
  if (count === 0) return undefined;
  const times = ts instanceof FixedColumn && its instanceof FixedColumn;
  if (!times || !(raw instanceof StringColumn) || !(id instanceof StringColumn))
    throw unknown('columns of other types');
  return { count, ts, raw, id, its, fields };
}

/** Reads how a block begins, as far as that is the same for all. Throws `NotRead`. */
export function readBeginning(reader: Reader, withFields: boolean): void {
  readCount(reader, withFields);
  readName(reader, COLUMNS[0]);
}

/** How many rows the block has. */
function readCount(reader: Reader, withFields: boolean): number {
  if (reader.varint() !== COLUMNS.length - (withFields ? 0 : 1)) throw malformed('another number of columns');
  return reader.varint();
}

function readName(reader: Reader, name: string): void {
  if (reader.string().toString('latin1') !== name) throw malformed('another column');
}

function column(reader: Reader, name: string, count: number): Column {
  readName(reader, name);
  const type = reader.string().toString('latin1');
  const time = name === 'ts' || name === 'its';
  if (time && !TIME_TYPE.test(type)) throw unknown('times of another precision');
  if (name === 'fields' && !type.startsWith('JSON')) throw unknown('fields of another type');
  // Without a row, nothing follows.
  if (count === 0) return NO_VALUES;
  const found = readColumn(type, reader);
  found.locate(reader, count);
  return found;
}
