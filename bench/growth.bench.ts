import { type Demo, startDemo } from '../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../bin/demo/query.ts';
import { seedRows } from '../bin/demo/seed-rows.ts';
import { LOGS_DATABASE } from '../bin/demo/services.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { measure, PROGRAM } from './tools/program.ts';

const MOST_ROWS = Number(process.env.BENCH_ROWS ?? 10_000_000);
const DAYS = 60;

export const bench: Bench = {
  title: `archive, verify and restore of 10,000 to ${MOST_ROWS.toLocaleString('en')} rows (BENCH_ROWS) over ${DAYS} days: time, memory, statements sent to ClickHouse`,
  async run() {
    const demo = await startDemo({ generation: 'A', scale: 0 });
    try {
      const table = [];
      for (let rows = 10_000, step = 1; rows <= MOST_ROWS; rows *= 10, step++)
        table.push(...(await measureSize(demo, rows, step)));
      return table;
    } finally {
      await demo.stop();
    }
  },
};

async function measureSize(demo: Demo, rows: number, step: number): Promise<Record<string, string>[]> {
  const fractal_id = `f0000000-0000-4000-8000-00000000000${step}`;
  await queryPostgres(
    demo.postgres,
    `INSERT INTO fractals (id, name) VALUES ('${fractal_id}', 'bench-${step}')`,
  );
  const from = new Date('2026-01-10');
  const to = new Date(from.getTime() + DAYS * 86_400_000);
  await seedRows(demo.clickhouse, LOGS_DATABASE, { fractal_id, kind: 'mixed', rows, seed: 7, from, to });
  const run = async (task: string, ...args: string[]) => {
    const before = await statements(demo);
    const env = { ...process.env, BIFRACT_DIR: demo.dir };
    const result = await measure(process.execPath, [PROGRAM, ...args, '--json'], env);
    const sent = (await statements(demo)) - before - 1;
    return {
      result,
      row: { rows: rows.toLocaleString('en'), task, ...figures(rows, result), statements: String(sent) },
    };
  };
  const archive = await run('archive', 'archive', `bench-${step}`);
  const [, path = ''] = /"storage_path":"([^"]+)"/.exec(archive.result.stdout) ?? [];
  const verify = await run('verify', 'verify', path);
  await queryClickhouse(demo.clickhouse, LOGS_DATABASE, 'TRUNCATE TABLE logs');
  const restore = await run('restore-archive', 'restore-archive', path, '--yes');
  return [archive.row, verify.row, restore.row];
}

function figures(rows: number, { seconds, peak_rss }: { seconds: number; peak_rss: number }) {
  return {
    seconds: seconds.toFixed(1),
    'rows/s': Math.round(rows / seconds).toLocaleString('en'),
    'peak memory': formatBytes(peak_rss),
  };
}

/** How many statements ClickHouse has run, this one included. */
async function statements(demo: Demo): Promise<number> {
  const sql = "SELECT value FROM system.events WHERE event = 'Query' FORMAT TSV";
  return Number(await queryClickhouse(demo.clickhouse, LOGS_DATABASE, sql));
}
