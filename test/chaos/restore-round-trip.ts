// Archives a fractal of many rows, deletes them, brings them back, compares every column:
// node --import tsx test/chaos/restore-round-trip.ts [rows]. The program must have been built.

import { measure, PROGRAM } from '../../bench/tools/program.ts';
import { startDemo } from '../../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { formatBytes } from '../../src/components/view/units.ts';

const rows = Number(process.argv[2] ?? 2_000_000);
const FRACTAL = 'f0000000-0000-4000-8000-000000000009';
/** Rows of all of time, some with lines of 20 MB. */
const FAR = `INSERT INTO logs SELECT fromUnixTimestamp64Milli(toInt64(number % 41 * 4133980799999 / 40)),
  if(number % 500 = 7, repeat(repeat(concat(toString(number), 'x"', char(92, 10, 255)), 2500), 1000), concat('far ', toString(number))),
  toString(number), concat('{"n":"', toString(number), '"}'), '${FRACTAL}', now64(3) FROM numbers(2001)`;
const DIGEST = `SELECT count() AS rows, sum(cityHash64(timestamp, raw_log, log_id, ingest_timestamp)) AS columns,
  sum(cityHash64(toJSONString(fields), JSONAllPathsWithTypes(fields))) AS fields, min(timestamp), max(timestamp)
  FROM logs WHERE fractal_id = '${FRACTAL}' FORMAT JSONEachRow`;

const demo = await startDemo({ scale: 0 });
try {
  const ch = (sql: string) => queryClickhouse(demo.clickhouse, 'logs', sql);
  await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'trip')`);
  const [from, to] = [new Date('2025-11-01'), new Date('2026-06-01')];
  await seedRows(demo.clickhouse, 'logs', { fractal_id: FRACTAL, kind: 'mixed', rows, seed: 11, from, to });
  await ch(FAR);
  const before = await ch(DIGEST);
  const env = { ...process.env, BIFRACT_DIR: demo.dir };
  const ours = async (...args: string[]) => {
    const run = await measure(process.execPath, [PROGRAM, ...args, '--yes', '--json'], env);
    console.log(
      `${args[0]}: ${run.seconds.toFixed(1)} s, ${formatBytes(run.peak_rss)} of memory at its peak`,
    );
    return JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '').result as Record<string, unknown>;
  };
  await ours('archive', 'trip');
  const [archive] = await queryPostgres<{ id: string }>(
    demo.postgres,
    'SELECT id FROM archives ORDER BY created_at DESC LIMIT 1',
  );
  await ch(`ALTER TABLE logs DELETE WHERE fractal_id = '${FRACTAL}' SETTINGS mutations_sync = 2`);
  console.log(JSON.stringify(await ours('restore-archive', archive?.id ?? '')));
  const after = await ch(DIGEST);
  console.log(before + after);
  if (before !== after) throw new Error('The rows differ');
  console.log(JSON.stringify(await ours('restore-archive', archive?.id ?? '')));
  if ((await ch(DIGEST)) !== before) throw new Error('The rows differ after a second restore');
  console.log('The same rows, all columns, once each.');
} finally {
  await demo.stop();
}
