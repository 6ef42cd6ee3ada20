import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FolderJobBus } from '../../../src/core/adapters/job-bus/job-bus.ts';
import { QueueFile } from '../../../src/core/adapters/state/queue-file.ts';
import { BifractError } from '../../../src/core/contract/errors.ts';
import type { JobEvent } from '../../../src/core/contract/events.ts';
import { JobQueryService } from '../../../src/core/engine/job-queries.ts';
import type { JobRequest } from '../../../src/core/engine/jobs.ts';
import { QueueService, type QueueServices } from '../../../src/core/engine/queue.ts';
import { QueueRunner } from '../../../src/core/engine/queue-runner.ts';
import type { JobLog } from '../../../src/core/ports/job-bus.ts';
import { queued } from '../../contracts/job-queue.ts';
import { refuses } from '../../contracts/storage.ts';
import { LIMIT_MS, until } from '../../helpers/until.ts';

let dir: string;
let services: QueueServices;
let service: QueueService;
/** Ids of the jobs whose process was started, in order. */
let started: string[];
let logs: Map<string, JobLog<JobEvent>>;
let runnersStarted: number;
/** Makes the next starts of a process fail. */
let failures: BifractError[];
let runners: { stop: AbortController; ended: Promise<void> }[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-queue-'));
  [started, logs, runnersStarted, failures, runners] = [[], new Map(), 0, [], []];
  const jobBus = new FolderJobBus(dir, () => undefined);
  services = {
    queue: new QueueFile(dir),
    jobBus,
    installation: { dir, read_only: false } as QueueServices['installation'],
    now: () => new Date(),
    owner: () => ({ user: 'root', host: 'here', pid: process.pid, from: null }),
    launcher: {
      start: async (id) => {
        const error = failures.shift();
        if (error) throw error;
        await begin(id);
      },
      startQueue: async () => {
        runnersStarted += 1;
      },
    },
  };
  service = new QueueService(services);
});

afterEach(async () => {
  for (const { stop, ended } of runners) {
    stop.abort(new Error('the test is over'));
    await ended.catch(() => undefined);
  }
  for (const log of logs.values()) await log.close();
  await rm(dir, { recursive: true });
});

/** What the process of a job does: publishes it, which only one process can. */
async function begin(id: string): Promise<void> {
  const log = await services.jobBus.publish(id, { onCancel: () => {}, onJournalError: () => {} });
  logs.set(id, log);
  log.add({ event: 'job:started', job: id, time: new Date().toISOString(), kind: 'archive', title: id });
  started.push(id);
}

async function end(id: string, code?: 'QUERY_FAILED' | 'TERMINATED'): Promise<void> {
  const stamp = { job: id, time: new Date().toISOString() };
  const error = { code: code ?? 'INTERNAL', message: 'broken' } as const;
  const log = logs.get(id);
  if (code === undefined) log?.add({ event: 'job:done', ...stamp, result: {} });
  else log?.add({ event: code === 'TERMINATED' ? 'job:cancelled' : 'job:failed', ...stamp, error });
  await log?.close();
  logs.delete(id);
}

function startRunner(): Promise<void> {
  const stop = new AbortController();
  const ended = new QueueRunner(services, { signal: stop.signal, started: () => {} }).run();
  ended.catch(() => undefined);
  runners.push({ stop, ended });
  return ended;
}

function request(fractal_id: string): JobRequest {
  return { kind: 'archive', fractal_id, fractal_name: fractal_id.toUpperCase() };
}

async function enqueue(...fractals: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const one of fractals) ids.push(await service.enqueue(request(one)));
  return ids;
}

const running = (id: string | undefined) => until(() => started.at(-1) === id, LIMIT_MS, `${id} has started`);
const waiting = async () =>
  (await service.queuedJobs()).flatMap(({ id, position }) => (position > 0 ? [id] : []));

test('jobs run one after another, however they end, and leave the queue', async () => {
  const [a = '', b = '', c = ''] = await enqueue('a', 'b', 'c');
  assert.deepEqual(
    (await service.queuedJobs()).map(({ id, title, position, target }) => [id, title, position, target?.id]),
    [
      [a, 'Archive of A', 1, 'a'],
      [b, 'Archive of B', 2, 'b'],
      [c, 'Archive of C', 3, 'c'],
    ],
  );
  const ended = startRunner();
  await running(a);
  assert.deepEqual(await waiting(), [b, c]);
  await end(a, 'QUERY_FAILED');
  await running(b);
  await end(b);
  await running(c);
  const [d = ''] = await enqueue('d');
  await end(c);
  await running(d);
  await end(d);
  await ended;
  assert.deepEqual([started, await services.queue.read()], [[a, b, c, d], []]);
});

test('a second runner ends at once; what is queued while the first one ends is run', async () => {
  const [a = ''] = await enqueue('a');
  const first = startRunner();
  await running(a);
  const seen = runnersStarted;
  await startRunner();
  const [b = ''] = await enqueue('b');
  await service.queueStarted();
  assert.equal(runnersStarted, seen, 'no process is started next to the first');
  // The last job leaves the queue; another process adds one before the lock is released.
  const { runAlone } = services.queue;
  let late = '';
  services.queue.runAlone = async (work) => {
    const alone = await runAlone.call(services.queue, work);
    if (late === '') [late = ''] = await enqueue('late');
    return alone;
  };
  const next = new QueueRunner(services, { signal: new AbortController().signal, started: () => {} });
  await end(a);
  await running(b);
  await end(b);
  await first;
  const [c = ''] = await enqueue('c');
  const ended = next.run();
  await running(c);
  await end(c);
  await until(() => started.length === 4 && started.at(-1) === late, LIMIT_MS, 'the late job has started');
  await end(late);
  await ended;
  assert.deepEqual(await services.queue.read(), []);
});

test('a runner that was killed at any point loses no job, and starts none twice', async () => {
  const at = new Date().toISOString();
  const record = (id: string, claimed: boolean) =>
    queued(id, { request: request('f'), started_at: claimed ? at : null });
  // Killed before it started the process, while the job ran, and after it had ended.
  for (const state of ['claimed', 'running', 'ended']) {
    const [first, second] = [`archive-20260301-120000-${state}`, `archive-20260301-120001-${state}`];
    await services.queue.change(() => [record(first, true), record(second, false)]);
    started.length = 0;
    if (state !== 'claimed') await begin(first);
    if (state === 'ended') await end(first);
    const ended = startRunner();
    if (state !== 'ended') {
      await running(first);
      assert.deepEqual(await waiting(), [second], state);
      await end(first);
    }
    await running(second);
    await end(second);
    await ended;
    assert.deepEqual([started, await services.queue.read()], [[first, second], []], state);
  }
});

test('a job that was started by a killed runner at the same moment is followed', async () => {
  const [a = ''] = await enqueue('a');
  services.launcher.start = async (id) => {
    await begin(id);
    throw new BifractError('EXISTS', 'the journal exists');
  };
  const ended = startRunner();
  await running(a);
  await end(a);
  await ended;
  assert.deepEqual([started, await services.queue.read()], [[a], []]);
});

test('a job whose process cannot be started stays first, says why, and is tried again', async () => {
  const [a = '', b = ''] = await enqueue('a', 'b');
  failures.push(new BifractError('STORAGE_FULL', 'No space left', { hint: 'Free some.' }));
  const ended = startRunner();
  const problem = await until(
    async () => (await service.queuedJobs())[0]?.problem,
    LIMIT_MS,
    'the problem is noted',
  );
  assert.deepEqual(problem, { code: 'STORAGE_FULL', message: 'No space left', hint: 'Free some.' });
  assert.deepEqual(await waiting(), [a, b]);
  await running(a);
  await end(a);
  await running(b);
  await end(b);
  await ended;
});

test('a job that this version cannot run fails, and the next one runs', async () => {
  const bad = [
    { kind: 'unknown' },
    { kind: 'delete', plan: {} },
    { kind: 'archive' },
    { ...request('f'), split: 'year' },
    { ...request('f'), from: 'yesterday' },
    { ...request('f'), fields: 1 },
    { ...request('f'), fractal_id: ['f'] },
    { ...request('f'), only_new_option: true },
  ];
  const records = bad.map((one, index) => queued(`job-${index}`, { request: one as never }));
  await services.queue.change(() => records);
  const [good = ''] = await enqueue('f');
  const ended = startRunner();
  await running(good);
  await end(good);
  await ended;
  assert.deepEqual(started, [good]);
  for (const { id } of records) {
    const last = (await services.jobBus.find(id))?.events.at(-1);
    assert.equal(last?.event === 'job:failed' && last.error.code, 'UNSUPPORTED', id);
  }
});

test('a waiting job can be removed and moved; one that has started cannot', async () => {
  const [a = '', b = '', c = '', d = ''] = await enqueue('a', 'b', 'c', 'd');
  const ended = startRunner();
  await running(a);
  assert.equal(await service.removeQueued(a), false);
  await refuses('NOT_FOUND', service.moveQueued(a, 'last'));
  await refuses('NOT_FOUND', service.moveQueued('other', 'first'));
  const moves = [
    [d, 'first', [d, b, c]],
    [d, 'up', [d, b, c]],
    [d, 'down', [b, d, c]],
    [b, 'last', [d, c, b]],
    [b, 'down', [d, c, b]],
    [b, 'up', [d, b, c]],
  ] as const;
  for (const [id, to, expected] of moves) {
    await service.moveQueued(id, to);
    assert.deepEqual(await waiting(), expected, to);
  }
  assert.deepEqual([await service.removeQueued(b), await service.removeQueued(b)], [true, false]);
  await end(a);
  await running(d);
  await end(d);
  await running(c);
  await end(c);
  await ended;
  assert.deepEqual(started, [a, d, c]);
});

test('a stopped runner stops no job, and the next one waits for it', async () => {
  const [a = '', b = ''] = await enqueue('a', 'b');
  const first = startRunner();
  await running(a);
  runners[0]?.stop.abort(new BifractError('TERMINATED', 'Stopped by SIGTERM'));
  await refuses('TERMINATED', first);
  assert.equal(await services.queue.hasRunner(), false);
  const ended = startRunner();
  await until(() => services.queue.hasRunner(), LIMIT_MS, 'the next one runs');
  assert.deepEqual([started, await waiting()], [[a], [b]]);
  await end(a);
  await running(b);
  await end(b);
  await ended;
});

test('after a job that was terminated, the next one is not started if the runner is, too', async () => {
  const [a = '', b = ''] = await enqueue('a', 'b');
  const first = startRunner();
  await running(a);
  await end(a, 'TERMINATED');
  await until(async () => (await services.queue.read())[0]?.id === b, LIMIT_MS, 'a has left the queue');
  runners[0]?.stop.abort(new BifractError('TERMINATED', 'Stopped by SIGTERM'));
  await refuses('TERMINATED', first);
  assert.deepEqual([started, await waiting()], [[a], [b]]);
});

test('a runner is started if something is queued and none runs; a failure is noted in the queue', async () => {
  service.wake();
  await service.queueStarted();
  assert.equal(runnersStarted, 0);
  await enqueue('a');
  await service.queueStarted();
  assert.equal(runnersStarted, 1);
  services.launcher.startQueue = () => Promise.reject(new BifractError('INTERNAL', 'no more processes'));
  await enqueue('b');
  await service.queueStarted();
  assert.deepEqual(
    (await service.queuedJobs()).map(({ problem }) => problem?.message),
    ['no more processes', undefined],
  );
});

test('nothing is queued, moved, removed or started with --read-only', async () => {
  const [a = ''] = await enqueue('a');
  await service.queueStarted();
  const seen = runnersStarted;
  Object.assign(services.installation, { read_only: true });
  await refuses('READ_ONLY', service.enqueue(request('b')));
  await refuses('READ_ONLY', service.removeQueued(a));
  await refuses('READ_ONLY', service.moveQueued(a, 'first'));
  service.wake();
  await service.queueStarted();
  assert.deepEqual([await waiting(), runnersStarted], [[a], seen]);
});

test('the queue is bounded, and takes only kinds of job that can be checked when they are read', async () => {
  await services.queue.change(() => Array.from({ length: 1_000 }, (_, at) => queued(`job-${at}`)));
  await refuses('BUSY', service.enqueue(request('a')));
  await services.queue.change(() => []);
  await refuses('USAGE', service.enqueue({ kind: 'backup' }));
  await refuses('USAGE', service.enqueue({ kind: 'nothing' } as never));
});

test('a queued job is found by its ID, can be followed before it starts, and ends for followers when it is removed', async () => {
  const [a = '', b = ''] = await enqueue('a', 'b');
  const queries = new JobQueryService({
    ...services,
    state: { interrupted: async () => [] } as never,
    catalog: async () => assert.fail(),
  });
  assert.equal(await queries.findJob(b.slice(-6)), b);
  const followed = Array.fromAsync(queries.follow(a));
  const removed = Array.fromAsync(queries.follow(b));
  removed.catch(() => undefined);
  assert.equal(await service.removeQueued(b), true);
  await refuses('CANCELLED', removed);
  const ended = startRunner();
  await running(a);
  await end(a);
  assert.deepEqual(
    (await followed).map(({ event }) => event),
    ['job:started', 'job:done'],
  );
  await ended;
  await refuses('NOT_FOUND', Array.fromAsync(queries.follow(b)));
});
