import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { listedJobs } from '../helpers/listed-jobs.ts';
import { LockedTable } from '../helpers/locked-table.ts';
import { isRunning } from '../helpers/processes.ts';
import { ndjson, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const NAMES = ['one', 'two', 'three', 'four'];

const services = await testServices();
const { dir } = await services.installation();
for (const [index, name] of NAMES.entries()) {
  const id = `d0000000-0000-4000-8000-00000000000${index}`;
  await services.sql('INSERT INTO fractals (id, name) VALUES ($1, $2)', [id, name]);
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id)
     SELECT toDateTime64('2026-03-01 12:00:00', 3) + number, toString(number), lower(hex(sipHash128(number, '${name}'))), '${id}'
     FROM numbers(100)`,
  );
}

const { bifract, jobs, find } = listedJobs(dir);

async function enqueue(name: string): Promise<string> {
  const ended = await bifract('archive', name, '--queue', '--quiet');
  assert.equal(ended.code, 0, ended.stderr);
  const id = ended.stdout.toString().trim();
  assert.match(id, /^archive-\d{8}-\d{6}-[0-9a-f]{6}$/);
  return id;
}

/** The process that runs the queue; undefined if there is none. */
async function runner(): Promise<number | undefined> {
  const text = await readFile(join(dir, '.bifract/running-queue'), 'utf8').catch(() => '');
  const pid = text === '' ? undefined : (JSON.parse(text) as { pid: number }).pid;
  return pid !== undefined && (await isRunning(pid)) ? pid : undefined;
}

async function untilEmpty(): Promise<void> {
  const isEmpty = async () => !(await readdir(join(dir, '.bifract'))).includes('queue.json');
  await until(isEmpty, 60_000, 'the queue is empty');
  await until(async () => (await runner()) === undefined, LIMIT_MS, 'its process has ended');
}

after(async () => {
  for (const { id, state } of await jobs()) if (/queued|running/.test(state)) await bifract('cancel', id);
});

test('queued archives run one after another without the process that queued them, and leave nothing', async () => {
  const held = await LockedTable.hold(services.postgres, 'archives');
  const ids = [await enqueue('one'), await enqueue('two'), await enqueue('three')];
  await until(async () => (await find(ids[0] ?? '')).state === 'running', LIMIT_MS, 'the first one runs');
  assert.deepEqual(
    (await jobs()).map(({ id, state, position }) => [id, state, position]),
    [
      [ids[0], 'running', null],
      [ids[1], 'queued', 1],
      [ids[2], 'queued', 2],
    ],
  );
  await held.release();
  await untilEmpty();
  const ended = await Promise.all(ids.map(find));
  assert.deepEqual(
    ended.map(({ state }) => state),
    ['done', 'done', 'done'],
  );
  for (const [at, { started_at }] of ended.slice(1).entries())
    assert.ok(Date.parse(started_at ?? '') >= Date.parse(ended[at]?.ended_at ?? ''), 'one after another');
  const left = await readdir(join(dir, '.bifract'), { recursive: true });
  assert.deepEqual(
    left.filter((path) => !/^(jobs|run|journal|copies?|folders\.json|journal\/.*\.ndjson)$/.test(path)),
    [],
  );
});

test('queued jobs are moved, removed and followed by their IDs; a running one is cancelled, and the next one runs', async () => {
  const held = await LockedTable.hold(services.postgres, 'archives');
  const [one, two, three, four] = [
    await enqueue('one'),
    await enqueue('two'),
    await enqueue('three'),
    await enqueue('four'),
  ];
  await until(async () => (await find(one)).state === 'running', LIMIT_MS, 'the first one runs');
  const moved = ndjson(await bifract('jobs', 'move', four.slice(-6), 'first', '--json'));
  assert.deepEqual(moved, [{ job: four, position: 1 }]);
  assert.equal((await bifract('jobs', 'move', one, 'last')).code, 1);
  assert.equal((await bifract('jobs', 'move', two, 'sideways')).code, 2);
  const attached = start(['attach', two, '--dir', dir, '--json']);
  const removed = start(['attach', three, '--dir', dir]);
  await once(removed.child.stderr ?? removed.child, 'data');
  const other = await bifract('cancel', three, '--json');
  assert.deepEqual(ndjson(other), [{ job: three, cancelled: true }]);
  assert.equal((await removed.ended).code, 130);
  for (const command of [
    ['cancel', two],
    ['jobs', 'move', two, 'first'],
    ['archive', 'one', '--queue'],
  ]) {
    const { code, stderr } = await bifract(...command, '--read-only');
    assert.deepEqual([code, /READ_ONLY/.test(stderr)], [1, true], command.join(' '));
  }
  assert.equal((await bifract('cancel', one, '--read-only')).code, 1);
  assert.equal((await bifract('cancel', one)).code, 0);
  await until(async () => (await find(four)).state === 'running', LIMIT_MS, 'the next one runs');
  await held.release();
  const { code, stdout } = await attached.ended;
  assert.equal(code, 0);
  assert.match(stdout.toString(), /job:started[\s\S]*job:done/);
  await untilEmpty();
  const ended = await Promise.all([one, four, two].map(find));
  assert.deepEqual(
    ended.map(({ state }) => state),
    ['cancelled', 'done', 'done'],
  );
  assert.ok((ended[1]?.ended_at ?? '') <= (ended[2]?.started_at ?? ''));
  assert.equal(
    (await jobs()).some(({ id }) => id === three),
    false,
  );
});

test('kill -9 of the process that runs the queue, at any moment, neither loses nor doubles a job', async () => {
  const archives = async () => Number((await services.sql('SELECT count(*) AS n FROM archives'))[0]?.n);
  const before = await archives();
  const ids: string[] = [];
  let killed = 0;
  for (let round = 0; round < 6; round++) {
    ids.push(await enqueue(NAMES[round % NAMES.length] ?? ''));
    // Before it has the queue, while it starts a process, while the job runs, and after it has ended.
    await wait(round * 60);
    const pid = await runner();
    if (pid === undefined) continue;
    process.kill(pid, 'SIGKILL');
    killed += 1;
  }
  assert.ok(killed > 1, `${killed} were killed`);
  // The end of any job starts the queue again.
  assert.equal((await bifract('clean')).code, 0);
  await untilEmpty();
  const ended = await Promise.all(ids.map(find));
  assert.deepEqual(
    ended.map(({ state }) => state),
    ids.map(() => 'done'),
  );
  assert.equal((await archives()) - before, ids.length);
  for (const id of ids) {
    const journal = await readFile(join(dir, '.bifract/journal', `${id}.ndjson`), 'utf8');
    assert.equal(journal.match(/job:started/g)?.length, 1);
  }
});

test('kill -9 of the queue and its job, as at a power failure: the job is reported, the others run after the next job', async () => {
  const held = await LockedTable.hold(services.postgres, 'archives');
  const [one, two] = [await enqueue('one'), await enqueue('two')];
  const job = await until(
    async () => (await jobs()).find(({ id, state }) => id === one && state === 'running'),
    LIMIT_MS,
    'the first one runs',
  );
  const pid = await until(runner, LIMIT_MS, 'the queue runs');
  for (const each of [pid, job.by.pid]) process.kill(each, 'SIGKILL');
  await held.release();
  assert.deepEqual([(await find(one)).state, (await find(two)).state], ['died', 'queued']);
  assert.equal((await bifract('run-due')).code, 0);
  await untilEmpty();
  assert.deepEqual([(await find(one)).state, (await find(two)).state], ['died', 'done']);
});
