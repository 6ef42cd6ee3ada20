import { readColumn } from './nested-columns.ts';
import { malformed, type Reader, unsupported } from './reader.ts';
import { type Column, FixedColumn, StringColumn } from './scalar-columns.ts';

const NO_VALUES = new StringColumn();

/** Column names in the order of the query; the last one is optional. */
const COLUMNS = ['ts', 'raw', 'id', 'its', 'fields'] as const;
const TIME_TYPE = /^DateTime64\(3(?:, '[\w/+-]+')?\)$/;

/** Rows of a block, positioned at the first. */
export interface Rows {
  count: number;
  ts: FixedColumn;
  raw: StringColumn;
  id: StringColumn;
  its: FixedColumn;
  /** Undefined if not requested. */
  fields: Column | undefined;
}

/** Reads a complete block; undefined if it has no rows. Throws `DecodeError`. */
export function readBlock(reader: Reader, withFields: boolean): Rows | undefined {
  const count = readRowCount(reader, withFields);
  const names = withFields ? COLUMNS : COLUMNS.slice(0, -1);
  const [ts, raw, id, its, fields] = names.map((name) => column(reader, name, count));
  if (count === 0) return undefined;
  const times = ts instanceof FixedColumn && its instanceof FixedColumn;
  if (!times || !(raw instanceof StringColumn) || !(id instanceof StringColumn))
    throw unsupported('unexpected column types');
  return { count, ts, raw, id, its, fields };
}

/** Reads the part of a block header that is the same in all blocks. Throws `DecodeError`. */
export function readBlockStart(reader: Reader, withFields: boolean): void {
  readRowCount(reader, withFields);
  readName(reader, COLUMNS[0]);
}

function readRowCount(reader: Reader, withFields: boolean): number {
  if (reader.varint() !== COLUMNS.length - (withFields ? 0 : 1))
    throw malformed('unexpected number of columns');
  return reader.varint();
}

function readName(reader: Reader, name: string): void {
  if (reader.string().toString('latin1') !== name) throw malformed('unexpected column');
}

function column(reader: Reader, name: string, count: number): Column {
  readName(reader, name);
  const type = reader.string().toString('latin1');
  const time = name === 'ts' || name === 'its';
  if (time && !TIME_TYPE.test(type)) throw unsupported('unexpected time precision');
  if (name === 'fields' && !type.startsWith('JSON')) throw unsupported('unexpected type of fields');
  // A block without rows ends here.
  if (count === 0) return NO_VALUES;
  const found = readColumn(type, reader);
  found.locate(reader, count);
  return found;
}
