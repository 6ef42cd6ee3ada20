import { type PostgresServer, startPostgres } from '../bin/demo/postgres.ts';
import { queryPostgres } from '../bin/demo/query.ts';
import { POSTGRES_SCHEMA } from '../bin/demo/schema.ts';
import { startDemoSupervisor } from '../bin/demo/supervisor.ts';
import { connectCatalog } from '../src/core/adapters/postgres/catalog/catalog.ts';
import type { Bench } from './run.ts';

const FRACTALS = 1_000;
const ARCHIVES = 10_000;
const ROUNDS = 30;

export const bench: Bench = {
  title: `lists of ${ARCHIVES} archives in one group each, and of ${FRACTALS} fractals, from PostgreSQL`,
  async run() {
    const supervisor = await startDemoSupervisor();
    try {
      const server = await startPostgres(supervisor, 'bench-only');
      await queryPostgres(server, POSTGRES_SCHEMA);
      await seed(server);
      return await measure(server);
    } finally {
      await supervisor.stop();
    }
  },
};

async function measure(server: PostgresServer) {
  const { host, port, user, password, database } = server;
  const catalog = await connectCatalog({ host, port, user, password, database });
  const [first] = await catalog.fractals();
  const lists: [name: string, query: () => Promise<unknown[]>][] = [
    ['archives', () => catalog.archives()],
    ['groups', () => catalog.groups()],
    ['fractals', () => catalog.fractals()],
    ['archives of one fractal', () => catalog.archives({ fractal_id: first?.id })],
    [
      'all three at once, as the console does',
      () => Promise.all([catalog.archives(), catalog.groups(), catalog.fractals()]),
    ],
  ];
  const table = [];
  for (const [name, query] of lists) table.push({ list: name, ...(await time(query)) });
  await catalog.close();
  return table;
}

async function time(query: () => Promise<unknown[]>) {
  const times: number[] = [];
  let records = 0;
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    records = (await query()).flat().length;
    times.push(performance.now() - started);
  }
  const { user, system } = process.cpuUsage(before);
  const [first = 0] = times;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(part * (ROUNDS - 1))] ?? 0).toFixed(1);
  // On a busy machine, only CPU time is comparable.
  const cpu = ((user + system) / 1000 / ROUNDS).toFixed(1);
  return {
    records: String(records),
    'CPU ms here': cpu,
    'first ms': first.toFixed(1),
    'median ms': at(0.5),
    'slow (90 %) ms': at(0.9),
  };
}

/** Records as in an installation of several years, with realistic names, paths and checksums. */
async function seed(server: PostgresServer): Promise<void> {
  await queryPostgres(
    server,
    `INSERT INTO fractals (name, description, log_count, size_bytes, earliest_log, latest_log, archive_schedule)
     SELECT 'fractal-' || n, 'Logs of service ' || n, n * 1000, n * 100000, now() - interval '90 days', now(), 'daily'
     FROM generate_series(1, ${FRACTALS}) AS n`,
  );
  await queryPostgres(
    server,
    `WITH f AS (SELECT id, row_number() OVER (ORDER BY name) - 1 AS n FROM fractals),
     g AS (INSERT INTO archive_groups (fractal_id, split_granularity, status, total_log_count, total_size_bytes,
         archive_count, completed_count, archive_type, created_at)
       SELECT f.id, 'none', 'completed', s * 1000, s * 5000, 1, 1, 'scheduled', now() - s * interval '7 minutes'
       FROM generate_series(0, ${ARCHIVES - 1}) AS s JOIN f ON f.n = s % ${FRACTALS} RETURNING *)
     INSERT INTO archives (fractal_id, filename, storage_type, storage_path, size_bytes, log_count, time_range_start,
       time_range_end, status, created_at, archive_type, archive_end_ts, checksum, group_id)
     SELECT g.fractal_id, name, 'disk', 'archives/' || g.fractal_id || '/' || name, g.total_size_bytes, g.total_log_count,
       g.created_at - interval '1 day', g.created_at, 'completed', g.created_at, 'scheduled', g.created_at,
       encode(sha256(g.id::text::bytea), 'hex'), g.id
     FROM g, LATERAL (SELECT g.fractal_id || '-' || to_char(g.created_at, 'YYYYMMDD-HH24MISS') || '.bifract-archive' AS name) AS named`,
  );
  await queryPostgres(server, 'ANALYZE');
}
