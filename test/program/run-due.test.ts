import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Coverage, DueItem, RunDueSummary } from '../../src/core/index.ts';
import { type Ended, ndjson, run } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';

const DAY = 86_400_000;
const WEB = 'c0000000-0000-4000-8000-000000000001';
const DNS = 'c0000000-0000-4000-8000-000000000002';
const BAD = 'c0000000-0000-4000-8000-000000000003';
/** Noon of earlier days, so that rows are in past periods. */
const TODAY = Math.floor(Date.now() / DAY) * DAY;
const noon = (days: number) => TODAY - days * DAY + DAY / 2;

const services = await testServices();
const dir = await services.installation();
await services.sql(
  `INSERT INTO fractals (id, name, archive_schedule, archive_split, max_archives) VALUES
     ($1, 'web', 'daily', 'day', NULL), ($2, 'dns', 'weekly', 'none', 1), ($3, 'bad', 'never', 'none', NULL)`,
  [WEB, DNS, BAD],
);
for (const id of [WEB, DNS, BAD]) for (const days of [1, 2, 3]) await insert(id, noon(days), 5);
await insert(WEB, Date.now(), 2);

async function insert(fractal: string, time: number, rows: number): Promise<void> {
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id)
     SELECT fromUnixTimestamp64Milli(toInt64(${Math.floor(time)}) + toInt64(number)), concat('line ', toString(number)), toString(number), '${fractal}' FROM numbers(${rows})`,
  );
}

const runDue = (...args: string[]): Promise<Ended> => run(['run-due', '--dir', dir.dir, ...args]);
const last = (ended: Ended) => ndjson<{ event: string; result: RunDueSummary }>(ended).at(-1);
/** Makes all scheduled archives so far look older. */
const age = (fractal: string, days: number) =>
  services.sql(
    `UPDATE archive_groups SET created_at = created_at - make_interval(days => $2) WHERE fractal_id = $1`,
    [fractal, days],
  );

async function coverage(fractal: string): Promise<Coverage> {
  const ended = await run(['coverage', fractal, '--dir', dir.dir, '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  return ndjson<Coverage>(ended)[0] as Coverage;
}

const paths = (fractal: string) =>
  services.sql<{ storage_path: string; period_label: string | null }>(
    `SELECT storage_path, period_label FROM archives WHERE fractal_id = $1 AND status = 'completed' ORDER BY created_at, period_label`,
    [fractal],
  );

test('a dry run shows what is due and changes nothing', async () => {
  const ended = await runDue('--dry-run', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(
    ndjson<DueItem>(ended).map(({ fractal_name, action, mode, to }) => [fractal_name, action, mode, to]),
    [
      ['dns', 'archive', 'full', null],
      ['web', 'archive', 'incremental', new Date(TODAY).toISOString()],
    ],
  );
  const text = (await runDue('--dry-run')).stdout.toString();
  assert.match(text, /web +due +day +new +0 +daily/);
  assert.deepEqual(await services.sql('SELECT id FROM archive_groups'), []);
});

test('a run archives past periods of due fractals, and a second run nothing', async () => {
  const metrics = join(dir.dir, 'due.prom');
  const hook_output = join(dir.dir, 'hook-output');
  const ended = await runDue(
    '--json',
    '--metrics',
    metrics,
    '--on-success',
    `echo "$BIFRACT_ARCHIVED $BIFRACT_ROWS" > ${hook_output}`,
  );
  assert.equal(ended.code, 0, ended.stderr);
  const { event, result } = last(ended) ?? {};
  assert.deepEqual([event, result?.archived, result?.rows, result?.deleted], ['job:done', 2, 30, 0]);
  assert.deepEqual(
    (await paths(WEB)).map(({ period_label }) => period_label),
    [3, 2, 1].map((days) => new Date(noon(days)).toISOString().slice(0, 10)),
  );
  const groups = await services.sql(
    'SELECT archive_type, status, split_granularity FROM archive_groups ORDER BY split_granularity',
  );
  assert.deepEqual(
    groups.map((group) => Object.values(group)),
    [
      ['scheduled', 'completed', 'day'],
      ['scheduled', 'completed', 'none'],
    ],
  );
  assert.match(await readFile(metrics, 'utf8'), /^bifract_run_due_archived 2$/m);
  assert.equal(await readFile(hook_output, 'utf8'), '2 30\n');

  const again = await runDue('--json');
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual([last(again)?.result.archived, last(again)?.result.skipped], [0, 2]);
  assert.equal((await paths(WEB)).length, 3);
});

test('coverage and status show what is archived', async () => {
  const { periods, unprotected_rows, protected_until } = await coverage('web');
  assert.deepEqual(
    periods.map(({ state, rows, unprotected_rows: open }) => [state, rows, open]),
    [
      ['both', 5, 0],
      ['both', 5, 0],
      ['both', 5, 0],
      ['clickhouse', 2, 2],
    ],
  );
  assert.equal(unprotected_rows, 2);
  assert.ok(protected_until !== null && Date.parse(protected_until) >= TODAY);
  const text = (await run(['coverage', 'web', '--dir', dir.dir])).stdout.toString();
  assert.match(text, /archived +15 +0 +3\n.*NOT ARCHIVED +2 +2 +0\n.*\b2\b/);
  const status = await run(['status', '--dir', dir.dir, '--json']);
  const [{ fractals }] = ndjson<{ fractals: { name: string; unprotected_rows: number }[] }>(status) as [
    { fractals: { name: string; unprotected_rows: number }[] },
  ];
  const open = fractals.map((one) => [one.name, one.unprotected_rows]);
  assert.deepEqual(open.filter(([name]) => ['web', 'dns', 'bad'].includes(String(name))).sort(), [
    ['bad', 15],
    ['dns', 0],
    ['web', 2],
  ]);
});

test('the next run archives only the day of a late row', async () => {
  await insert(WEB, noon(2) + 60_000, 1);
  assert.deepEqual(
    (await coverage('web')).periods.map(({ state }) => state),
    ['both', 'partial', 'both', 'clickhouse'],
  );
  await age(WEB, 1);
  const ended = await runDue('--json');
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(last(ended)?.result.rows, 6);
  assert.equal((await paths(WEB)).at(-1)?.period_label, new Date(noon(2)).toISOString().slice(0, 10));
  assert.equal((await coverage('web')).periods[1]?.state, 'both');
  await age(WEB, 1);
  assert.equal(last(await runDue('--json'))?.result.archived, 0, 'no new rows');
  await age(WEB, 1);
  assert.equal(last(await runDue('--full', '--json'))?.result.rows, 18, 'all rows, including those of today');
});

test('max_archives keeps the newest archives and deletes file and record of older ones', async () => {
  const [old] = await paths(DNS);
  await age(DNS, 8);
  const ended = await runDue('--json');
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual([last(ended)?.result.archived, last(ended)?.result.deleted], [1, 1]);
  const left = await paths(DNS);
  assert.equal(left.length, 1);
  assert.notEqual(left[0]?.storage_path, old?.storage_path);
  await assert.rejects(access(join(dir.dir, old?.storage_path ?? '')));
  await access(join(dir.dir, left[0]?.storage_path ?? ''));
  assert.match(await readFile(join(dir.dir, '.bifract', 'audit.log'), 'utf8'), /max_archives/);
});

test('prune deletes archives beyond max_archives, as in its dry run', async () => {
  const [kept] = await paths(DNS);
  await age(DNS, 8);
  await services.sql('UPDATE fractals SET max_archives = 5 WHERE id = $1', [DNS]);
  assert.equal((await runDue()).code, 0);
  await services.sql('UPDATE fractals SET max_archives = 1 WHERE id = $1', [DNS]);
  const plan = await run(['prune', '--dry-run', '--dir', dir.dir]);
  assert.equal(plan.code, 0, plan.stderr);
  assert.match(plan.stdout.toString(), new RegExp(`delete +.*${kept?.storage_path}`));
  assert.equal((await paths(DNS)).length, 2);
  const ended = await run(['prune', '--yes', '--dir', dir.dir]);
  assert.equal(ended.code, 0, ended.stderr);
  const left = await paths(DNS);
  assert.equal(left.length, 1);
  assert.notEqual(left[0]?.storage_path, kept?.storage_path);
  const none = await run(['prune', '--yes', '--dir', dir.dir]);
  assert.match(none.stdout.toString(), /--keep-.*\n.*max_archives/);
});

test('a fractal that fails is reported and retried later; the others are archived', async () => {
  await services.sql(`UPDATE fractals SET archive_schedule = 'daily' WHERE id = $1`, [BAD]);
  await mkdir(join(dir.dir, 'archives'), { recursive: true });
  await writeFile(join(dir.dir, 'archives', BAD), 'a file where a folder is to be');
  await age(WEB, 1);
  const ended = await runDue('--json', '--metrics', join(dir.dir, 'due.prom'));
  assert.equal(ended.code, 7, ended.stderr);
  const events = ndjson<{ event: string; item?: string; ok?: boolean; error?: { code: string } }>(ended);
  assert.equal(events.at(-1)?.event, 'job:failed');
  assert.equal(events.at(-1)?.error?.code, 'PARTLY_DONE');
  assert.deepEqual(
    events.filter(({ event }) => event === 'job:item').map(({ item, ok }) => [item, ok]),
    [
      ['bad', false],
      ['dns', true],
      ['web', true],
    ],
  );
  assert.match(await readFile(join(dir.dir, 'due.prom'), 'utf8'), /^bifract_run_due_last_run_success 0$/m);
  const next = await runDue('--json');
  assert.equal(next.code, 0, next.stderr);
  const skipped = ndjson<{ event: string; item?: string; ok?: boolean; message?: string }>(next).find(
    ({ event, item }) => event === 'job:item' && item === 'bad',
  );
  assert.equal(skipped?.ok, true);
  assert.match(skipped?.message ?? '', /\d{4}-\d\d-\d\d/);
});

test('--read-only fails', async () => {
  assert.equal((await runDue('--read-only')).code, 1);
});
