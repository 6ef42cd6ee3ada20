import type { LogWindow } from '../ports/log-database.ts';
import type { StagedPart } from '../ports/log-restore.ts';
import { ALONE, type Forms } from './clickhouse-cluster.ts';
import { bounds, type Query } from './clickhouse-query.ts';

/** The table of the logs as restored rows have to fit into it. */
export interface LogsShape {
  partition_key: string;
  sorting_key: string;
  primary_key: string;
  storage_policy: string;
  /** Type of the column `fields`. */
  fields: string;
  /** `MergeTree`, `ReplicatedMergeTree`, … */
  engine: string;
}

/** A stretch of time, and where even that holds too many rows, one of so many shares of them by hash. */
export interface Slice {
  from_ms: number;
  /** Not included. */
  to_ms: number;
  share: number;
  shares: number;
}

/** Where the logs are written, as against where they are read from. */
export const LOGS = 'logs';

/** What lines are read with. Each matters: defaults differ between versions. Dates in fields stay the text that they are. */
export const LOADING = {
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
  max_partitions_per_insert_block: 0,
} as const;

/** The slower of ClickHouse's two readers of JSON, which takes text that is no UTF-8 as it is. */
export const LENIENT = { allow_simdjson: 0 } as const;

/** Rows of one comparison: what it holds of them in memory is their keys. */
export const ROWS_AT_ONCE = 2_000_000;
export const MINUTE_MS = 60_000;

const COLUMNS = 'timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp';
const ROW = 'timestamp, log_id, raw_log, ingest_timestamp';
const KEY = `sipHash128(${ROW})`;

export function shapeQuery(): Query {
  return {
    sql: `SELECT t.partition_key, t.sorting_key, t.primary_key, t.storage_policy, t.engine, c.type AS fields
      FROM system.tables AS t INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
      WHERE t.database = currentDatabase() AND t.name = '${LOGS}' AND c.name = 'fields' FORMAT JSONEachRow`,
    params: {},
  };
}

/** A table that differs from the logs in its engine's options only: partitions can go from the one to the other. */
export function createQuery(table: string, shape: LogsShape, { on }: Forms = ALONE): Query {
  const key = (expression: string) => (expression === '' ? 'tuple()' : `(${expression})`);
  const primary = shape.primary_key === shape.sorting_key ? '' : ` PRIMARY KEY ${key(shape.primary_key)}`;
  // Compared as text: parentheses would make it another one.
  const partition = shape.partition_key === '' ? '' : `PARTITION BY ${shape.partition_key}`;
  const policy = shape.storage_policy.replace(/[\\']/g, '\\$&');
  return {
    sql: `CREATE TABLE ${table}${on} AS ${LOGS} ENGINE = MergeTree ${partition}
      ORDER BY ${key(shape.sorting_key)}${primary} SETTINGS storage_policy = '${policy}'`,
    params: {},
  };
}

/** Lines come as the body; a line without time of ingest, as none of ours is, gets its own time. */
export function loadQuery(table: string, fractal_id: string, shape: LogsShape): Query {
  const type = shape.fields.replace(/[\\']/g, '\\$&');
  return {
    sql: `INSERT INTO ${table} (${COLUMNS})
      SELECT ts, if(raw64 = '', raw, base64Decode(raw64)), id, fields, {fractal:String}, its
      FROM input('ts DateTime64(3, \\'UTC\\'), raw String, raw64 String, id String, its DateTime64(3, \\'UTC\\'), fields ${type}')
      FORMAT JSONEachRow`,
    params: { fractal: fractal_id },
  };
}

export function countQuery(table: string, { all }: Forms = ALONE): Query {
  return { sql: `SELECT count() AS rows FROM ${all(table)} FORMAT JSONEachRow`, params: {} };
}

export function partitionsQuery(table: string, shape: LogsShape, forms: Forms = ALONE): Query {
  return {
    sql: `SELECT ${partitionId(shape, forms)} AS id, count() AS rows, min(timestamp) AS first, max(timestamp) AS last
      FROM ${forms.all(table)} GROUP BY id ORDER BY id FORMAT JSONEachRow`,
    params: {},
  };
}

/** The id of a row's partition: the column of that name is not to be had from other nodes. */
function partitionId({ partition_key }: LogsShape, { cluster }: Forms): string {
  if (cluster === undefined) return '_partition_id';
  return partition_key === '' ? "'all'" : `partitionId(${partition_key})`;
}

/** Rows of one partition. */
function ofPartition(shape: LogsShape, forms: Forms): string {
  return `${partitionId(shape, forms)} = {partition:String}`;
}

/** How many rows of each minute either side of a comparison has. */
export function minutesQuery(
  { table, partition, fractal_id }: StagedPart,
  shape: LogsShape,
  forms: Forms = ALONE,
): Query {
  const minute = `toInt64(floor(toUnixTimestamp64Milli(timestamp) / ${MINUTE_MS})) AS minute`;
  const { where, params } = within(fractal_id, Date.parse(partition.first), Date.parse(partition.last) + 1);
  return {
    sql: `SELECT minute, count() AS rows FROM (
        SELECT ${minute} FROM ${forms.all(table)} WHERE ${ofPartition(shape, forms)}
        UNION ALL SELECT ${minute} FROM ${forms.logs} WHERE ${where})
      GROUP BY minute ORDER BY minute FORMAT JSONEachRow`,
    params: { ...params, partition: partition.id },
  };
}

/** Rows that the logs have none of. */
export function absentQuery(
  part: StagedPart,
  slice: Slice,
  to: string,
  shape: LogsShape,
  forms: Forms = ALONE,
): Query {
  const { where, params } = ofSlice(part.fractal_id, slice);
  return {
    sql: `INSERT INTO ${to} (${COLUMNS}) SELECT ${COLUMNS} FROM ${forms.all(part.table)}
      WHERE ${where} AND ${ofPartition(shape, forms)}
        AND ${KEY} ${forms.global}NOT IN (SELECT ${KEY} FROM ${forms.logs} WHERE ${where})`,
    params: { ...params, partition: part.partition.id },
  };
}

/** How many distinct rows the logs have some of, but fewer. */
export function surplusQuery(part: StagedPart, slice: Slice, shape: LogsShape, forms: Forms = ALONE): Query {
  const { where, params } = ofSlice(part.fractal_id, slice);
  return {
    sql: `SELECT count() AS rows FROM (${surplus(part.table, where, shape, forms)}) FORMAT JSONEachRow`,
    params: { ...params, partition: part.partition.id },
  };
}

/** Of these rows, as many as there are more. */
export function excessQuery(
  part: StagedPart,
  slice: Slice,
  to: string,
  shape: LogsShape,
  forms: Forms = ALONE,
): Query {
  const { where, params } = ofSlice(part.fractal_id, slice);
  return {
    sql: `INSERT INTO ${to} (${COLUMNS}) SELECT ${COLUMNS} FROM (
        SELECT ${COLUMNS}, key, row_number() OVER (PARTITION BY key ORDER BY log_id) AS nth FROM (
          SELECT ${COLUMNS}, ${KEY} AS key FROM ${forms.all(part.table)}
          WHERE ${where} AND ${ofPartition(shape, forms)}
            AND key ${forms.global}IN (${surplus(part.table, where, shape, forms)}))) AS staged
      INNER JOIN (SELECT ${KEY} AS key, count() AS there FROM ${forms.logs} WHERE ${where} GROUP BY key) AS present
        USING (key)
      WHERE nth > there`,
    params: { ...params, partition: part.partition.id },
  };
}

function surplus(table: string, where: string, shape: LogsShape, forms: Forms): string {
  return `SELECT key FROM (
      SELECT ${KEY} AS key, 1 AS staged, 0 AS present FROM ${forms.all(table)}
      WHERE ${where} AND ${ofPartition(shape, forms)}
      UNION ALL SELECT ${KEY} AS key, 0 AS staged, 1 AS present FROM ${forms.logs} WHERE ${where})
    GROUP BY key HAVING sum(present) > 0 AND sum(staged) > sum(present)`;
}

/** The identifier of a partition is ClickHouse's own, but it comes out of a query: it is bound where that can be, and checked here. */
export function shareQuery(from: string, to: string, partition: string, { on }: Forms = ALONE): Query {
  if (!/^[\w-]+$/.test(partition)) throw new RangeError(`Not the id of a partition: ${partition}`);
  return { sql: `ALTER TABLE ${to}${on} ATTACH PARTITION ID '${partition}' FROM ${from}`, params: {} };
}

/**
 * The rows of a partition among the logs: in one step where these are on one server. On a cluster they are inserted, each
 * into its shard: some of them may be there where that fails.
 */
export function attachQuery(from: string, partition: string, shape: LogsShape, forms: Forms = ALONE): Query {
  if (forms.cluster === undefined) return shareQuery(from, LOGS, partition);
  return {
    sql: `INSERT INTO ${forms.logs} (${COLUMNS}) SELECT ${COLUMNS} FROM ${forms.all(from)} WHERE ${ofPartition(shape, forms)}`,
    params: { partition },
  };
}

/** Up to a time of ingest, so that rows which arrive meanwhile stay. */
export function countUntilQuery(window: LogWindow, cutoff_ms: number, { logs }: Forms = ALONE): Query {
  const { where, params } = until(window, cutoff_ms);
  return { sql: `SELECT count() AS rows FROM ${logs} WHERE ${where} FORMAT JSONEachRow`, params };
}

export function removeUntilQuery(window: LogWindow, cutoff_ms: number, { on }: Forms = ALONE): Query {
  const { where, params } = until(window, cutoff_ms);
  return { sql: `DELETE FROM ${LOGS}${on} WHERE ${where}`, params };
}

function until(window: LogWindow, cutoff_ms: number) {
  const { where, params } = bounds(window);
  return {
    where: `${where} AND ingest_timestamp <= fromUnixTimestamp64Milli({cutoff:Int64})`,
    params: { ...params, cutoff: cutoff_ms },
  };
}

export function tablesQuery(prefix: string, { nodes }: Forms = ALONE): Query {
  return {
    sql: `SELECT DISTINCT name FROM ${nodes('system.tables')} WHERE database = currentDatabase() AND startsWith(name, {prefix:String})
      ORDER BY name FORMAT JSONEachRow`,
    params: { prefix },
  };
}

export function dropQuery(table: string, { on }: Forms = ALONE): Query {
  return { sql: `DROP TABLE IF EXISTS ${table}${on} SYNC`, params: {} };
}

export function clockQuery(): Query {
  return { sql: 'SELECT toUnixTimestamp64Milli(now64(3)) AS ms FORMAT JSONEachRow', params: {} };
}

/** The room of the disks that the logs may be on. */
export function freeQuery(shape: LogsShape): Query {
  return {
    sql: `SELECT sum(free_space) AS bytes FROM system.disks WHERE name IN (
        SELECT arrayJoin(disks) FROM system.storage_policies WHERE policy_name = {policy:String}) FORMAT JSONEachRow`,
    params: { policy: shape.storage_policy },
  };
}

/**
 * The stretches of a comparison: as many whole minutes as hold no more than so many rows. Minutes come in order,
 * as ClickHouse counts them since 1970.
 */
export function slicesOf(minutes: { minute: number; rows: number }[], most = ROWS_AT_ONCE): Slice[] {
  const slices: Slice[] = [];
  let held = 0;
  for (const { minute, rows } of minutes) {
    const [from_ms, to_ms] = [minute * MINUTE_MS, (minute + 1) * MINUTE_MS];
    const last = slices.at(-1);
    if (last && last.shares === 1 && held + rows <= most) {
      last.to_ms = to_ms;
      held += rows;
      continue;
    }
    const shares = Math.ceil(rows / most);
    for (let share = 0; share < shares; share++) slices.push({ from_ms, to_ms, share, shares });
    held = rows;
  }
  return slices;
}

function ofSlice(fractal_id: string, { from_ms, to_ms, share, shares }: Slice) {
  const { where, params } = within(fractal_id, from_ms, to_ms);
  if (shares === 1) return { where, params };
  return {
    where: `${where} AND cityHash64(${ROW}) % {shares:UInt64} = {share:UInt64}`,
    params: { ...params, share, shares },
  };
}

function within(fractal_id: string, from_ms: number, to_ms: number) {
  return {
    where: `fractal_id = {fractal:String} AND timestamp >= fromUnixTimestamp64Milli({from_ms:Int64})
      AND timestamp < fromUnixTimestamp64Milli({to_ms:Int64})`,
    params: { fractal: fractal_id, from_ms, to_ms } as Record<string, unknown>,
  };
}
