import { readColumn } from './nested-columns.ts';
import { malformed, type Reader, unsupported } from './reader.ts';
import { type Column, FixedColumn, StringColumn } from './scalar-columns.ts';

const NO_VALUES = new StringColumn();

/** Column names in the order of the query; the optional ones follow. */
const COLUMNS = ['ts', 'raw', 'id', 'its'] as const;
const TIME_TYPE = /^DateTime64\(3(?:, '[\w/+-]+')?\)$/;

/** Rows of a block, positioned at the first. */
export interface Rows {
  count: number;
  ts: FixedColumn;
  raw: StringColumn;
  id: StringColumn;
  its: FixedColumn;
  /** These are undefined if not requested. */
  fields: Column | undefined;
  norm: StringColumn | undefined;
  cols: StringColumn | undefined;
}

/** Which optional columns a response has. */
export interface OptionalColumns {
  /** The parsed fields. */
  fields: boolean;
  /** The text that the server keeps of them. */
  norm?: boolean;
  /** Members of `cols` with other columns, each followed by a comma. */
  cols?: boolean;
}

/** Reads a complete block; undefined if it has no rows. Throws `DecodeError`. */
export function readBlock(reader: Reader, optional: OptionalColumns): Rows | undefined {
  const count = readRowCount(reader, optional);
  const [ts, raw, id, its] = COLUMNS.map((name) => column(reader, name, count));
  const fields = optional.fields ? column(reader, 'fields', count) : undefined;
  const norm = optional.norm ? stringColumn(reader, 'norm', count) : undefined;
  const cols = optional.cols ? stringColumn(reader, 'cols', count) : undefined;
  if (count === 0) return undefined;
  const times = ts instanceof FixedColumn && its instanceof FixedColumn;
  if (!times || !(raw instanceof StringColumn) || !(id instanceof StringColumn))
    throw unsupported('unexpected column types');
  return { count, ts, raw, id, its, fields, norm, cols };
}

/** Reads the part of a block header that is the same in all blocks. Throws `DecodeError`. */
export function readBlockStart(reader: Reader, optional: OptionalColumns): void {
  readRowCount(reader, optional);
  readName(reader, COLUMNS[0]);
}

function readRowCount(reader: Reader, { fields, norm = false, cols = false }: OptionalColumns): number {
  if (reader.varint() !== COLUMNS.length + Number(fields) + Number(norm) + Number(cols))
    throw malformed('unexpected number of columns');
  return reader.varint();
}

function readName(reader: Reader, name: string): void {
  if (reader.string().toString('latin1') !== name) throw malformed('unexpected column');
}

function stringColumn(reader: Reader, name: string, count: number): StringColumn {
  const found = column(reader, name, count);
  if (found instanceof StringColumn) return found;
  throw unsupported('unexpected column types');
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
