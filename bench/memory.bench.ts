import { startDemo } from '../bin/demo/installation.ts';
import { queryPostgres } from '../bin/demo/query.ts';
import { seedRows } from '../bin/demo/seed-rows.ts';
import { LOGS_DATABASE } from '../bin/demo/services.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { measure, PROGRAM, type Run } from './tools/program.ts';

const ROWS = 1_000_000;
const FRACTAL = 'f0000000-0000-4000-8000-000000000001';
const DAY_MS = 86_400_000;

/** About 1 GB of text that compresses like real notes and alerts. */
const BIG_TABLE = `
  CREATE TABLE bench_notes AS
  SELECT n AS id, md5(n::text) AS ref, now() - n * interval '1 second' AS at,
         repeat('alert ' || md5((n % 5000)::text) || ' on host-' || n % 400 || ' ', 12) || md5((n * 7)::text) AS body
  FROM generate_series(1, 1600000) AS n`;

export const bench: Bench = {
  title: 'peak memory of bifract: archive of 1,000,000 rows, backup of a database of 1 GB',
  async run() {
    const demo = await startDemo({ generation: 'A', scale: 0 });
    try {
      await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'bench')`);
      await seedRows(demo.clickhouse, LOGS_DATABASE, {
        fractal_id: FRACTAL,
        kind: 'mixed',
        rows: ROWS,
        seed: 7,
        from: new Date(Date.now() - 30 * DAY_MS),
        to: new Date(),
      });
      await queryPostgres(demo.postgres, BIG_TABLE);
      const env = { ...process.env, BIFRACT_DIR: demo.dir, PATH: `${demo.postgres.bin}:${process.env.PATH}` };
      return [
        row('archive', await measure(process.execPath, [PROGRAM, 'archive', 'bench', '--json'], env)),
        row(
          'archive --no-fields',
          await measure(process.execPath, [PROGRAM, 'archive', 'bench', '--no-fields', '--json'], env),
        ),
        row('backup', await measure(process.execPath, [PROGRAM, 'backup', '--json'], env)),
      ];
    } finally {
      await demo.stop();
    }
  },
};

function row(name: string, { stdout, seconds, peak_rss }: Run): Record<string, string> {
  const { result } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
    result: { content_bytes: number; size_bytes: number };
  };
  return {
    job: name,
    content: formatBytes(result.content_bytes),
    stored: formatBytes(result.size_bytes),
    seconds: seconds.toFixed(1),
    'content/s': formatBytes(result.content_bytes / seconds),
    'peak RSS': formatBytes(peak_rss),
  };
}
