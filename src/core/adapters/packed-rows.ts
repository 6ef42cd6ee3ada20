import type { CallOptions } from '../ports/types.ts';
import type { PostgresPool } from './postgres.ts';
import { parserOf } from './postgres-types.ts';

/** A list of many rows. */
export interface PackedList<Row> {
  /** Expressions of its columns. */
  columns: readonly string[];
  /** From `FROM` on. */
  from: string;
  /** The row of these values, in the order of the columns, to be read with `text`, `number` and `time`. */
  row(values: readonly string[]): Row;
}

const BETWEEN = '\u001f';
const NULL = '\u001e';
const parseNumber = parserOf(20) as (text: string) => number;
const parseTime = parserOf(1114) as (text: string) => string;

/** A value as PostgreSQL writes it, taken for what the column is known to hold. */
export function text<Text extends string>(value: string | undefined): Text {
  return value as Text;
}

export function textOrNull(value: string | undefined): string | null {
  return value === NULL || value === undefined ? null : value;
}

export function number(value: string | undefined): number {
  return parseNumber(value as string);
}

export function time(value: string | undefined): string {
  return parseTime(value as string);
}

export function timeOrNull(value: string | undefined): string | null {
  return value === NULL ? null : parseTime(value as string);
}

/**
 * Asks for a list with each row in one value: the driver takes about as long over a value whether it is short or long, and
 * rows have twenty. Where some value holds the very character that stands between them, each comes by itself.
 */
export async function packedRows<Row>(
  pool: PostgresPool,
  { columns, from, row }: PackedList<Row>,
  values: unknown[],
  options?: CallOptions,
): Promise<Row[]> {
  const parts = columns.map((one) => `coalesce((${one})::text, E'\\x1e')`);
  const sql = `SELECT concat_ws(E'\\x1f', ${parts.join(', ')}) AS packed ${from}`;
  const packed = await pool.query<{ packed: string }>(sql, values, options);
  const split = packed.map((one) => one.packed.split(BETWEEN));
  if (split.every(({ length }) => length === columns.length)) return split.map(row);
  const list = parts.map((one, at) => `${one} AS c${at}`).join(', ');
  const plain = await pool.query<Record<string, string>>(`SELECT ${list} ${from}`, values, options);
  return plain.map((one) => row(Object.values(one)));
}
