import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FolderBoard } from '../../src/core/adapters/folder-board.ts';
import type { JobRequest } from '../../src/core/engine.ts';
import { BifractError, cancelled, UNDONE } from '../../src/core/errors.ts';
import type { JobEvent } from '../../src/core/events.ts';
import { JobRunner } from '../../src/core/job-runner.ts';
import type { JobOrder } from '../../src/core/ports/job-starter.ts';
import type { Services } from '../../src/core/services.ts';
import { SharedJobs } from '../../src/core/shared-jobs.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const REQUEST: JobRequest = { kind: 'verify', targets: [] };
const OWNER = { user: 'root', host: 'here', pid: 1, from: 'pts/0' };
let dir: string;
/** Jobs wait for their keys until this is called. */
let letGo: () => void;
/** Or fail by this, which a cancel turns into its end. */
let fail: (error?: Error) => void;
let cancels: number;
let elsewhere: JobRunner;
let orders: JobOrder[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-shared-'));
  orders = [];
  cancels = 0;
});

afterEach(async () => {
  letGo();
  await elsewhere.end(cancelled());
  await rm(dir, { recursive: true });
});

function makeServices(start?: (id: string, order: JobOrder) => Promise<void>, read_only = false): Services {
  const gate = Promise.withResolvers<void>();
  letGo = gate.resolve;
  fail = (error = new Error('no keys')) => gate.reject(error);
  gate.promise.catch(() => undefined);
  const board = new FolderBoard(dir);
  const cancel = board.cancel.bind(board);
  board.cancel = async (...call) => {
    await cancel(...call);
    cancels += 1;
  };
  const services = {
    installation: { read_only },
    now: () => new Date(),
    owner: () => OWNER,
    board,
    keys: () => gate.promise.then(() => []),
    starter: {
      // Another process, as far as can be told from here.
      start: async (id: string, order: JobOrder) => {
        orders.push(order);
        await start?.(id, order);
        elsewhere.start(order.request as JobRequest, { id, must_be_seen: true });
        await until(
          async () => ((await services.board.find(id))?.events.length ?? 0) > 0,
          LIMIT_MS,
          'it is seen',
        );
      },
    },
  } as unknown as Services;
  elsewhere = new JobRunner(services);
  return services;
}

/** The jobs of a console, and what it hears of them. */
function openConsole(services: Services): { jobs: SharedJobs; heard: JobEvent[] } {
  const jobs = new SharedJobs(services, new JobRunner(services));
  const heard: JobEvent[] = [];
  jobs.subscribe((event) => heard.push(event));
  return { jobs, heard };
}

const names = (events: JobEvent[]) => events.map(({ event }) => event);

test('a job is told at once, runs elsewhere, and is followed to its end', async () => {
  const { jobs, heard } = openConsole(makeServices());
  const { id, outcome } = jobs.start(REQUEST);
  await until(() => heard.length > 0, LIMIT_MS, 'it is told');
  assert.deepEqual([heard[0]?.event, heard[0]?.job], ['job:started', id]);
  await until(() => elsewhere.runs(id), LIMIT_MS, 'it runs');
  assert.equal(jobs.outlives(id), true);
  assert.deepEqual(orders, [{ request: REQUEST, by: OWNER }]);
  letGo();
  assert.equal((await outcome).event, 'job:done');
  assert.equal(names(heard).at(-1), 'job:done');
  await jobs.end(cancelled());
});

test('the end of a console ends no job of another process; the next console hears all of it', async () => {
  const services = makeServices();
  const first = openConsole(services);
  const { id } = first.jobs.start(REQUEST);
  await until(() => elsewhere.runs(id), LIMIT_MS, 'it runs');
  await first.jobs.end(cancelled());
  assert.equal(elsewhere.runs(id), true);
  const next = openConsole(services);
  await until(() => next.heard.some(({ event }) => event === 'job:started'), LIMIT_MS, 'it is heard of');
  letGo();
  await until(() => names(next.heard).at(-1) === 'job:done', LIMIT_MS, 'its end is heard of');
  assert.equal(names(next.heard).filter((event) => event === 'job:started').length, 1);
  await next.jobs.end(cancelled());
});

test('a cancel reaches a job elsewhere, also one that is just being started', async () => {
  const gate = Promise.withResolvers<void>();
  const { jobs } = openConsole(makeServices(() => gate.promise));
  const { id, outcome } = jobs.start(REQUEST);
  jobs.cancel(id);
  gate.resolve();
  await until(() => elsewhere.runs(id), LIMIT_MS, 'it runs');
  await until(() => cancels === 1, LIMIT_MS, 'it was told');
  fail();
  assert.equal((await outcome).event, 'job:cancelled');
  await jobs.end(cancelled());
});

test('where no process can be started the job runs here, says so, and ends with the console', async () => {
  const full = new BifractError('STORAGE_FULL', 'The disk is full');
  const { jobs, heard } = openConsole(makeServices(() => Promise.reject(full)));
  const { id, outcome } = jobs.start(REQUEST);
  await until(
    () => heard.filter(({ event }) => event === 'job:started').length === 2,
    LIMIT_MS,
    'it runs here',
  );
  assert.equal(jobs.outlives(id), false);
  assert.match(JSON.stringify(heard[1]), /ends with the console: The disk is full/);
  const ending = jobs.end(cancelled());
  fail();
  await ending;
  assert.equal((await outcome).event, 'job:cancelled');
});

test('a read-only console verifies by itself, and leaves no trace', async () => {
  const { jobs } = openConsole(makeServices(undefined, true));
  const { outcome } = jobs.start(REQUEST);
  letGo();
  assert.equal((await outcome).event, 'job:done');
  assert.deepEqual([orders, await readdir(dir)], [[], []]);
  await jobs.end(cancelled());
});

test('jobs that ended long ago are not told of, those of today are', async () => {
  const services = makeServices();
  letGo();
  const ids = ['verify-20260301-120000-aaaaaa', 'verify-20260301-120000-bbbbbb'];
  for (const id of ids) await elsewhere.start(REQUEST, { id }).outcome;
  const old = join(dir, '.bifract/journal', `${ids[0]}.ndjson`);
  await writeFile(
    old,
    (await readFile(old, 'utf8')).replaceAll(/"time":"[^"]+"/g, '"time":"2026-03-01T12:00:00Z"'),
  );
  const { jobs, heard } = openConsole(services);
  await until(() => names(heard).includes('job:done'), LIMIT_MS, 'one is told of');
  assert.deepEqual([...new Set(heard.map(({ job }) => job))], [ids[1]]);
  await jobs.end(cancelled());
});

test('a cancelled job was undone, unless it says more of that end; whatever else it throws is no news', async () => {
  for (const [thrown, hint] of [
    [new BifractError('CANCELLED', 'Cancelled by the user', { hint: 'Not undone.' }), 'Not undone.'],
    [new BifractError('QUERY_FAILED', 'broken', { hint: 'Mend it.' }), UNDONE],
  ] as const) {
    makeServices();
    const { id, outcome } = elsewhere.start(REQUEST);
    await until(() => elsewhere.runs(id), LIMIT_MS, 'it runs');
    elsewhere.cancel(id);
    fail(thrown);
    const end = await outcome;
    assert.equal(end.event === 'job:cancelled' && end.error.hint, hint);
  }
});

test('what a job threw that ends as an internal failure is handed on, nothing else is', async () => {
  const faults: unknown[] = [];
  for (const error of [new Error('a fault'), new BifractError('BUSY', 'somebody is at it')]) {
    const runner = new JobRunner(makeServices(), (fault) => faults.push(fault));
    const { outcome } = runner.start(REQUEST);
    fail(error);
    assert.equal((await outcome).event, 'job:failed');
  }
  assert.deepEqual(
    faults.map((fault) => (fault as Error).message),
    ['a fault'],
  );
});
