import type { ClickhouseServer } from './clickhouse.ts';
import type { Generation } from './generations.ts';
import { type PostgresAddress, queryClickhouse, queryPostgres } from './query.ts';
import { DEMO_FRACTALS, type DemoFractal, RECORDS_AFTER, RECORDS_BEFORE } from './seed-records.ts';
import { seedRows } from './seed-rows.ts';

const DAYS = 30;
const DAY_MS = 86_400_000;
/** Age of the newest row, so that clock changes do not put it into the future. */
const NEWEST_AGE_MS = 60_000;

/** The databases to fill. */
export interface SeedTarget {
  postgres: PostgresAddress;
  clickhouse: Pick<ClickhouseServer, 'url' | 'user' | 'password'>;
  logs_database: string;
  /** Release of the server that has made the tables. */
  generation: Generation;
}

/**
 * Fills an empty installation: people, fractals, searches, alerts, and logs over the 30 days before `now`.
 * `scale` is a factor for the number of rows. The same values generate the same logs. Returns the number of rows.
 */
export async function seedDemo(target: SeedTarget, { now = new Date(), scale = 1 } = {}): Promise<number> {
  await queryPostgres(target.postgres, RECORDS_BEFORE);
  await insertFractals(target.postgres, target.generation);
  const to = new Date(now.getTime() - NEWEST_AGE_MS);
  const [rows] = await Promise.all([
    seedLogs(target, new Date(to.getTime() - DAYS * DAY_MS), to, scale),
    queryPostgres(target.postgres, RECORDS_AFTER),
  ]);
  await updateStatistics(target);
  return rows;
}

async function seedLogs(target: SeedTarget, from: Date, to: Date, scale: number): Promise<number> {
  let total = 0;
  const { generation } = target;
  for (const [index, { id, kind, rows: full_scale }] of DEMO_FRACTALS.entries()) {
    const rows = Math.round(full_scale * scale);
    if (rows === 0) continue;
    const spec = { fractal_id: id, kind, rows, seed: index + 1, from, to, generation };
    await seedRows(target.clickhouse, target.logs_database, spec);
    total += rows;
  }
  if (generation >= 'D') {
    const recent = `INSERT INTO logs_hot SELECT * FROM logs WHERE ingest_timestamp > now() - INTERVAL 4 HOUR
      SETTINGS max_partitions_per_insert_block = 0`;
    await queryClickhouse(target.clickhouse, target.logs_database, recent);
  }
  return total;
}

/** Updates the cached statistics of each fractal from ClickHouse. */
export async function updateStatistics({
  postgres,
  clickhouse,
  logs_database,
  generation,
}: SeedTarget): Promise<void> {
  const text = generation < 'G' ? 'raw_log' : 'norm_log';
  const statistics = await queryClickhouse(
    clickhouse,
    logs_database,
    `SELECT fractal_id AS id, toString(count()) AS rows, toString(sum(length(${text}))) AS bytes,
       toString(min(timestamp), 'UTC') AS first, toString(max(timestamp), 'UTC') AS last
     FROM logs GROUP BY fractal_id FORMAT JSONEachRow`,
  );
  const list = `[${statistics.trim().split('\n').join(',')}]`;
  await queryPostgres(
    postgres,
    `UPDATE fractals f SET log_count = s.rows, size_bytes = s.bytes, earliest_log = s.first, latest_log = s.last
     FROM json_to_recordset($1) AS s(id uuid, rows bigint, bytes bigint, first timestamp, last timestamp)
     WHERE f.id = s.id`,
    [list],
  );
}

async function insertFractals(postgres: PostgresAddress, generation: Generation): Promise<void> {
  const rows = DEMO_FRACTALS.map((fractal: DemoFractal) => ({
    is_default: false,
    is_system: false,
    archive_schedule: 'never',
    archive_split: 'none',
    ...fractal,
  }));
  const schedule = generation < 'E' ? ', archive_schedule, archive_split, max_archives' : '';
  await queryPostgres(
    postgres,
    `INSERT INTO fractals (id, name, description, is_default, is_system, created_by, created_at, retention_days${schedule})
     SELECT id, name, description, is_default, is_system, 'admin', now() - interval '200 days', retention_days${schedule}
     FROM json_to_recordset($1) AS f(id uuid, name text, description text, is_default boolean, is_system boolean,
       archive_schedule text, archive_split text, retention_days int, max_archives int)`,
    [JSON.stringify(rows)],
  );
}
