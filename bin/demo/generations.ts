import type { ClickhouseServer } from './clickhouse.ts';
import { type PostgresAddress, queryClickhouse, queryPostgres } from './query.ts';
import { POSTGRES_SCHEMA } from './schema.ts';

/**
 * Releases of the server whose schemas differ, by the first of each kind:
 *
 * - `A` v0.0.1, March 2026
 * - `B` v0.0.3-dev.10: daily partitions, typed paths in `fields`
 * - `C` v0.0.3-dev.24: partitions by fractal and day, other sort key, `field_tokens`, `logs_histogram`
 * - `D` v0.0.3-dev.69: `logs_hot`
 * - `E` v0.0.3-dev.123, 24 June 2026: no archives in PostgreSQL
 * - `F` v0.0.3-dev.165: archives in Iceberg, `norm_log`, `raw_log` for 7 days
 * - `G` v0.0.3-dev.218: `raw_log` moved to `logs_raw`
 * - `H` v0.0.6-dev.4, August 2026: ten views on the logs
 */
export const GENERATIONS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'] as const;
export type Generation = (typeof GENERATIONS)[number];

const from = (generation: Generation, first: Generation): boolean => generation >= first;

/** The server drops its records of archives. */
const DROP_ARCHIVES = `
  DROP VIEW fractal_overview;
  DROP TABLE archives;
  DROP TABLE archive_groups;
  ALTER TABLE fractals DROP COLUMN archive_schedule, DROP COLUMN max_archives, DROP COLUMN archive_split;
  CREATE VIEW fractal_overview AS
    SELECT f.id, f.name, f.log_count, f.size_bytes,
           (SELECT count(*) FROM alerts a WHERE a.fractal_id = f.id) AS alerts
    FROM fractals f;`;

/** The server's own archives, in Apache Iceberg. */
const ADD_ICEBERG = `
  ALTER TABLE fractals ADD COLUMN archive_retention_days integer, ADD COLUMN restored_from_fractal_id uuid,
    ADD COLUMN restored_from_ts timestamptz, ADD COLUMN restored_to_ts timestamptz;
  CREATE TABLE iceberg_tables (
    catalog_name varchar(255) NOT NULL,
    table_namespace varchar(255) NOT NULL,
    table_name varchar(255) NOT NULL,
    iceberg_type varchar(5),
    metadata_location varchar(1000),
    previous_metadata_location varchar(1000),
    PRIMARY KEY (catalog_name, table_namespace, table_name)
  );
  CREATE TABLE archive_status (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_commit_at timestamptz,
    fractal_count integer NOT NULL DEFAULT 0,
    total_bytes bigint NOT NULL DEFAULT 0,
    total_records bigint NOT NULL DEFAULT 0
  );
  CREATE TABLE archive_restore_jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source_fractal_id uuid NOT NULL,
    target_fractal_id uuid,
    status varchar(20) NOT NULL DEFAULT 'pending',
    created_at timestamptz NOT NULL DEFAULT now()
  );`;

const ADD_MAINTENANCE = `
  CREATE TABLE archive_maintain_status (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE archive_maintain_history (
    id bigserial PRIMARY KEY,
    fractal_id uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    rewritten_files integer NOT NULL DEFAULT 0
  );`;

const POSTGRES_MIGRATIONS: readonly [first: Generation, sql: string][] = [
  ['E', DROP_ARCHIVES],
  ['F', ADD_ICEBERG],
  ['H', ADD_MAINTENANCE],
];

/** Typed paths of `fields`: the first 16 since B, all since G. */
const TYPED_PATHS = [
  ...['computer_name', 'user', 'src_ip', 'dst_ip', 'src_port', 'dst_port', 'commandline', 'hash'],
  ...[
    'event_id',
    'image',
    'parent_image',
    'call_chain',
    'operation',
    'artifact',
    'query',
    'original_file_name',
  ],
  ...['proto', 'conn_state', 'duration', 'orig_bytes', 'resp_bytes', 'bifract_category', 'process_guid'],
  ...['parent_process_guid', 'target_image', 'target_file'],
];
const FIRST_TYPED_PATHS = 16;

/** The type of `fields`. */
export function fieldsType(generation: Generation): string {
  const paths = from(generation, 'G')
    ? TYPED_PATHS
    : from(generation, 'B')
      ? TYPED_PATHS.slice(0, FIRST_TYPED_PATHS)
      : [];
  return `JSON(${['max_dynamic_paths=1024', ...paths.map((path) => `${path} String`)].join(', ')})`;
}

function partitionKey(generation: Generation): string {
  if (from(generation, 'C')) return '(fractal_id, toDate(timestamp))';
  return from(generation, 'B') ? 'toDate(timestamp)' : 'toYYYYMM(timestamp)';
}

function sortingKey(generation: Generation): string {
  return from(generation, 'C') ? '(timestamp, log_id)' : '(fractal_id, timestamp, log_id)';
}

const RAW_INDEX =
  'INDEX raw_log_inverted raw_log TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(raw_log))';

/** Skipping indexes on typed paths, since G. */
function fieldIndexes(): string[] {
  const bloom = ['src_ip', 'dst_ip', 'computer_name', 'user', 'hash', 'image', 'parent_image'];
  const sets = ['event_id', 'operation', 'artifact', 'src_port', 'dst_port', 'proto'];
  return [
    ...[...bloom, 'original_file_name', 'query', 'process_guid'].map(
      (path) => `INDEX idx_${path} fields.${path} TYPE bloom_filter(0.01) GRANULARITY 4`,
    ),
    ...sets.map((path) => `INDEX idx_${path} fields.${path} TYPE set(100) GRANULARITY 4`),
  ];
}

/** The table `logs`, as a server of that release creates it. */
export function logsTable(generation: Generation): string {
  const rawTtl = from(generation, 'F') ? ' TTL toDateTime(timestamp) + INTERVAL 7 DAY' : '';
  const lines = [
    'timestamp DateTime64(3)',
    ...(from(generation, 'G') ? [] : [`raw_log String CODEC(ZSTD(3))${rawTtl}`]),
    'log_id String',
    `fields ${fieldsType(generation)}`,
    ...(generation === 'C' ? [`field_tokens String DEFAULT ''`] : []),
    ...(from(generation, 'F')
      ? [
          'norm_log String DEFAULT toString(fields) CODEC(ZSTD(3))',
          `normalizer LowCardinality(String) DEFAULT ''`,
        ]
      : []),
    `fractal_id LowCardinality(String) DEFAULT ''`,
    'ingest_timestamp DateTime64(3) DEFAULT now64(3)',
    ...(from(generation, 'G')
      ? ['INDEX norm_log_ngrams lower(norm_log) TYPE text(tokenizer = ngrams(3))', ...fieldIndexes()]
      : [RAW_INDEX]),
    'INDEX log_id_bloom log_id TYPE bloom_filter(0.001) GRANULARITY 1',
    'INDEX ingest_ts_minmax ingest_timestamp TYPE minmax GRANULARITY 1',
  ];
  return `CREATE TABLE logs (
    ${lines.join(',\n    ')}
  ) ENGINE = MergeTree() PARTITION BY ${partitionKey(generation)} ORDER BY ${sortingKey(generation)}
  SETTINGS index_granularity = 8192`;
}

const RAW_TABLE = `CREATE TABLE logs_raw (
    timestamp DateTime64(3),
    fractal_id LowCardinality(String) DEFAULT '',
    log_id String,
    raw_log String CODEC(ZSTD(3))
  ) ENGINE = MergeTree() PARTITION BY (fractal_id, toDate(timestamp)) ORDER BY (timestamp, log_id)
  TTL toDateTime(timestamp) + INTERVAL 7 DAY DELETE
  SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`;

const HISTOGRAM = [
  `CREATE TABLE logs_histogram (fractal_id LowCardinality(String), minute DateTime, cnt UInt64)
   ENGINE = SummingMergeTree(cnt) ORDER BY (fractal_id, minute)`,
  `CREATE MATERIALIZED VIEW logs_histogram_mv TO logs_histogram AS
   SELECT fractal_id, toStartOfMinute(timestamp) AS minute, count() AS cnt FROM logs GROUP BY fractal_id, minute`,
];

/** Recent rows by ingest time, for alerts. Its columns are those of `logs`. */
const HOT = [
  `CREATE TABLE logs_hot AS logs ENGINE = MergeTree() PARTITION BY toStartOfFiveMinutes(ingest_timestamp)
   ORDER BY (fractal_id, ingest_timestamp, log_id) TTL toDateTime(ingest_timestamp) + INTERVAL 4 HOUR`,
  'CREATE MATERIALIZED VIEW logs_hot_mv TO logs_hot AS SELECT * FROM logs',
];

const PROCESS_TABLES = [
  `CREATE TABLE proc_lineage (
     fractal_id LowCardinality(String), process_guid String, parent_process_guid String, image String,
     commandline String, computer_name String, timestamp DateTime64(3)
   ) ENGINE = ReplacingMergeTree(timestamp) ORDER BY (fractal_id, process_guid)
   TTL toDateTime(timestamp) + INTERVAL 730 DAY`,
  `CREATE MATERIALIZED VIEW proc_lineage_mv TO proc_lineage AS
   SELECT fractal_id, fields.process_guid AS process_guid, fields.parent_process_guid AS parent_process_guid,
     fields.image AS image, fields.commandline AS commandline, fields.computer_name AS computer_name, timestamp
   FROM logs WHERE fields.bifract_category = 'process_creation'`,
  `CREATE TABLE proc_freq (
     fractal_id LowCardinality(String), src_image String, event_type LowCardinality(String), target_norm String,
     day Date, cnt SimpleAggregateFunction(sum, UInt64), hosts AggregateFunction(uniq, String)
   ) ENGINE = AggregatingMergeTree() ORDER BY (fractal_id, src_image, event_type, target_norm, day)
   TTL day + INTERVAL 730 DAY`,
  `CREATE TABLE process_edges (
     fractal_id LowCardinality(String), process_guid String, event_type LowCardinality(String), dst_node String,
     cnt SimpleAggregateFunction(sum, UInt64), last_seen SimpleAggregateFunction(max, DateTime64(3))
   ) ENGINE = AggregatingMergeTree() ORDER BY (fractal_id, process_guid, event_type, dst_node)
   TTL toDateTime(last_seen) + INTERVAL 730 DAY`,
];

/** What each view on `proc_freq` counts: the category of its events and their target. */
const PROCESS_EVENTS = {
  process_creation: 'target_image',
  file_event: 'target_file',
  network_connection: 'dst_ip',
  dns_query: 'query',
  image_load: 'original_file_name',
  registry_event: 'artifact',
};

function processViews(): string[] {
  const counts = Object.entries(PROCESS_EVENTS).map(
    ([event, target]) => `CREATE MATERIALIZED VIEW proc_freq_${event}_mv TO proc_freq AS
      SELECT fractal_id, fields.image AS src_image, '${event}' AS event_type, lower(fields.${target}) AS target_norm,
        toDate(timestamp) AS day, count() AS cnt, uniqState(fields.computer_name) AS hosts
      FROM logs WHERE fields.bifract_category = '${event}' GROUP BY fractal_id, src_image, target_norm, day`,
  );
  const edges = `CREATE MATERIALIZED VIEW process_edges_mv TO process_edges AS
    SELECT fractal_id, fields.process_guid AS process_guid, fields.bifract_category AS event_type,
      fields.dst_ip AS dst_node, count() AS cnt, max(timestamp) AS last_seen
    FROM logs WHERE fields.process_guid != '' GROUP BY fractal_id, process_guid, event_type, dst_node`;
  return [...PROCESS_TABLES, ...counts, edges];
}

/** Tables and views next to `logs`. */
function derivedTables(generation: Generation): string[] {
  return [
    ...(from(generation, 'G') ? [RAW_TABLE] : []),
    ...(from(generation, 'C') ? HISTOGRAM : []),
    ...(from(generation, 'D') ? HOT : []),
    ...(from(generation, 'H') ? processViews() : []),
  ];
}

/** Creates the PostgreSQL tables of a release in an empty database. */
export async function createPostgresTables(server: PostgresAddress, generation: Generation): Promise<void> {
  await queryPostgres(server, POSTGRES_SCHEMA);
  await migratePostgres(server, 'A', generation);
}

/** Runs the migrations of an upgrade in place. */
export async function migratePostgres(
  server: PostgresAddress,
  installed: Generation,
  to: Generation,
): Promise<void> {
  for (const [first, sql] of POSTGRES_MIGRATIONS)
    if (first > installed && first <= to) await queryPostgres(server, sql);
}

type Clickhouse = Pick<ClickhouseServer, 'url' | 'user' | 'password'>;

/** Creates the ClickHouse tables and views of a release in an empty database. */
export async function createLogsTables(
  server: Clickhouse,
  database: string,
  generation: Generation,
): Promise<void> {
  for (const sql of [logsTable(generation), ...derivedTables(generation)])
    await queryClickhouse(server, database, sql);
}

/**
 * Upgrades the tables in place, as the server does: `logs` keeps its partition key and its sort key; columns are added
 * and dropped.
 */
export async function migrateLogsTables(
  server: Clickhouse,
  database: string,
  installed: Generation,
  to: Generation,
): Promise<void> {
  const crosses = (first: Generation) => installed < first && first <= to;
  const alter = (change: string) => queryClickhouse(server, database, `ALTER TABLE logs ${change}`);
  if (installed < 'G' && fieldsType(installed) !== fieldsType(to))
    await alter(`MODIFY COLUMN fields ${fieldsType(to)}`);
  if (crosses('F')) {
    await alter('ADD COLUMN norm_log String DEFAULT toString(fields) CODEC(ZSTD(3))');
    await alter(`ADD COLUMN normalizer LowCardinality(String) DEFAULT ''`);
  }
  if (crosses('F') && to < 'G')
    await alter('MODIFY COLUMN raw_log TTL toDateTime(timestamp) + INTERVAL 7 DAY');
  if (crosses('G')) {
    if (installed >= 'D')
      for (const name of ['logs_hot_mv', 'logs_hot']) await dropTable(server, database, name);
    await alter('DROP INDEX IF EXISTS raw_log_inverted');
    await alter('DROP COLUMN raw_log');
  }
  const existing = new Set(
    crosses('G') ? derivedTables(installed).filter((sql) => !HOT.includes(sql)) : derivedTables(installed),
  );
  for (const sql of derivedTables(to)) if (!existing.has(sql)) await queryClickhouse(server, database, sql);
}

async function dropTable(server: Clickhouse, database: string, name: string): Promise<void> {
  await queryClickhouse(server, database, `DROP TABLE ${name} SYNC`);
}
