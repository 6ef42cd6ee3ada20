// Archives the rows of a fractal, deletes and restores them, and compares every column, once per split:
// node --import tsx test/large/restore-round-trip.ts [rows] [disk|s3] [split …]. Build first.

import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measure, PROGRAM } from '../../bench/tools/program.ts';
import { type Demo, startDemo } from '../../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { formatBytes } from '../../src/core/text/units.ts';
import { TEST_CREDENTIALS } from '../helpers/s3/server.ts';
import { BUCKET, startS3Server } from '../helpers/s3/test-server.ts';

const [count = '2000000', storage = 'disk', ...chosen] = process.argv.slice(2);
const rows = Number(count);
const splits = chosen.length > 0 ? chosen : ['none', 'hour', 'day', 'week'];
const FRACTAL = 'f0000000-0000-4000-8000-000000000009';
/** Rows over the whole time range, some with lines of 20 MB. */
const FAR_ROWS = `INSERT INTO logs SELECT fromUnixTimestamp64Milli(toInt64(number % 41 * 4133980799999 / 40)),
  if(number % 500 = 7, repeat(repeat(concat(toString(number), 'x"', char(92, 10, 255)), 2500), 1000), concat('far ', toString(number))),
  toString(number), concat('{"n":"', toString(number), '"}'), '${FRACTAL}', now64(3) FROM numbers(2001)`;
/** One row in a thousand two more times. */
const DUPLICATES = `INSERT INTO logs SELECT timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp FROM logs
  ARRAY JOIN [1, 2] AS again WHERE fractal_id = '${FRACTAL}' AND cityHash64(log_id) % 1000 = 3 AND length(raw_log) < 1000`;
const DIGEST = `SELECT count() AS rows, sum(cityHash64(timestamp, raw_log, log_id, ingest_timestamp)) AS columns,
  sum(cityHash64(toJSONString(fields), JSONAllPathsWithTypes(fields))) AS fields, min(timestamp), max(timestamp)
  FROM logs WHERE fractal_id = '${FRACTAL}' FORMAT JSONEachRow`;

const lab = storage === 's3' ? await startS3Server() : undefined;
const demo = await startDemo({ generation: 'A', scale: 0 });
try {
  if (lab) await storeInBucket(demo, lab.server.url);
  const ch = (sql: string) => queryClickhouse(demo.clickhouse, 'logs', sql);
  await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'trip')`);
  const [from, to] = [new Date('2025-11-01'), new Date('2026-06-01')];
  await seedRows(demo.clickhouse, 'logs', { fractal_id: FRACTAL, kind: 'mixed', rows, seed: 11, from, to });
  await ch(FAR_ROWS);
  await ch(DUPLICATES);
  const before = await ch(DIGEST);
  console.log(before.trim());
  for (const split of splits) {
    await bifract(demo, 'archive', 'trip', '--split', split);
    const id = await newest(demo);
    await ch(`ALTER TABLE logs DELETE WHERE fractal_id = '${FRACTAL}' SETTINGS mutations_sync = 2`);
    for (const time of ['first', 'second']) {
      console.log(JSON.stringify(await bifract(demo, 'restore-archive', id)));
      const now = await ch(DIGEST);
      if (now !== before) throw new Error(`Rows differ after the ${time} restore: ${now}`);
    }
    console.log(`${storage}, ${split}: all rows and columns identical, no duplicates`);
  }
} finally {
  await demo.stop();
  await lab?.stop();
}

async function storeInBucket({ dir }: Demo, url: string): Promise<void> {
  const settings = {
    BUCKET,
    ENDPOINT: url,
    ACCESS_KEY: TEST_CREDENTIALS.access_key,
    SECRET_KEY: TEST_CREDENTIALS.secret_key,
  };
  const lines = Object.entries(settings).map(([name, value]) => `BIFRACT_S3_${name}=${value}\n`);
  await appendFile(join(dir, '.env'), lines.join(''));
}

async function bifract({ dir }: Demo, ...args: string[]): Promise<Record<string, unknown>> {
  const env = { ...process.env, BIFRACT_DIR: dir };
  const run = await measure(process.execPath, [PROGRAM, ...args, '--yes', '--json'], env);
  console.log(`${args.join(' ')}: ${run.seconds.toFixed(1)} s, peak memory ${formatBytes(run.peak_rss)}`);
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
