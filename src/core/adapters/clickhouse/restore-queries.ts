import { LINE_COLUMNS, ordinaryColumns, TEXT_OF_FIELDS } from '../../policy/log-columns.ts';
import type { LogColumn, LogsShape } from '../../ports/installation-shape.ts';
import type { LogWindow } from '../../ports/log-database.ts';
import type { DigestQuery, StagedRows } from '../../ports/log-restore.ts';
import type { Timestamp } from '../../ports/types.ts';
import { type Dialect, INSERT_ALL, SINGLE_SERVER } from './cluster.ts';
import { inputType, inputValue, quoteName, quoteString } from './columns.ts';
import type { LoadFormat } from './load-streams.ts';
import { type Query, windowCondition } from './queries.ts';

/** Rows of a time range; if a minute has too many rows, one of several hash buckets of them. */
interface Slice {
  from_ms: number;
  /** Exclusive. */
  to_ms: number;
  bucket: number;
  buckets: number;
}

/** Local table that the logs are written to; reads may use the distributed table. */
const LOGS = 'logs';

/** Settings for loading lines. All are explicit because defaults differ between versions. Dates in fields stay text. */
export const LOAD_SETTINGS = {
  date_time_input_format: 'best_effort',
  async_insert: 0,
  input_format_parallel_parsing: 0,
  input_format_skip_unknown_fields: 1,
  input_format_allow_errors_num: '0',
  input_format_allow_errors_ratio: 0,
  input_format_null_as_default: 1,
  input_format_try_infer_dates: 0,
  input_format_try_infer_datetimes: 0,
  input_format_json_try_infer_numbers_from_strings: 0,
  max_insert_block_size: '65536',
  min_insert_block_size_rows: '65536',
  min_insert_block_size_bytes: '33554432',
  ...INSERT_ALL,
  // As the server makes the text of fields.
  output_format_json_escape_forward_slashes: 1,
  output_format_json_quote_64bit_integers: 0,
  date_time_output_format: 'simple',
} as const;

/** Blocks need less memory than text: with larger ones there are fewer parts, and fewer merges. */
export const BLOCK_SETTINGS = {
  min_insert_block_size_rows: '262144',
  min_insert_block_size_bytes: '134217728',
} as const;

/** Selects the slower of ClickHouse's two JSON parsers, which accepts invalid UTF-8. */
export const LENIENT_SETTINGS = { allow_simdjson: 0 } as const;

/** Limit for one comparison, which keeps the keys of its rows in memory. */
const MAX_SLICE_ROWS = 2_000_000;
const MINUTE_MS = 60_000;

/** Columns to copy from one table to the other: all ordinary ones. */
function columnList(shape: LogsShape): string {
  return ordinaryColumns(shape)
    .map(({ name }) => quoteName(name))
    .join(', ');
}

/**
 * What makes a row: two rows are the same if these are equal. The original line only counts if the server keeps it
 * forever; the log id is made of it.
 */
function identity(shape: LogsShape): string {
  return keepsLines(shape)
    ? 'timestamp, log_id, raw_log, ingest_timestamp'
    : 'timestamp, log_id, ingest_timestamp';
}

export function keepsLines({ columns }: LogsShape): boolean {
  const has = (column: string) => columns.some(({ name }) => name === column);
  return has('raw_log') && !has(TEXT_OF_FIELDS);
}

/** Types of the columns that make a row, as they are digested. */
const DIGESTED = new Map([
  ['timestamp', /^DateTime64\(3(?:, '[^']*')?\)$/],
  ['ingest_timestamp', /^DateTime64\(3(?:, '[^']*')?\)$/],
  ['log_id', /^String$/],
  ['raw_log', /^String$/],
]);

export function canDigest({ columns }: LogsShape): boolean {
  return columns.every(({ name, type }) => DIGESTED.get(name)?.test(type) ?? true);
}

/** See `LogRestore.digests`. The sum of 128-bit numbers overflows as it should. */
export function digestsQuery(
  { fractal_id, from_ms, to_ms, bucket_ms, salt }: DigestQuery,
  schema: LogsShape,
  { logs }: Dialect,
): Query {
  const { where, params } = inRange(fractal_id, from_ms, to_ms);
  const bytes = (number: string) => `reinterpretAsFixedString(${number})`;
  const parts = [
    'unhex({salt:String})',
    bytes('toUnixTimestamp64Milli(timestamp)'),
    bytes('toUnixTimestamp64Milli(ingest_timestamp)'),
    bytes('toUInt32(length(log_id))'),
    'log_id',
    ...(keepsLines(schema) ? ['raw_log'] : []),
  ];
  return {
    sql: `SELECT toInt64(floor(toUnixTimestamp64Milli(timestamp) / {bucket_ms:Int64})) AS bucket, count() AS rows,
        toString(sumWithOverflow(reinterpretAsUInt128(substring(SHA256(concat(${parts.join(', ')})), 1, 16)))) AS hash
      FROM ${logs} WHERE ${where} GROUP BY bucket FORMAT JSONEachRow`,
    params: { ...params, bucket_ms, salt: Buffer.from(salt).toString('hex') },
  };
}

function rowKey(shape: LogsShape): string {
  return `sipHash128(${identity(shape)})`;
}

/** A table that differs from the logs only in engine options, so that partitions can be attached to the logs. */
export function createQuery(
  table: string,
  schema: LogsShape,
  { onCluster, cluster, inserts }: Dialect,
): Query {
  const key = (expression: string) => (expression === '' ? 'tuple()' : `(${expression})`);
  const primary = schema.primary_key === schema.sorting_key ? '' : ` PRIMARY KEY ${key(schema.primary_key)}`;
  // ClickHouse compares the expression as text: no added parentheses.
  const partition = schema.partition_key === '' ? '' : `PARTITION BY ${schema.partition_key}`;
  // The cloud has one storage, and tables cannot choose.
  const cloud = inserts && cluster === undefined;
  const policy = cloud ? '' : ` SETTINGS storage_policy = ${quoteString(schema.storage_policy)}`;
  return {
    sql: `CREATE TABLE ${table}${onCluster} AS ${LOGS} ENGINE = MergeTree ${partition}
      ORDER BY ${key(schema.sorting_key)}${primary}${policy}`,
    params: {},
  };
}

/** Lines are the request body, as text or encoded. Columns that a line has no value for get their defaults. */
export function loadQuery(
  table: string,
  fractal_id: string,
  shape: LogsShape,
  format: LoadFormat = 'JSONEachRow',
): Query {
  const source = `input(${quoteString(inputStructure(shape))})`;
  return {
    sql: `INSERT INTO ${table} (${columnList(shape)}) SELECT ${valueList(shape, inputValue)} FROM (${rowsOf(source, shape)}) FORMAT ${format}`,
    params: { fractal: fractal_id },
  };
}

/** How the server reads lines in this format: the values of all columns, and the types of the fields. */
export function readsQuery(body: Buffer, shape: LogsShape, format: LoadFormat): Query {
  const source = `format(${format}, ${quoteString(inputStructure(shape))}, unhex('${body.toString('hex')}'))`;
  // Defaults may be different each time, except the text of the fields, which may be in the lines.
  const given = ({ name }: LogColumn) => `tupleElement(cols, ${quoteString(name)})`;
  const values = valueList(shape, (column) =>
    column.name === TEXT_OF_FIELDS ? inputValue(column) : given(column),
  );
  return {
    sql: `SELECT groupArray(toString(tuple(${values}))) AS rows, groupArray(toString(JSONAllPathsWithTypes(fields))) AS types
      FROM (${rowsOf(source, shape)}) FORMAT JSONEachRow`,
    params: { fractal: '' },
  };
}

/** The rows of the input, by the names of their columns, because defaults refer to other columns. */
function rowsOf(source: string, shape: LogsShape): string {
  const others = ordinaryColumns(shape).some(({ name }) => !LINE_COLUMNS.has(name));
  return `SELECT ts AS timestamp, if(raw64 = '', raw, base64Decode(raw64)) AS raw_log, id AS log_id, fields,
        {fractal:String} AS fractal_id, its AS ingest_timestamp${others ? ', cols' : ''}
      FROM ${source}`;
}

function valueList(shape: LogsShape, expressionOf: (column: LogColumn) => string): string {
  const values = ordinaryColumns(shape).map((column) =>
    LINE_COLUMNS.has(column.name) ? quoteName(column.name) : expressionOf(column),
  );
  return values.join(', ');
}

/** Members of a line that are loaded. */
function inputStructure(shape: LogsShape): string {
  const columns = ordinaryColumns(shape);
  const others = columns.filter(({ name }) => !LINE_COLUMNS.has(name));
  const cols = others.map((column) => `${quoteName(column.name)} ${inputType(column)}`).join(', ');
  return [
    `ts DateTime64(3, 'UTC'), raw String, raw64 String, id String, its DateTime64(3, 'UTC')`,
    `fields ${columns.find(({ name }) => name === 'fields')?.type}`,
    ...(others.length > 0 ? [`cols Tuple(${cols})`] : []),
  ].join(', ');
}

export function countQuery(table: string, { allShards }: Dialect): Query {
  return { sql: `SELECT count() AS rows FROM ${allShards(table)} FORMAT JSONEachRow`, params: {} };
}

export function partitionsQuery(table: string, schema: LogsShape, dialect: Dialect): Query {
  return {
    sql: `SELECT ${partitionId(schema, dialect)} AS id, count() AS rows, min(timestamp) AS first, max(timestamp) AS last
      FROM ${dialect.allShards(table)} GROUP BY id ORDER BY id FORMAT JSONEachRow`,
    params: {},
  };
}

/** ID of a row's partition: the virtual column `_partition_id` is not available from other nodes. */
function partitionId({ partition_key }: LogsShape, { cluster }: Dialect): string {
  if (cluster === undefined) return '_partition_id';
  return partition_key === '' ? "'all'" : `partitionId(${partition_key})`;
}

const MINUTE = `toInt64(floor(toUnixTimestamp64Milli(timestamp) / ${MINUTE_MS}))`;

/** See `LogRestore.overlapping`. */
export function overlappingQuery(
  { table, first, last, fractal_id }: StagedRows,
  schema: LogsShape,
  dialect: Dialect,
): Query {
  const { where, params } = inRange(fractal_id, minuteOf(first), minuteOf(last) + MINUTE_MS);
  return {
    sql: `SELECT DISTINCT ${partitionId(schema, dialect)} AS id FROM ${dialect.allShards(table)}
      WHERE ${MINUTE} ${dialect.global}IN (SELECT ${MINUTE} FROM ${dialect.logs} WHERE ${where})
      ORDER BY id FORMAT JSONEachRow`,
    params,
  };
}

/** Start of the minute of a time, Unix ms. */
function minuteOf(time: Timestamp): number {
  return Math.floor(Date.parse(time) / MINUTE_MS) * MINUTE_MS;
}

/** Rows per minute that has staged rows, of both sides of a comparison together. */
export function minutesQuery({ table, first, last, fractal_id }: StagedRows, dialect: Dialect): Query {
  const { where, params } = inRange(fractal_id, Date.parse(first), Date.parse(last) + 1);
  return {
    sql: `SELECT minute, count() AS rows FROM (
        SELECT ${MINUTE} AS minute, 1 AS staged FROM ${dialect.allShards(table)}
        UNION ALL SELECT ${MINUTE} AS minute, 0 AS staged FROM ${dialect.logs} WHERE ${where})
      GROUP BY minute HAVING sum(staged) > 0 ORDER BY minute FORMAT JSONEachRow`,
    params,
  };
}

/** The rows of the logs that staged ones may be equal to. Reads those of other minutes only by their time. */
function comparable(table: string, where: string, dialect: Dialect): string {
  return `${dialect.logs} WHERE ${where}
      AND ${MINUTE} ${dialect.global}IN (SELECT ${MINUTE} FROM ${dialect.allShards(table)} WHERE ${where})`;
}

/** Inserts the rows that the logs do not have at all. */
export function insertAbsentQuery(
  rows: StagedRows,
  slice: Slice,
  to: string,
  schema: LogsShape,
  dialect: Dialect,
): Query {
  const { where, params } = inSlice(schema, rows.fractal_id, slice);
  return {
    sql: `INSERT INTO ${to} (${columnList(schema)}) SELECT ${columnList(schema)} FROM ${dialect.allShards(rows.table)}
      WHERE ${where} AND ${rowKey(schema)} ${dialect.global}NOT IN (SELECT ${rowKey(schema)} FROM ${comparable(rows.table, where, dialect)})`,
    params,
  };
}

/** Counts the distinct rows that the logs have, but fewer times. */
export function countExcessQuery(rows: StagedRows, slice: Slice, schema: LogsShape, dialect: Dialect): Query {
  const { where, params } = inSlice(schema, rows.fractal_id, slice);
  return {
    sql: `SELECT count() AS rows FROM (${excessKeys(rows.table, where, schema, dialect)}) FORMAT JSONEachRow`,
    params,
  };
}

/** Inserts the excess copies of these rows. */
export function insertExcessQuery(
  rows: StagedRows,
  slice: Slice,
  to: string,
  schema: LogsShape,
  dialect: Dialect,
): Query {
  const { where, params } = inSlice(schema, rows.fractal_id, slice);
  return {
    sql: `INSERT INTO ${to} (${columnList(schema)}) SELECT ${columnList(schema)} FROM (
        SELECT ${columnList(schema)}, key, row_number() OVER (PARTITION BY key ORDER BY log_id) AS nth FROM (
          SELECT ${columnList(schema)}, ${rowKey(schema)} AS key FROM ${dialect.allShards(rows.table)}
          WHERE ${where} AND key ${dialect.global}IN (${excessKeys(rows.table, where, schema, dialect)}))) AS staged
      INNER JOIN (SELECT ${rowKey(schema)} AS key, count() AS existing FROM ${comparable(rows.table, where, dialect)} GROUP BY key) AS present
        USING (key)
      WHERE nth > existing`,
    params,
  };
}

function excessKeys(table: string, where: string, schema: LogsShape, dialect: Dialect): string {
  return `SELECT key FROM (
      SELECT ${rowKey(schema)} AS key, 1 AS staged, 0 AS present FROM ${dialect.allShards(table)}
      WHERE ${where}
      UNION ALL SELECT ${rowKey(schema)} AS key, 0 AS staged, 1 AS present FROM ${comparable(table, where, dialect)})
    GROUP BY key HAVING sum(present) > 0 AND sum(staged) > sum(present)`;
}

/** `ATTACH PARTITION` takes no bound parameters, so the partition IDs are validated. */
export function clonePartitionsQuery(
  from: string,
  to: string,
  ids: readonly string[],
  { onCluster }: Dialect,
): Query {
  const invalid = ids.find((id) => !/^[\w-]+$/.test(id));
  if (invalid !== undefined) throw new RangeError(`Invalid partition ID: ${invalid}`);
  const commands = ids.map((id) => `ATTACH PARTITION ID '${id}' FROM ${from}`);
  return { sql: `ALTER TABLE ${to}${onCluster} ${commands.join(', ')}`, params: {} };
}

/** Rows per minute of partitions. */
export function stagedMinutesQuery(
  from: string,
  ids: readonly string[],
  schema: LogsShape,
  dialect: Dialect,
): Query {
  return {
    sql: `SELECT ${MINUTE} AS minute, count() AS rows
      FROM ${dialect.allShards(from)} WHERE ${partitionId(schema, dialect)} IN {ids:Array(String)}
      GROUP BY minute ORDER BY minute FORMAT JSONEachRow`,
    params: { ids },
  };
}

/**
 * Adds the rows of a slice of partitions to the logs, where partitions cannot be attached. On a cluster each row goes to its
 * shard. May have added some rows when it fails.
 */
export function insertSliceQuery(
  from: string,
  ids: readonly string[],
  slice: Slice,
  schema: LogsShape,
  dialect: Dialect,
): Query {
  const { where, params } = sliceCondition(schema, slice);
  return {
    sql: `INSERT INTO ${dialect.logs} (${columnList(schema)}) SELECT ${columnList(schema)} FROM ${dialect.allShards(from)}
      WHERE ${partitionId(schema, dialect)} IN {ids:Array(String)} AND ${where}`,
    params: { ids, ...params },
  };
}

/** Adds partitions to the logs, each in one step. */
export function attachQuery(from: string, ids: readonly string[]): Query {
  return clonePartitionsQuery(from, LOGS, ids, SINGLE_SERVER);
}

/** Bounded by ingest time, so that rows ingested during the restore are kept. */
export function countUntilQuery(window: LogWindow, cutoff_ms: number, { logs }: Dialect): Query {
  const { where, params } = until(window, cutoff_ms);
  return { sql: `SELECT count() AS rows FROM ${logs} WHERE ${where} FORMAT JSONEachRow`, params };
}

export function removeUntilQuery(window: LogWindow, cutoff_ms: number, { onCluster }: Dialect): Query {
  const { where, params } = until(window, cutoff_ms);
  return { sql: `DELETE FROM ${LOGS}${onCluster} WHERE ${where}`, params };
}

function until(window: LogWindow, cutoff_ms: number) {
  const { where, params } = windowCondition(window);
  return {
    where: `${where} AND ingest_timestamp <= fromUnixTimestamp64Milli({cutoff:Int64})`,
    params: { ...params, cutoff: cutoff_ms },
  };
}

/** Rows per fractal and minute, which a view counts as they are inserted. Attached and deleted rows are not counted. */
export const COUNTS_TABLE = 'logs_histogram';

/** Removes the counts of minutes that have more than there are rows: counts can only be added to. */
export function removeExcessCountsQuery(window: LogWindow): Query {
  const { sql, params } = differentCounts(window);
  return {
    sql: `DELETE FROM ${COUNTS_TABLE} WHERE fractal_id = {fractal:String}
      AND minute IN (SELECT minute FROM (${sql}) WHERE counted > existing)`,
    params,
  };
}

export function addMissingCountsQuery(window: LogWindow): Query {
  const { sql, params } = differentCounts(window);
  return {
    sql: `INSERT INTO ${COUNTS_TABLE} (fractal_id, minute, cnt)
      SELECT {fractal:String}, minute, existing - counted FROM (${sql}) WHERE existing > counted`,
    params,
  };
}

/** Minutes of a window, and their rows in the logs and in the table of counts, if they differ. */
function differentCounts({ fractal_id, from, to }: LogWindow): Query {
  const start = from === undefined ? undefined : Math.floor(Date.parse(from) / MINUTE_MS) * MINUTE_MS;
  const end = to === undefined ? undefined : Math.ceil(Date.parse(to) / MINUTE_MS) * MINUTE_MS;
  const between = (time: string) =>
    [
      'fractal_id = {fractal:String}',
      ...(start === undefined ? [] : [`${time} >= fromUnixTimestamp64Milli({from_ms:Int64})`]),
      ...(end === undefined ? [] : [`${time} < fromUnixTimestamp64Milli({to_ms:Int64})`]),
    ].join(' AND ');
  return {
    sql: `SELECT minute, sum(rows) AS existing, sum(counts) AS counted FROM (
        SELECT toStartOfMinute(timestamp) AS minute, count() AS rows, 0 AS counts FROM ${LOGS}
          WHERE ${between('timestamp')} GROUP BY minute
        UNION ALL SELECT minute, 0 AS rows, sum(cnt) AS counts FROM ${COUNTS_TABLE}
          WHERE ${between('minute')} GROUP BY minute)
      GROUP BY minute HAVING existing != counted`,
    params: {
      fractal: fractal_id,
      ...(start !== undefined && { from_ms: start }),
      ...(end !== undefined && { to_ms: end }),
    },
  };
}

export function tablesQuery(prefix: string, { allNodes }: Dialect): Query {
  return {
    sql: `SELECT DISTINCT name FROM ${allNodes('system.tables')} WHERE database = currentDatabase() AND startsWith(name, {prefix:String})
      ORDER BY name FORMAT JSONEachRow`,
    params: { prefix },
  };
}

export function dropQuery(table: string, { onCluster }: Dialect): Query {
  return { sql: `DROP TABLE IF EXISTS ${table}${onCluster} SYNC`, params: {} };
}

export function clockQuery(): Query {
  return { sql: 'SELECT toUnixTimestamp64Milli(now64(3)) AS ms FORMAT JSONEachRow', params: {} };
}

/** Free space of the disks in the storage policy of the logs. */
export function freeQuery(schema: LogsShape): Query {
  return {
    sql: `SELECT sum(free_space) AS bytes FROM system.disks WHERE name IN (
        SELECT arrayJoin(disks) FROM system.storage_policies WHERE policy_name = {policy:String}) FORMAT JSONEachRow`,
    params: { policy: schema.storage_policy },
  };
}

/**
 * Divides a comparison into slices of full minutes with at most `max_rows` rows each. `minutes` must be sorted (minutes
 * since the Unix epoch).
 */
export function slicesOf(minutes: { minute: number; rows: number }[], max_rows = MAX_SLICE_ROWS): Slice[] {
  const slices: Slice[] = [];
  let slice_rows = 0;
  for (const { minute, rows } of minutes) {
    const [from_ms, to_ms] = [minute * MINUTE_MS, (minute + 1) * MINUTE_MS];
    const last = slices.at(-1);
    if (last && last.buckets === 1 && slice_rows + rows <= max_rows) {
      last.to_ms = to_ms;
      slice_rows += rows;
      continue;
    }
    const buckets = Math.ceil(rows / max_rows);
    for (let bucket = 0; bucket < buckets; bucket++) slices.push({ from_ms, to_ms, bucket, buckets });
    slice_rows = rows;
  }
  return slices;
}

function inSlice(shape: LogsShape, fractal_id: string, slice: Slice) {
  const { where, params } = sliceCondition(shape, slice);
  return {
    where: `fractal_id = {fractal:String} AND ${where}`,
    params: { fractal: fractal_id, ...params } as Record<string, unknown>,
  };
}

function sliceCondition(shape: LogsShape, { from_ms, to_ms, bucket, buckets }: Slice) {
  const { where, params } = between(from_ms, to_ms);
  if (buckets === 1) return { where, params };
  return {
    where: `${where} AND cityHash64(${identity(shape)}) % {buckets:UInt64} = {bucket:UInt64}`,
    params: { ...params, bucket, buckets },
  };
}

function inRange(fractal_id: string, from_ms: number, to_ms: number) {
  const { where, params } = between(from_ms, to_ms);
  return {
    where: `fractal_id = {fractal:String} AND ${where}`,
    params: { fractal: fractal_id, ...params } as Record<string, unknown>,
  };
}

function between(from_ms: number, to_ms: number) {
  return {
    where: `timestamp >= fromUnixTimestamp64Milli({from_ms:Int64})
      AND timestamp < fromUnixTimestamp64Milli({to_ms:Int64})`,
    params: { from_ms, to_ms } as Record<string, unknown>,
  };
}
