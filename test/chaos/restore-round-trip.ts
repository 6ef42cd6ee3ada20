// Archives a fractal of many rows, deletes them, brings them back, compares every column, once for each split:
// node --import tsx test/chaos/restore-round-trip.ts [rows] [disk|s3] [split …]. The program must have been built.

import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measure, PROGRAM } from '../../bench/tools/program.ts';
import { type Demo, startDemo } from '../../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { formatBytes } from '../../src/components/view/units.ts';
import { BUCKET, startLab } from '../helpers/s3/lab.ts';
import { LAB } from '../helpers/s3/server.ts';

const [count = '2000000', place = 'disk', ...chosen] = process.argv.slice(2);
const rows = Number(count);
const splits = chosen.length > 0 ? chosen : ['none', 'hour', 'day', 'week'];
const FRACTAL = 'f0000000-0000-4000-8000-000000000009';
/** Rows of all of time, some with lines of 20 MB. */
const FAR = `INSERT INTO logs SELECT fromUnixTimestamp64Milli(toInt64(number % 41 * 4133980799999 / 40)),
  if(number % 500 = 7, repeat(repeat(concat(toString(number), 'x"', char(92, 10, 255)), 2500), 1000), concat('far ', toString(number))),
  toString(number), concat('{"n":"', toString(number), '"}'), '${FRACTAL}', now64(3) FROM numbers(2001)`;
/** A thousandth of the rows a second and a third time. */
const TWICE = `INSERT INTO logs SELECT timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp FROM logs
  ARRAY JOIN [1, 2] AS again WHERE fractal_id = '${FRACTAL}' AND cityHash64(log_id) % 1000 = 3 AND length(raw_log) < 1000`;
const DIGEST = `SELECT count() AS rows, sum(cityHash64(timestamp, raw_log, log_id, ingest_timestamp)) AS columns,
  sum(cityHash64(toJSONString(fields), JSONAllPathsWithTypes(fields))) AS fields, min(timestamp), max(timestamp)
  FROM logs WHERE fractal_id = '${FRACTAL}' FORMAT JSONEachRow`;

const lab = place === 's3' ? await startLab() : undefined;
const demo = await startDemo({ scale: 0 });
try {
  if (lab) await storeInBucket(demo, lab.server.url);
  const ch = (sql: string) => queryClickhouse(demo.clickhouse, 'logs', sql);
  await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'trip')`);
  const [from, to] = [new Date('2025-11-01'), new Date('2026-06-01')];
  await seedRows(demo.clickhouse, 'logs', { fractal_id: FRACTAL, kind: 'mixed', rows, seed: 11, from, to });
  await ch(FAR);
  await ch(TWICE);
  const before = await ch(DIGEST);
  console.log(before.trim());
  for (const split of splits) {
    await ours(demo, 'archive', 'trip', '--split', split);
    const id = await newest(demo);
    await ch(`ALTER TABLE logs DELETE WHERE fractal_id = '${FRACTAL}' SETTINGS mutations_sync = 2`);
    for (const time of ['the first', 'the second']) {
      console.log(JSON.stringify(await ours(demo, 'restore-archive', id)));
      const now = await ch(DIGEST);
      if (now !== before) throw new Error(`The rows differ after ${time} restore: ${now}`);
    }
    console.log(`${place}, ${split}: the same rows, all columns, once each`);
  }
} finally {
  await demo.stop();
  await lab?.stop();
}

async function storeInBucket({ dir }: Demo, url: string): Promise<void> {
  const settings = { BUCKET, ENDPOINT: url, ACCESS_KEY: LAB.access_key, SECRET_KEY: LAB.secret_key };
  const lines = Object.entries(settings).map(([name, value]) => `BIFRACT_S3_${name}=${value}\n`);
  await appendFile(join(dir, '.env'), lines.join(''));
}

async function ours({ dir }: Demo, ...args: string[]): Promise<Record<string, unknown>> {
  const env = { ...process.env, BIFRACT_DIR: dir };
  const run = await measure(process.execPath, [PROGRAM, ...args, '--yes', '--json'], env);
  console.log(
    `${args.join(' ')}: ${run.seconds.toFixed(1)} s, ${formatBytes(run.peak_rss)} of memory at its peak`,
  );
  return JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '').result as Record<string, unknown>;
}

/** The newest group. */
async function newest({ postgres }: Demo): Promise<string> {
  const [archive] = await queryPostgres<{ id: string }>(
    postgres,
    'SELECT group_id AS id FROM archives ORDER BY created_at DESC LIMIT 1',
  );
  return archive?.id ?? '';
}
