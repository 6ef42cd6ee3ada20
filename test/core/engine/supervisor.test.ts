import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FolderJobBus } from '../../../src/core/adapters/job-bus/job-bus.ts';
import { BifractError, cancelled } from '../../../src/core/contract/errors.ts';
import type { JobEvent } from '../../../src/core/contract/events.ts';
import type { EngineServices, JobHandle } from '../../../src/core/engine/contract.ts';
import { JobFeed } from '../../../src/core/engine/job-feed.ts';
import type { JobRequest, RequestOf } from '../../../src/core/engine/jobs.ts';
import { JOBS } from '../../../src/core/engine/jobs.ts';
import { JobRunner } from '../../../src/core/engine/runner.ts';
import { JobSupervisor } from '../../../src/core/engine/supervisor.ts';
import type { LaunchRequest } from '../../../src/core/ports/job-launcher.ts';
import { LIMIT_MS, until } from '../../helpers/until.ts';

const REQUEST: RequestOf<'verify'> = { kind: 'verify', targets: [] };
const OWNER = { user: 'root', host: 'here', pid: 1, from: 'pts/0' };
const NO_FEED = { add: () => undefined };
const NO_QUEUE = { wake: () => undefined };
let dir: string;
/** Lets the waiting jobs continue. */
let release: () => void;
/** Makes the waiting jobs fail; a cancelled job ends as cancelled. */
let fail: (error?: Error) => void;
let cancels: number;
let otherProcess: JobRunner;
let orders: LaunchRequest[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-shared-'));
  orders = [];
  cancels = 0;
});

afterEach(async () => {
  release();
  await otherProcess.shutdown(cancelled());
  await rm(dir, { recursive: true });
});

function makeServices(
  start?: (id: string, order: LaunchRequest) => Promise<void>,
  read_only = false,
): EngineServices {
  const gate = Promise.withResolvers<void>();
  release = gate.resolve;
  fail = (error = new Error('no keys')) => gate.reject(error);
  gate.promise.catch(() => undefined);
  const jobBus = new FolderJobBus(dir, () => undefined);
  const cancel = jobBus.cancel.bind(jobBus);
  jobBus.cancel = async (...call) => {
    await cancel(...call);
    cancels += 1;
  };
  const fakes: { [Key in keyof EngineServices]?: unknown } = {
    installation: { read_only },
    now: () => new Date(),
    owner: () => OWNER,
    jobBus: jobBus,
    keys: () => gate.promise.then(() => []),
    launcher: {
      // Stands in for another process.
      start: async (id: string, order: LaunchRequest) => {
        orders.push(order);
        await start?.(id, order);
        otherProcess.start(order.request as JobRequest, { id, must_be_visible: true });
        await until(
          async () => ((await jobBus.find(id))?.events.length ?? 0) > 0,
          LIMIT_MS,
          'the job is visible',
        );
      },
    },
  };
  const services = fakes as unknown as EngineServices;
  otherProcess = new JobRunner(services, { feed: NO_FEED, queue: NO_QUEUE });
  return services;
}

/** A console and the events it receives. */
function openConsole(services: EngineServices): {
  jobs: JobSupervisor;
  events: JobEvent[];
  close(): Promise<void>;
} {
  const feed = new JobFeed(services, { shared: true });
  const jobs = new JobSupervisor(services, feed, new JobRunner(services, { feed, queue: NO_QUEUE }));
  const events: JobEvent[] = [];
  feed.subscribe((event) => events.push(event));
  const close = async () => {
    await jobs.shutdown(cancelled());
    feed.close(cancelled());
  };
  return { jobs, events, close };
}

const names = (events: JobEvent[]) => events.map(({ event }) => event);

test('a job is described at once, runs in another process, and is followed to its end', async () => {
  const { jobs, events, close } = openConsole(makeServices());
  const { id, kind, title, outcome } = jobs.start(REQUEST);
  await until(() => otherProcess.isRunning(id), LIMIT_MS, 'the job runs');
  assert.equal(jobs.outlives(id), true);
  assert.deepEqual(orders, [{ request: REQUEST, by: OWNER }]);
  release();
  assert.equal((await outcome).event, 'job:done');
  const [started] = events;
  assert.equal(names(events).filter((event) => event === 'job:started').length, 1);
  assert.equal(names(events).at(-1), 'job:done');
  assert.ok(started?.event === 'job:started');
  assert.deepEqual([started.job, started.kind, started.title], [id, kind, title]);
  await close();
});

test('closing a console stops no job of another process; the next console receives all its events', async () => {
  const services = makeServices();
  const first = openConsole(services);
  const { id } = first.jobs.start(REQUEST);
  await until(() => otherProcess.isRunning(id), LIMIT_MS, 'the job runs');
  await first.close();
  assert.equal(otherProcess.isRunning(id), true);
  const next = openConsole(services);
  await until(
    () => next.events.some(({ event }) => event === 'job:started'),
    LIMIT_MS,
    'the job is reported',
  );
  release();
  await until(() => names(next.events).at(-1) === 'job:done', LIMIT_MS, 'its end is reported');
  assert.equal(names(next.events).filter((event) => event === 'job:started').length, 1);
  await next.close();
});

test('a cancel reaches a job in another process, even while it is being started', async () => {
  const gate = Promise.withResolvers<void>();
  const { jobs, close } = openConsole(makeServices(() => gate.promise));
  const { id, outcome } = jobs.start(REQUEST);
  jobs.cancel(id);
  gate.resolve();
  await until(() => otherProcess.isRunning(id), LIMIT_MS, 'the job runs');
  await until(() => cancels === 1, LIMIT_MS, 'the cancel arrived');
  fail();
  assert.equal((await outcome).event, 'job:cancelled');
  await close();
});

test('if no process can be started the job runs here with a warning, and stops with the console', async () => {
  const full = new BifractError('STORAGE_FULL', 'The disk is full');
  const { jobs, events, close } = openConsole(makeServices(() => Promise.reject(full)));
  const { id, outcome } = jobs.start(REQUEST);
  await until(() => events.length === 2, LIMIT_MS, 'the job runs here');
  assert.equal(jobs.outlives(id), false);
  assert.deepEqual(names(events), ['job:started', 'job:warning']);
  assert.match(JSON.stringify(events[1]), /The disk is full/);
  const ending = close();
  fail();
  await ending;
  assert.equal((await outcome).event, 'job:cancelled');
});

test('a read-only console runs verification itself, and writes nothing', async () => {
  const { jobs, close } = openConsole(makeServices(undefined, true));
  const { outcome } = jobs.start(REQUEST);
  release();
  assert.equal((await outcome).event, 'job:done');
  assert.deepEqual([orders, await readdir(dir)], [[], []]);
  await close();
});

test('jobs that ended long ago are not reported, recent ones are', async () => {
  const services = makeServices();
  release();
  const ids = ['verify-20260301-120000-aaaaaa', 'verify-20260301-120000-bbbbbb'];
  for (const id of ids) await otherProcess.start(REQUEST, { id }).outcome;
  const old = join(dir, '.bifract/journal', `${ids[0]}.ndjson`);
  await writeFile(
    old,
    (await readFile(old, 'utf8')).replaceAll(/"time":"[^"]+"/g, '"time":"2026-03-01T12:00:00Z"'),
  );
  const { events, close } = openConsole(services);
  await until(() => names(events).includes('job:done'), LIMIT_MS, 'a job is reported');
  assert.deepEqual([...new Set(events.map(({ job }) => job))], [ids[1]]);
  await close();
});

test('a cancelled job ends with the hint of its kind unless it throws a cancel with its own; other errors are dropped', async () => {
  for (const [thrown, hint] of [
    [
      new BifractError('CANCELLED', 'Cancelled by the user', { hint: 'Not rolled back.' }),
      'Not rolled back.',
    ],
    [new BifractError('QUERY_FAILED', 'broken', { hint: 'Fix it.' }), JOBS.verify.cancelledHint],
  ] as const) {
    makeServices();
    const { id, outcome }: JobHandle<'verify'> = otherProcess.start(REQUEST);
    await until(() => otherProcess.isRunning(id), LIMIT_MS, 'the job runs');
    otherProcess.cancel(id);
    fail(thrown);
    const end = await outcome;
    assert.equal(end.event === 'job:cancelled' && end.error.hint, hint);
  }
});

test('errors of jobs that end as INTERNAL are passed to onFault, others are not', async () => {
  const faults: unknown[] = [];
  for (const error of [new Error('a fault'), new BifractError('BUSY', 'in use')]) {
    const runner = new JobRunner(makeServices(), {
      feed: NO_FEED,
      queue: NO_QUEUE,
      onFault: (fault) => faults.push(fault),
    });
    const { outcome }: JobHandle<'verify'> = runner.start(REQUEST);
    fail(error);
    assert.equal((await outcome).event, 'job:failed');
  }
  assert.deepEqual(
    faults.map((fault) => (fault as Error).message),
    ['a fault'],
  );
});
