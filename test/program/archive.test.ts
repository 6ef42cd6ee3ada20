import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openArchive } from '../helpers/plain-reader.ts';
import { ndjson, run } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';

const FRACTAL = 'd0000000-0000-4000-8000-000000000001';
const LONG = 20_000_000;

const services = await testServices();
const { dir, env } = await services.installation();
const key = env.BIFRACT_BACKUP_ENCRYPTION_KEY ?? '';

interface Child {
  period_label: string;
  storage_path: string;
  log_count: number;
}
interface Line {
  event: string;
  item?: string;
  result?: { children: Child[]; split: string };
}

/** Extreme times and difficult log lines. */
const ROWS: [time: string, raw: string][] = [
  ['1970-01-01T00:00:00.000Z', `'first'`],
  ['1999-12-31T23:59:59.999Z', `concat('a', char(10), 'b', char(13, 10, 0), 'c')`],
  ['2026-03-01T23:59:59.999Z', `unhex('80FFC0AFEDA080')`],
  ['2026-03-02T00:00:00.000Z', `concat('{"raw":"', char(34), char(92), '"}')`],
  ['2026-03-02T00:00:00.000Z', `concat('{"raw":"', char(34), char(92), '"}')`],
  ['2026-03-03T12:00:00.001Z', `repeat(repeat('x', 1000), ${LONG / 1000})`],
  ['2100-12-31T23:59:59.999Z', `'last'`],
];

await services.sql(`INSERT INTO fractals (id, name, archive_split) VALUES ($1, 'odd', 'week')`, [FRACTAL]);
await services.ch(
  `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id) ${ROWS.map(
    ([time, raw]) =>
      `SELECT fromUnixTimestamp64Milli(toInt64(${Date.parse(time)})), ${raw} AS r, lower(hex(sipHash128(r))), '${FRACTAL}'`,
  ).join(' UNION ALL ')}`,
);

async function rowsOf(children: Child[]) {
  const files = await Promise.all(children.map(({ storage_path }) => readFile(join(dir, storage_path))));
  return files.flatMap((file) => openArchive(file, key));
}

test('periods from 1970 to 2100, newlines, invalid UTF-8 and 20 MB lines are archived exactly', async () => {
  const ended = await run(['archive', 'odd', '--split', 'day', '--dir', dir, '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const events = ndjson<Line>(ended);
  const { children } = events.at(-1)?.result ?? { children: [] };
  assert.deepEqual(
    children.map(({ period_label, log_count }) => [period_label, log_count]),
    [
      ['1970-01-01', 1],
      ['1999-12-31', 1],
      ['2026-03-01', 1],
      ['2026-03-02', 2],
      ['2026-03-03', 1],
      ['2100-12-31', 1],
    ],
  );
  assert.deepEqual(
    events.filter(({ event }) => event === 'job:item').map(({ item }) => item),
    children.map(({ period_label }) => period_label),
  );
  const rows = await rowsOf(children);
  assert.deepEqual(
    rows.map(({ ts }) => ts),
    ROWS.map(([time]) => time),
  );
  const raws = rows.map(({ raw, raw64 }) =>
    raw64 ? Buffer.from(String(raw64), 'base64') : Buffer.from(String(raw)),
  );
  assert.deepEqual(
    raws.slice(0, 4).map((raw) => raw.toString('hex')),
    [
      Buffer.from('first').toString('hex'),
      Buffer.from('a\nb\r\n\0c').toString('hex'),
      '80ffc0afeda080',
      Buffer.from('{"raw":""\\"}').toString('hex'),
    ],
  );
  assert.ok(raws[5]?.equals(Buffer.alloc(LONG, 'x')));
  const verified = await run(['verify', '--all', '--dir', dir]);
  assert.equal(verified.code, 0, verified.stderr);
});

test('the split defaults to that of the fractal, and a window limits the rows', async () => {
  const ended = await run([
    'archive',
    'odd',
    '--from',
    '2026-03-01',
    '--to',
    '2026-03-03',
    '--dir',
    dir,
    '--json',
  ]);
  const { split, children } = ndjson<Line>(ended).at(-1)?.result ?? { children: [] };
  assert.equal(split, 'week');
  assert.deepEqual(
    children.map(({ period_label, log_count }) => [period_label, log_count]),
    [
      ['2026-02-23 to 2026-03-01', 1],
      ['2026-03-02 to 2026-03-08', 2],
    ],
  );
  const [group] = await services.sql('SELECT * FROM archive_groups ORDER BY created_at DESC LIMIT 1');
  assert.deepEqual(
    [
      group?.split_granularity,
      group?.status,
      group?.archive_count,
      group?.completed_count,
      group?.total_log_count,
    ],
    ['week', 'completed', '2', '2', '3'],
  );
  const none = await run(['archive', 'odd', '--from', '2050-01-01', '--to', '2051-01-01', '--dir', dir]);
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stdout.toString(), /\bodd\b.*2050-01-01T00:00:00.*2051-01-01T00:00:00/);
});

test('bad options exit with 2', async () => {
  for (const wrong of [
    ['--split', 'month'],
    ['--from', 'soon'],
    ['--from', '2026-03-02', '--to', '2026-03-02'],
  ]) {
    assert.equal((await run(['archive', 'odd', ...wrong, '--dir', dir])).code, 2, wrong.join(' '));
  }
});
