import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDemo } from '../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../bin/demo/query.ts';
import { seedRows } from '../bin/demo/seed-rows.ts';
import { LOGS_DATABASE } from '../bin/demo/services.ts';
import { UNLIMITED } from '../src/core/adapters/clickhouse/queries.ts';
import { LOAD_SETTINGS, loadQuery } from '../src/core/adapters/clickhouse/restore-queries.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { measure, PROGRAM, type Run } from './tools/program.ts';

const ROWS = Number(process.env.BENCH_ROWS ?? 1_000_000);
const FRACTAL = 'f0000000-0000-4000-8000-000000000001';
const SHAPE = {
  columns: [
    ['timestamp', 'DateTime64(3)'],
    ['raw_log', 'String'],
    ['log_id', 'String'],
    ['fields', 'JSON'],
    ['fractal_id', 'LowCardinality(String)'],
    ['ingest_timestamp', 'DateTime64(3)'],
  ].map(([name = '', type = '']) => ({ name, type, default_kind: '', default_expression: '' })),
  engine: '',
  partition_key: '',
  sorting_key: '',
  primary_key: '',
  storage_policy: '',
  raw_from: 'logs' as const,
  views: [],
};

export const bench: Bench = {
  title: `restore of an archive of ${ROWS} rows, compared with a plain INSERT of the same lines by curl with the same settings`,
  async run() {
    const demo = await startDemo({ generation: 'A', scale: 0 });
    try {
      const ch = (sql: string) => queryClickhouse(demo.clickhouse, LOGS_DATABASE, sql);
      await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'bench')`);
      const [from, to] = [new Date('2026-01-10'), new Date('2026-03-20')];
      await seedRows(demo.clickhouse, LOGS_DATABASE, {
        fractal_id: FRACTAL,
        kind: 'mixed',
        rows: ROWS,
        seed: 7,
        from,
        to,
      });
      const env = { ...process.env, BIFRACT_DIR: demo.dir };
      const bifract = (...args: string[]) =>
        measure(process.execPath, [PROGRAM, ...args, '--yes', '--json'], env);
      await bifract('archive', 'bench');
      const [archive] = await queryPostgres<{ id: string; storage_path: string }>(
        demo.postgres,
        'SELECT id, storage_path FROM archives ORDER BY created_at DESC LIMIT 1',
      );
      const lines = join(demo.dir, 'lines.ndjson');
      await promisify(execFile)(
        '/bin/sh',
        [
          '-c',
          '"$0" "$1" extract "$2" | tail -n +2 > "$3"',
          process.execPath,
          PROGRAM,
          archive?.storage_path ?? '',
          lines,
        ],
        { env },
      );
      const { size } = await stat(lines);
      await ch('TRUNCATE TABLE logs');
      const rows: Record<string, string>[] = [];
      const restore = (what: string) => addRow(what, () => bifract('restore-archive', archive?.id ?? ''));
      const addRow = async (what: string, measured: () => Promise<Run>) => {
        const done = await measured();
        rows.push(row(what, done, size));

        return done.seconds;
      };
      for (const round of [1, 2]) {
        await ch('DROP TABLE IF EXISTS plain SYNC');
        await ch('CREATE TABLE plain AS logs');
        await addRow(`curl INSERT, round ${round}`, () => plain(demo.clickhouse, lines));
        await ch('TRUNCATE TABLE logs');
        const first = await restore(`bifract restore-archive, round ${round}`);
        const again = await restore(`again, all rows exist, round ${round}`);
        const ratio = { 'of a restore': (again / first).toFixed(2) };
        rows.push({ ...rows.pop(), ...ratio });
        await ch(`DELETE FROM logs WHERE cityHash64(log_id) % 1000 = 0`);
        await restore(`again, 1 row in 1000 is missing, round ${round}`);
        await ch(`DELETE FROM logs WHERE toMonth(timestamp) = 1`);
        await restore(`again, January is missing, round ${round}`);
      }
      return rows;
    } finally {
      await demo.stop();
    }
  },
};

async function plain(server: { url: string; user: string; password: string }, lines: string): Promise<Run> {
  const url = new URL(server.url);
  const { sql, params } = loadQuery('plain', FRACTAL, SHAPE);
  const all = { ...UNLIMITED, ...LOAD_SETTINGS, database: LOGS_DATABASE, query: sql };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, String(value));
  for (const [name, value] of Object.entries(params)) url.searchParams.set(`param_${name}`, String(value));
  const headers = ['-H', `X-ClickHouse-User: ${server.user}`, '-H', `X-ClickHouse-Key: ${server.password}`];
  return measure('curl', ['-sSf', ...headers, '-H', 'Expect:', '--data-binary', `@${lines}`, url.href]);
}

function row(what: string, { seconds, peak_rss }: Run, bytes: number): Record<string, string> {
  return {
    what,
    seconds: seconds.toFixed(1),
    'rows/s': Math.round(ROWS / seconds).toLocaleString('en'),
    'lines/s': formatBytes(bytes / seconds),
    'peak memory': formatBytes(peak_rss),
  };
}
