import { BifractError } from '../../contract/errors.ts';
import { type OtherColumns, otherColumns, TEXT_OF_FIELDS } from '../../policy/log-columns.ts';
import { firstMillisecond } from '../../policy/row-range.ts';
import type { LogColumn, LogsShape } from '../../ports/installation-shape.ts';
import type { CountQuery, LogWindow, PeriodGrid, RowKey } from '../../ports/log-database.ts';
import type { Timestamp } from '../../ports/types.ts';
import { membersExpression, tupleExpression } from './columns.ts';
import type { LineShape } from './ndjson-splitter.ts';

/** Rows from key `start` (inclusive) to key `end` (exclusive). Rows with the same key are never split. */
export interface KeyRange {
  start?: RowKey;
  end?: RowKey;
}

/** A statement and its bound parameters. */
export interface Query {
  sql: string;
  params: Record<string, unknown>;
}

/**
 * Lifts limits that a settings profile may impose: some of them truncate a result without an error. Unavailable shards
 * must be an error as well.
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
  // In `cols`, null stands for a default.
  output_format_json_named_tuples_as_objects: 1,
  output_format_json_skip_null_value_in_named_tuples: 1,
} as const;

/** For Native format with fields: sends JSON columns as paths with plain types. */
export const NATIVE_SETTINGS = {
  output_format_native_use_flattened_dynamic_and_json_serialization: 1,
} as const;

/** For a server that ran out of memory. */
export const LOW_MEMORY = {
  max_threads: 1,
  max_block_size: '256',
  preferred_block_size_bytes: '262144',
  max_read_buffer_size: '65536',
} as const;

/** Where the lines of a query come from. */
export interface LineSource {
  /** Table to read. */
  logs: string;
  /** Table with the original lines, and whether to join it; undefined if they are in the logs. */
  raw: { table: string; joined: boolean } | undefined;
  /** Sort key within a fractal: ClickHouse need not sort if it is that of the table. */
  order: string;
  /** Whether to read the parsed fields. */
  fields: boolean;
  other: OtherColumns;
}

/** The source of lines on a server; without `joined`, lines whose original is in another table have none. */
export function lineSource(
  shape: LogsShape,
  { logs, allShards }: { logs: string; allShards(table: string): string },
  fields: boolean,
  joined = false,
): LineSource {
  const separate = shape.raw_from !== 'logs';
  const { norm_log, columns } = otherColumns(shape);
  // Without fields to compare it with, the text is only kept if there may be no original line.
  const text = columnsOf(shape, norm_log && !fields && separate ? [TEXT_OF_FIELDS] : []).map((column) => ({
    ...column,
    default_expression: '',
    default_kind: 'ALWAYS',
  }));
  return {
    logs,
    raw: separate ? { table: allShards('logs_raw'), joined } : undefined,
    order: shape.sorting_key.startsWith('fractal_id') ? 'fractal_id, timestamp, log_id' : 'timestamp, log_id',
    fields,
    other: { norm_log: norm_log && fields, columns: [...text, ...columns] },
  };
}

function columnsOf({ columns }: LogsShape, names: readonly string[]): LogColumn[] {
  return columns.filter(({ name }) => names.includes(name));
}

export function versionQuery(): Query {
  return { sql: 'SELECT version() AS version FORMAT JSONEachRow', params: {} };
}

/**
 * The lines of a window in primary key order, so that ClickHouse need not sort. The aliases are the keys of the line.
 *
 * `fields` is not preserved exactly: values that ingest parsed as date-times come out as ISO 8601, numbers lose trailing
 * zeros (`1.0` becomes `1`), a dot in a key becomes nesting, keys are sorted, nulls and empty objects are missing (already
 * when stored). Strings, integers up to 64 bits and arrays are exact.
 */
export function linesQuery(source: LineSource, window: LogWindow, keys: KeyRange = {}): Query {
  const cols = tupleExpression(source.other);
  const columns = ['log_id AS id', 'fractal_id AS fid', 'ingest_timestamp AS its'];
  if (source.fields) columns.push('fields');
  if (cols !== undefined) columns.push(`${cols} AS cols`);
  return rowsQuery(source, columns, window, keys, 'JSONEachRow');
}

/** The same rows in the same order, for `nativeLines`. */
export function nativeQuery(source: LineSource, window: LogWindow, keys: KeyRange = {}): Query {
  const members = membersExpression(source.other);
  const columns = ['log_id AS id', 'ingest_timestamp AS its'];
  if (source.fields) columns.push('fields');
  if (source.other.norm_log) columns.push(`${TEXT_OF_FIELDS} AS norm`);
  if (members !== undefined) columns.push(`${members} AS cols`);
  return rowsQuery(source, columns, window, keys, 'Native');
}

function rowsQuery(
  { logs, raw, order }: LineSource,
  columns: readonly string[],
  window: LogWindow,
  keys: KeyRange,
  format: string,
): Query {
  const { where, params } = windowCondition(window, keys);
  const select = (line: string) => `SELECT timestamp AS ts, ${line} AS raw, ${columns.join(', ')}`;
  const from = raw?.joined
    ? `${select('original.raw_log')} FROM (SELECT * FROM ${logs} WHERE ${where}) AS rows
      LEFT ANY JOIN (SELECT timestamp AS at, log_id AS of, raw_log FROM ${raw.table} WHERE ${where}) AS original
        ON rows.timestamp = original.at AND rows.log_id = original.of`
    : `${select(raw ? "''" : 'raw_log')} FROM ${logs} WHERE ${where}`;
  return { sql: `${from} ORDER BY ${order} FORMAT ${format}`, params };
}

/** Time of the first row of a window; zero rows if there are none. */
export function firstQuery(table: string, window: LogWindow): Query {
  const { where, params } = windowCondition(window);
  return {
    sql: `SELECT count() AS rows, toUnixTimestamp64Milli(min(timestamp)) AS ms FROM ${table} WHERE ${where} FORMAT JSONEachRow`,
    params,
  };
}

/** Key of the row at offset `rows`; no result if there are fewer rows. */
export function keyQuery(
  { logs, order }: LineSource,
  window: LogWindow,
  keys: KeyRange,
  rows: number,
): Query {
  const { where, params } = windowCondition(window, keys);
  const key = 'toUnixTimestamp64Milli(timestamp) AS ms, lower(hex(log_id)) AS id';
  return {
    sql: `SELECT ${key} FROM ${logs} WHERE ${where} ORDER BY ${order} LIMIT 1 OFFSET {rows:UInt64} FORMAT JSONEachRow`,
    params: { ...params, rows },
  };
}

/** Times of every `every`-th row of a window, at most `count` of them. */
export function bordersQuery(
  { logs, order }: LineSource,
  window: LogWindow,
  every: number,
  count: number,
): Query {
  const { where, params } = windowCondition(window);
  const times = `SELECT toUnixTimestamp64Milli(timestamp) AS ms FROM ${logs} WHERE ${where}
      ORDER BY ${order.replace(', log_id', '')} LIMIT {limit:UInt64}`;
  return {
    sql: `SELECT ms FROM (${times}) WHERE rowNumberInAllBlocks() % {every:UInt64} = {every:UInt64} - 1 ORDER BY ms FORMAT JSONEachRow`,
    params: { ...params, every, limit: every * count },
  };
}

/** How each line of `linesQuery` starts and ends. */
export function lineShape({ fields, other }: LineSource): LineShape {
  const objectLast = fields || other.norm_log || other.columns.length > 0;
  return { prefix: Buffer.from('{"ts":"'), suffix: Buffer.from(objectLast ? '}}' : 'Z"}') };
}

/** Row count and time range of a window, in one row. */
export function statsQuery(table: string, window: LogWindow): Query {
  const { where, params } = windowCondition(window);
  return { sql: `${statsOf('')} FROM ${table} WHERE ${where} FORMAT JSONEachRow`, params };
}

/** Row count and time range of each period, all in one row, so that a truncated response cannot pass for fewer periods. */
export function periodsQuery(table: string, window: LogWindow, grid: PeriodGrid): Query {
  const { where, params } = windowCondition(window);
  const each = `${statsOf(`${periodStart('timestamp')} AS start_ms, `)} FROM ${table} WHERE ${where} GROUP BY start_ms`;
  const lists = ['start_ms', 'rows', 'first', 'last'].map((name) => `groupArray(${name}) AS ${name}`);
  return {
    sql: `SELECT ${lists.join(', ')} FROM (${each}) FORMAT JSONEachRow`,
    params: { ...params, ...grid },
  };
}

/** Row count and time range of each fractal, one row per fractal. */
export function statsByFractalQuery(table: string): Query {
  return {
    sql: `${statsOf('fractal_id, ')} FROM ${table} GROUP BY fractal_id FORMAT JSONEachRow`,
    params: {},
  };
}

/** Start of the period that a time is in, Unix time, ms. */
function periodStart(column: string): string {
  // The remainder is negative for times before 1970.
  const time = `toUnixTimestamp64Milli(${column}) + {shift_ms:Int64}`;
  return `${time} - ((${time}) % {length_ms:Int64} + {length_ms:Int64}) % {length_ms:Int64} - {shift_ms:Int64}`;
}

/** Allows the spans of some hundred thousand archives. Rows before the first span get zeros, not nulls. */
export const COUNT_SETTINGS = { max_query_size: String(64 << 20), join_use_nulls: 0 } as const;

/** Earlier than every ingest time. */
const NEVER = -(2 ** 52);

/**
 * Rows of a fractal by period and span. Each row is joined to the last span that starts at or before it. The spans are
 * part of the statement text (digits and commas only), because parameters go into the URL, whose length is limited.
 */
export function countsQuery(table: string, { fractal_id, grid, spans, doubt_ms }: CountQuery): Query {
  const [starts, untils] = [spans.map(({ from }) => from), spans.map(({ until }) => until ?? NEVER)];
  const time = 'toUnixTimestamp64Milli(r.timestamp)';
  const ingested = 'toUnixTimestamp64Milli(r.ingest_timestamp)';
  const late = `(p.number = 0 OR ${ingested} > p.until)`;
  const doubtful = `NOT ${late} AND ${ingested} > p.until - {doubt_ms:Int64}`;
  return {
    sql: `SELECT ${periodStart('r.timestamp')} AS period,
        toInt64(p.number) - 1 AS span, count() AS rows, min(${time}) AS first,
        max(${time}) AS last, countIf(${late}) AS late,
        minIf(${time}, ${late}) AS first_late, countIf(${doubtful}) AS doubtful,
        minIf(${time}, ${doubtful}) AS first_doubtful
      FROM ${table} AS r ASOF LEFT JOIN (
        SELECT {fractal:String} AS fractal, fromUnixTimestamp64Milli(one.1) AS start, one.2 AS until, one.3 AS number
        FROM (SELECT arrayJoin(arrayZip(${numberList(starts)}, ${numberList(untils)}, arrayEnumerate(${numberList(starts)}))) AS one)
      ) AS p ON r.fractal_id = p.fractal AND r.timestamp >= p.start
      WHERE r.fractal_id = {fractal:String}
      GROUP BY period, span ORDER BY period, span FORMAT JSONEachRow`,
    params: { fractal: fractal_id, doubt_ms, ...grid },
  };
}

/** As one literal: ClickHouse limits the number of expressions. */
function numberList(numbers: readonly number[]): string {
  if (!numbers.every(Number.isSafeInteger)) throw new RangeError('Not safe integers');
  return `arrayMap(x -> toInt64(x), splitByChar(',', '${(numbers.length > 0 ? numbers : [NEVER]).join(',')}'))`;
}

function statsOf(key: string): string {
  return `SELECT ${key}count() AS rows, min(timestamp) AS first, max(timestamp) AS last`;
}

/** WHERE condition for a window and a key range. */
export function windowCondition(
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
  // A tuple comparison would read the entire table.
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

/** The resolution of the column. */
function milliseconds(time: Timestamp): number {
  const value = firstMillisecond(time);
  if (Number.isNaN(value)) throw new BifractError('USAGE', `Invalid time: ${JSON.stringify(time)}`);
  return value;
}
