import { BifractError } from '../errors.ts';
import type { CountQuery, LogWindow, PeriodGrid, RowKey } from '../ports/log-database.ts';
import type { Timestamp } from '../ports/types.ts';
import type { LineShape } from './line-cutter.ts';

/** Rows from the key `start` on, and before the key `end`: all or none of those that share a key. */
export interface KeyRange {
  start?: RowKey;
  end?: RowKey;
}

/** A statement, and the parameters bound to it. */
export interface Query {
  sql: string;
  params: Record<string, unknown>;
}

/**
 * Limits that a profile of the server may set are lifted: some of them cut a result short without an error.
 * Shards that are down must be an error too.
 */
export const UNLIMITED = {
  limit: '0',
  offset: '0',
  max_result_rows: '0',
  max_result_bytes: '0',
  max_rows_to_read: '0',
  max_bytes_to_read: '0',
  max_execution_time: 0,
  skip_unavailable_shards: 0,
  cancel_http_readonly_queries_on_client_close: 1,
  http_write_exception_in_output_format: 0,
  wait_end_of_query: 0,
  date_time_output_format: 'iso',
  output_format_json_array_of_rows: 0,
  output_format_json_escape_forward_slashes: 0,
  output_format_json_quote_64bit_integers: 0,
  output_format_json_validate_utf8: 0,
} as const;

/** Only for rows with fields in Native format: JSON columns as paths and plain types. */
export const NATIVE = { output_format_native_use_flattened_dynamic_and_json_serialization: 1 } as const;

/** For a server that ran out of memory: one row after the other, so to say. */
export const FRUGAL = {
  max_threads: 1,
  max_block_size: '256',
  preferred_block_size_bytes: '262144',
  max_read_buffer_size: '65536',
} as const;

const LINE = `SELECT timestamp AS ts, raw_log AS raw, log_id AS id, fractal_id AS fid, ingest_timestamp AS its`;
const NATIVE_ROW = `SELECT timestamp AS ts, raw_log AS raw, log_id AS id, ingest_timestamp AS its`;
const ORDER = 'ORDER BY fractal_id, timestamp, log_id';

/**
 * The lines of a window in the order of the table's key, so that ClickHouse sorts nothing. The aliases make
 * the line.
 *
 * What ClickHouse's text of `fields` does not keep: values that ingest took for dates with a time come out as
 * ISO, numbers lose trailing zeros (`1.0` is `1`), a dot in a key becomes nesting, keys are sorted, nulls and
 * empty objects are gone (already when stored). Strings, integers up to 64 bits and arrays are exact.
 */
export function linesQuery(table: string, window: LogWindow, fields: boolean, keys: KeyRange = {}): Query {
  const { where, params } = bounds(window, keys);
  const columns = fields ? `${LINE}, fields` : LINE;
  return { sql: `${columns} FROM ${table} WHERE ${where} ${ORDER} FORMAT JSONEachRow`, params };
}

/** The same rows in the same order, as `nativeLines` reads them. */
export function nativeQuery(table: string, window: LogWindow, fields: boolean, keys: KeyRange = {}): Query {
  const { where, params } = bounds(window, keys);
  const columns = fields ? `${NATIVE_ROW}, fields` : NATIVE_ROW;
  return { sql: `${columns} FROM ${table} WHERE ${where} ${ORDER} FORMAT Native`, params };
}

/** Key of the row that so many others lie before; no row where there are not as many. */
export function keyQuery(table: string, window: LogWindow, keys: KeyRange, rows: number): Query {
  const { where, params } = bounds(window, keys);
  const key = 'toUnixTimestamp64Milli(timestamp) AS ms, lower(hex(log_id)) AS id';
  return {
    sql: `SELECT ${key} FROM ${table} WHERE ${where} ${ORDER} LIMIT 1 OFFSET {rows:UInt64} FORMAT JSONEachRow`,
    params: { ...params, rows },
  };
}

/** How the lines of that query begin and end. */
export function lineShape(fields: boolean): LineShape {
  return { prefix: Buffer.from('{"ts":"'), suffix: Buffer.from(fields ? '}}' : 'Z"}') };
}

/** Count and time range of a window, in one row. */
export function statsQuery(table: string, window: LogWindow): Query {
  const { where, params } = bounds(window);
  return { sql: `${statsOf('')} FROM ${table} WHERE ${where} FORMAT JSONEachRow`, params };
}

/** Count and time range of each period of a window, all in one row: cut off, it cannot pass for one of fewer periods. */
export function periodsQuery(table: string, window: LogWindow, grid: PeriodGrid): Query {
  const { where, params } = bounds(window);
  const each = `${statsOf(`${periodStart('timestamp')} AS start_ms, `)} FROM ${table} WHERE ${where} GROUP BY start_ms`;
  const lists = ['start_ms', 'rows', 'first', 'last'].map((name) => `groupArray(${name}) AS ${name}`);
  return {
    sql: `SELECT ${lists.join(', ')} FROM (${each}) FORMAT JSONEachRow`,
    params: { ...params, ...grid },
  };
}

/** Count and time range of each fractal, a row each. */
export function statsByFractalQuery(table: string): Query {
  return {
    sql: `${statsOf('fractal_id, ')} FROM ${table} GROUP BY fractal_id FORMAT JSONEachRow`,
    params: {},
  };
}

/** Beginning of the period of a grid, Unix time, ms. */
function periodStart(column: string): string {
  // A remainder is negative where the time is before 1970.
  const time = `toUnixTimestamp64Milli(${column}) + {shift_ms:Int64}`;
  return `${time} - ((${time}) % {length_ms:Int64} + {length_ms:Int64}) % {length_ms:Int64} - {shift_ms:Int64}`;
}

/** For the pieces of some hundred thousand archives; rows before the first piece get zeros, not nulls. */
export const COUNTS = { max_query_size: String(64 << 20), join_use_nulls: 0 } as const;

/** All rows came in later. */
const NEVER = -(2 ** 52);

/**
 * Rows of a fractal by period and by piece. Each row is joined to the last piece that begins before it. The pieces are
 * in the statement's text, digits and commas that are made here: parameters travel in the URL, which is bounded.
 */
export function countsQuery(table: string, { fractal_id, grid, pieces, doubt_ms }: CountQuery): Query {
  const [starts, untils] = [pieces.map(({ from }) => from), pieces.map(({ until }) => until ?? NEVER)];
  const time = 'toUnixTimestamp64Milli(r.timestamp)';
  const ingested = 'toUnixTimestamp64Milli(r.ingest_timestamp)';
  const late = `(p.number = 0 OR ${ingested} > p.until)`;
  const doubtful = `NOT ${late} AND ${ingested} > p.until - {doubt_ms:Int64}`;
  return {
    sql: `SELECT ${periodStart('r.timestamp')} AS period,
        toInt64(p.number) - 1 AS piece, count() AS rows, min(${time}) AS first,
        max(${time}) AS last, countIf(${late}) AS late,
        minIf(${time}, ${late}) AS first_late, countIf(${doubtful}) AS doubtful,
        minIf(${time}, ${doubtful}) AS first_doubtful
      FROM ${table} AS r ASOF LEFT JOIN (
        SELECT {fractal:String} AS fractal, fromUnixTimestamp64Milli(one.1) AS start, one.2 AS until, one.3 AS number
        FROM (SELECT arrayJoin(arrayZip(${list(starts)}, ${list(untils)}, arrayEnumerate(${list(starts)}))) AS one)
      ) AS p ON r.fractal_id = p.fractal AND r.timestamp >= p.start
      WHERE r.fractal_id = {fractal:String}
      GROUP BY period, piece ORDER BY period, piece FORMAT JSONEachRow`,
    params: { fractal: fractal_id, doubt_ms, ...grid },
  };
}

/** As one literal: a list of so many expressions would be refused. */
function list(numbers: readonly number[]): string {
  if (!numbers.every(Number.isSafeInteger)) throw new RangeError('Not whole numbers');
  return `arrayMap(x -> toInt64(x), splitByChar(',', '${(numbers.length > 0 ? numbers : [NEVER]).join(',')}'))`;
}

function statsOf(key: string): string {
  return `SELECT ${key}count() AS rows, min(timestamp) AS first, max(timestamp) AS last`;
}

/** The condition of a window, and from where in it. */
export function bounds(
  { fractal_id, from, to }: LogWindow,
  { start, end }: KeyRange = {},
): { where: string; params: Record<string, unknown> } {
  const terms = ['fractal_id = {fractal:String}'];
  const params: Record<string, unknown> = { fractal: fractal_id };
  if (from !== undefined) {
    terms.push('timestamp >= fromUnixTimestamp64Milli({from:Int64})');
    params.from = milliseconds(from);
  }
  if (to !== undefined) {
    terms.push('timestamp < fromUnixTimestamp64Milli({to:Int64})');
    params.to = milliseconds(to);
  }
  // Compared as a pair, ClickHouse would read the whole table.
  if (start) {
    const time = 'fromUnixTimestamp64Milli({start_ms:Int64})';
    terms.push(`timestamp >= ${time} AND (timestamp > ${time} OR log_id >= unhex({start_id:String}))`);
    Object.assign(params, { start_ms: start.ms, start_id: start.id });
  }
  if (end) {
    const time = 'fromUnixTimestamp64Milli({end_ms:Int64})';
    terms.push(`timestamp <= ${time} AND (timestamp < ${time} OR log_id < unhex({end_id:String}))`);
    Object.assign(params, { end_ms: end.ms, end_id: end.id });
  }
  return { where: terms.join(' AND '), params };
}

/** The first whole millisecond that is not before the time: the column holds no finer ones. */
function milliseconds(time: Timestamp): number {
  const [, whole = '', finer = ''] = /^(.*?\.\d{3})(\d*)Z$/.exec(time) ?? [time, time];
  const value = Date.parse(finer === '' ? time : `${whole}Z`);
  if (Number.isNaN(value)) throw new BifractError('USAGE', `Not a time: ${JSON.stringify(time)}`);
  return value + (/[1-9]/.test(finer) ? 1 : 0);
}
