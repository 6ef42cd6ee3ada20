import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FolderJobBus } from '../../../../src/core/adapters/job-bus/job-bus.ts';
import { identityOf } from '../../../../src/core/adapters/state/process-identity.ts';
import type { BifractError } from '../../../../src/core/contract/errors.ts';
import type { JobEvent } from '../../../../src/core/contract/events.ts';
import type { JobLog } from '../../../../src/core/ports/job-bus.ts';
import { refuses } from '../../../contracts/storage.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const JOB = 'archive-20260301-120000-abc123';
const PUBLISHER = fileURLToPath(new URL('./job-publisher.ts', import.meta.url));
const STARTED = event({ event: 'job:started', kind: 'archive', title: 'Archive of web' });
const DONE = event({ event: 'job:done', result: { rows: 7 } });
const resumeHint = (kind: string) => (kind === 'archive' ? 'Resume it.' : undefined);
let dir: string;
let jobBus: FolderJobBus;
let cancels: number;
let open: JobLog<JobEvent>[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-jobs-'));
  jobBus = new FolderJobBus(dir, resumeHint);
  cancels = 0;
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((one) => one.close()));
  await rm(dir, { recursive: true });
});

type Bare = JobEvent extends infer One ? (One extends JobEvent ? Omit<One, 'job' | 'time'> : never) : never;

function event(bare: Bare): JobEvent {
  return { job: JOB, time: '2026-03-01T12:00:00.000Z', ...bare } as JobEvent;
}

async function publish(id = JOB, on = jobBus): Promise<JobLog<JobEvent>> {
  const log = await on.publish(id, {
    onCancel: () => {
      cancels++;
    },
    onJournalError: (error) => assert.fail(error),
  });
  open.push(log);
  return log;
}

function socketPath(install = dir): string {
  return join(install, '.bifract/run', `${JOB}.sock`);
}

/** Follows a job and collects its events. */
function follow(id = JOB, on: FolderJobBus = new FolderJobBus(dir, resumeHint)) {
  const events: JobEvent[] = [];
  const end = new AbortController();
  const ended = (async () => {
    for await (const one of on.follow(id, { signal: end.signal })) events.push(one);
  })();
  ended.catch(() => undefined);
  return { events, ended, stop: () => end.abort() };
}

test('without a job nothing is found and no folder is created', async () => {
  assert.deepEqual([await jobBus.ids(), await jobBus.find(JOB), await readdir(dir)], [[], undefined, []]);
  await refuses('NOT_FOUND', jobBus.cancel(JOB));
  await refuses('NOT_FOUND', follow('none').ended);
  for (const id of ['../x', '', 'a/b']) await refuses('NOT_FOUND', follow(id).ended);
});

test('a follower gets all events of a job, however late it joins', async () => {
  const job = await publish();
  job.add(STARTED);
  const early = follow();
  await until(() => early.events.length === 1, LIMIT_MS, 'the first event arrives');
  job.add(event({ event: 'job:phase', phase: 'Archiving' }));
  job.add(event({ event: 'job:progress', rows: 5, total_rows: 10 }));
  await until(() => early.events.length === 3, LIMIT_MS, 'the progress arrives');
  const late = follow();
  await until(() => late.events.length === 3, LIMIT_MS, 'the late follower catches up');
  assert.equal((await jobBus.find(JOB))?.live, true);
  job.add(DONE);
  await job.close();
  await Promise.all([early.ended, late.ended]);
  assert.deepEqual(early.events, late.events);
  assert.deepEqual(early.events.at(-1), DONE);
  const after = follow();
  await after.ended;
  assert.deepEqual(after.events.at(-1), DONE);
  assert.deepEqual([await jobBus.ids(), (await jobBus.find(JOB))?.live], [[JOB], false]);
  assert.deepEqual(await readdir(join(dir, '.bifract/run')), [], 'the socket is removed');
});

test('a cancel reaches the job, and fails once the job has ended', async () => {
  const job = await publish();
  job.add(STARTED);
  await new FolderJobBus(dir, resumeHint).cancel(JOB);
  assert.equal(cancels, 1);
  job.add(event({ event: 'job:cancelled', error: { code: 'CANCELLED', message: 'Cancelled by the user' } }));
  await job.close();
  await refuses('NOT_FOUND', jobBus.cancel(JOB));
});

test('folders and sockets are for their user alone', async () => {
  await publish();
  const modes = await Promise.all(
    ['.bifract', '.bifract/journal', '.bifract/run', `.bifract/run/${JOB}.sock`].map((path) =>
      stat(join(dir, path)),
    ),
  );
  assert.deepEqual(
    modes.map(({ mode }) => (mode & 0o777).toString(8)),
    ['700', '700', '700', '700'],
  );
});

test('invalid, endless and missing requests on the socket do not disturb the job or its followers', async () => {
  const job = await publish();
  job.add(STARTED);
  const follower = follow();
  await until(() => follower.events.length === 1, LIMIT_MS, 'the follower is connected');
  const invalid = [
    '\n\n\n',
    'x\n',
    '{"do":"x"}\n',
    '{"do":"follow","after":{}}\n{"do":"follow"}\n',
    '\0\xff\n',
    'null\n',
  ];
  const sockets = [...invalid, 'x'.repeat(1 << 20), '{"do":"follow","after":-1e99}\n', ''].map((text) => {
    const socket = connect(socketPath());
    socket.on('error', () => undefined);
    socket.write(text);
    return socket;
  });
  for (const socket of sockets) socket.resume();
  await until(
    () => sockets.slice(0, 7).every(({ closed }) => closed),
    LIMIT_MS,
    'connections with invalid requests are closed',
  );
  job.add(event({ event: 'job:phase', phase: 'still there' }));
  job.add(DONE);
  await job.close();
  await follower.ended;
  assert.deepEqual(follower.events.at(-1), DONE);
  assert.equal(cancels, 0);
  for (const socket of sockets) socket.destroy();
});

test('a follower that does not read does not block the job', async () => {
  const job = await publish();
  job.add(STARTED);
  const lazy = connect(socketPath());
  lazy.on('error', () => undefined);
  lazy.write('{"do":"follow"}\n');
  lazy.pause();
  const message = 'm'.repeat(1 << 19);
  for (let at = 0; at < 80; at++) job.add(event({ event: 'job:warning', message }));
  job.add(DONE);
  const began = performance.now();
  await job.close();
  assert.ok(performance.now() - began < 5_000);
  lazy.destroy();
  const after = follow();
  await after.ended;
  assert.deepEqual(after.events.at(-1), DONE);
});

test('a socket with a path that is too long is in a temporary folder, and removed with the job', async () => {
  const long = join(dir, 'x'.repeat(90));
  await mkdir(long);
  const far = new FolderJobBus(long, resumeHint);
  const job = await publish(JOB, far);
  job.add(STARTED);
  const [head = ''] = (await readFile(join(long, '.bifract/journal', `${JOB}.ndjson`), 'utf8')).split('\n');
  const { socket } = JSON.parse(head) as { socket: string };
  assert.ok(Buffer.byteLength(socket) <= 103, socket);
  assert.equal((await stat(dirname(socket))).mode & 0o777, 0o700);
  const follower = follow(JOB, new FolderJobBus(long, resumeHint));
  await far.cancel(JOB);
  assert.equal(cancels, 1);
  job.add(DONE);
  await job.close();
  await follower.ended;
  await assert.rejects(stat(dirname(socket)), { code: 'ENOENT' });
});

/** Publishes a job in another process. */
async function startPublisher(install = dir, ...mode: string[]) {
  const args = ['--import', 'tsx', PUBLISHER, install, JSON.stringify(STARTED), ...mode];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = once(child, 'exit');
  const other = new FolderJobBus(install, resumeHint);
  await until(
    async () => ((await other.find(JOB))?.events.length ?? 0) > 0,
    LIMIT_MS,
    'the job is published',
  );
  return { child, exit };
}

test('following a job ends with JOB_DIED when its process is killed', async () => {
  const { child, exit } = await startPublisher();
  const follower = follow();
  await until(() => follower.events.length === 1, LIMIT_MS, 'the follower is connected');
  child.kill('SIGKILL');
  await exit;
  await follower.ended;
  const [, end] = follower.events;
  assert.ok(end?.event === 'job:failed');
  assert.deepEqual([end.error.code, end.error.hint], ['JOB_DIED', 'Resume it.']);
  const found = await jobBus.find(JOB);
  assert.deepEqual([found?.live, found?.events.length], [false, 2]);
  await refuses('NOT_FOUND', jobBus.cancel(JOB));
  const next = await publish('backup-20260301-120001-abc123');
  next.add({ ...DONE, job: 'backup-20260301-120001-abc123' });
  await next.close();
  assert.deepEqual(
    await readdir(join(dir, '.bifract/run')),
    [],
    'the next job removes the socket of the killed process',
  );
});

test('the next job also removes the temporary socket of a killed process', async () => {
  const long = join(dir, 'x'.repeat(90));
  await mkdir(long);
  const { child, exit } = await startPublisher(long);
  const [head = ''] = (await readFile(join(long, '.bifract/journal', `${JOB}.ndjson`), 'utf8')).split('\n');
  const { socket } = JSON.parse(head) as { socket: string };
  child.kill('SIGKILL');
  await exit;
  await stat(socket);
  const id = 'backup-20260301-120001-abc123';
  const next = await publish(id, new FolderJobBus(long, resumeHint));
  next.add({ ...DONE, job: id });
  await next.close();
  await assert.rejects(stat(dirname(socket)), { code: 'ENOENT' });
});

test('JOB_DIED is reported even if the journal lags behind the socket', async () => {
  const { child, exit } = await startPublisher(dir, 'progress');
  const follower = follow();
  await until(() => follower.events.length > 100, LIMIT_MS, 'the follower is ahead of the journal');
  child.kill('SIGKILL');
  await exit;
  await follower.ended;
  const end = follower.events.at(-1);
  assert.equal(end?.event === 'job:failed' && end.error.code, 'JOB_DIED');
});

test('a stopped process counts as running, and a cancel waits for it', async () => {
  const { child, exit } = await startPublisher();
  child.kill('SIGSTOP');
  assert.equal((await jobBus.find(JOB))?.live, true);
  const asked = new AbortController();
  const cancel = jobBus.cancel(JOB, { signal: asked.signal });
  asked.abort(new Error('enough'));
  await assert.rejects(cancel);
  child.kill('SIGKILL');
  await exit;
});

test('the error for a process that does not respond names the command that continues it', async () => {
  const job = await publish();
  job.add(STARTED);
  await rm(socketPath());
  await assert.rejects(jobBus.cancel(JOB), (error: BifractError) => {
    assert.equal(error.code, 'BUSY');
    assert.match(error.hint ?? '', new RegExp(`kill -CONT ${process.pid}\\b`));
    return true;
  });
});

test('a reused PID is not mistaken for the process of the job', async () => {
  const job = await publish();
  job.add(STARTED);
  await job.close();
  const path = join(dir, '.bifract/journal', `${JOB}.ndjson`);
  const text = await readFile(path, 'utf8');
  assert.equal((await jobBus.find(JOB))?.live, true);
  for (const [one, other] of [
    [/"start":"\d+"/, '"start":"1"'],
    [/"boot":"[^"]+"/, '"boot":"another"'],
  ] as const) {
    await writeFile(path, text.replace(one, other));
    assert.equal((await jobBus.find(JOB))?.live, false, other);
  }
});

test('keeps the last thousand ended jobs for 90 days, and running ones forever', async () => {
  const job = await publish();
  job.add(STARTED);
  const folder = join(dir, '.bifract/journal');
  const [recent, long] = [89, 91].map((days) => new Date(Date.now() - days * 86_400_000));
  assert.ok(recent && long);
  await utimes(join(folder, `${JOB}.ndjson`), long, long);
  for (let at = 0; at < 1_010; at++) await writeFile(join(folder, `verify-${at}.ndjson`), `${DEAD}\n`);
  for (const [name, time] of [
    ['recent', recent],
    ['old', long],
  ] as const) {
    await writeFile(join(folder, `${name}.ndjson`), `${DEAD}\n`);
    await utimes(join(folder, `${name}.ndjson`), time, time);
  }
  const next = await publish('backup-20260301-120001-abc123');
  await next.close();
  const ids = await jobBus.ids();
  assert.ok(ids.includes(JOB));
  assert.ok(!ids.includes('old') && !ids.includes('recent'));
  assert.ok(ids.length >= 1_000 && ids.length <= 1_002, `${ids.length}`);
  for (let at = 0; at < 500; at++) await rm(join(folder, `verify-${at}.ndjson`), { force: true });
  await writeFile(join(folder, 'recent.ndjson'), `${DEAD}\n`);
  await utimes(join(folder, 'recent.ndjson'), recent, recent);
  await jobBus.sweep();
  assert.ok((await jobBus.ids()).includes('recent'));
});

test('keeps the newest journals and logs of at most 256 MiB', async () => {
  const folder = join(dir, '.bifract/journal');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    const [path, log] = [join(folder, `${name}.ndjson`), join(folder, `${name}.log`)];
    await writeFile(path, `${DEAD}\n`);
    await truncate(path, 60 << 20);
    await writeFile(log, 'x');
    await truncate(log, 10 << 20);
    const time = new Date(Date.now() - index * 60_000);
    await utimes(path, time, time);
  }
  await jobBus.sweep();
  assert.deepEqual((await readdir(folder)).sort(), [
    'a.log',
    'a.ndjson',
    'b.log',
    'b.ndjson',
    'c.log',
    'c.ndjson',
  ]);
});

test('whether a job has ended before a time is known without its events', async () => {
  const log = await publish();
  log.add(STARTED);
  const future = Date.now() + 60_000;
  assert.equal(await jobBus.endedBefore(JOB, future), false, 'it runs');
  const path = await plantJournal('dead', '');
  assert.equal(await jobBus.endedBefore('dead', future), true);
  assert.equal(await jobBus.endedBefore('dead', 0), false);
  assert.equal(await jobBus.endedBefore('other', future), false);
  await writeFile(path, 'no journal');
  assert.equal(await jobBus.endedBefore('dead', future), false);
  await log.close();
});

const DEAD = JSON.stringify({
  journal: 1,
  job: 'x',
  process: { pid: 1, start: '1', boot: '' },
  socket: null,
});

/** Writes the journal of a job whose process has ended, or is this one, as anybody who may write there could. */
async function plantJournal(id: string, socket: string, { live = false } = {}): Promise<string> {
  const folder = join(dir, '.bifract/journal');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const owner = (await identityOf(process.pid)) ?? assert.fail('This process is running');
  const head = { journal: 1, job: id, process: live ? owner : { ...owner, start: '1' }, socket };
  const path = join(folder, `${id}.ndjson`);
  await writeFile(path, `${JSON.stringify(head)}\n`);
  if (!live) await utimes(path, 0, 0);
  return path;
}

/** A socket of another program, which counts its connections. */
async function listenAt(path: string) {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  server.listen(path);
  await once(server, 'listening');
  return { connections: () => connections, close: () => server.close() };
}

test('a socket of another program that a journal names is neither removed nor connected to', async () => {
  await mkdir(join(dir, 'other'));
  for (const name of ['docker.sock', `${JOB}.sock`, 'bifract-aaaaaa/job.sock']) {
    const path = join(dir, 'other', name);
    await mkdir(dirname(path), { recursive: true });
    const other = await listenAt(path);
    await plantJournal(JOB, path);
    await jobBus.sweep();
    assert.equal((await lstat(path)).isSocket(), true, name);
    assert.deepEqual((await jobBus.ids()).includes(JOB), false, 'the old journal is removed');
    await plantJournal(JOB, path, { live: true });
    await refuses('BUSY', jobBus.cancel(JOB));
    assert.equal(other.connections(), 0, name);
    other.close();
    await rm(join(dir, '.bifract'), { recursive: true });
  }
});

test('a link in the place of a socket is not connected to', async () => {
  await mkdir(join(dir, 'other'));
  const other = await listenAt(join(dir, 'other', 'docker.sock'));
  await plantJournal(JOB, socketPath(), { live: true });
  await mkdir(dirname(socketPath()), { recursive: true, mode: 0o700 });
  await symlink(join(dir, 'other', 'docker.sock'), socketPath());
  await refuses('BUSY', jobBus.cancel(JOB));
  const { ended, stop } = follow();
  stop();
  await ended.catch(() => undefined);
  assert.equal(other.connections(), 0);
  other.close();
});

test('the temporary socket of a running job of another installation is not removed', async () => {
  const long = join(dir, 'x'.repeat(90));
  await mkdir(long);
  const { child, exit } = await startPublisher(long);
  const [head = ''] = (await readFile(join(long, '.bifract/journal', `${JOB}.ndjson`), 'utf8')).split('\n');
  const { socket } = JSON.parse(head) as { socket: string };
  await plantJournal('verify-20250101-000000-abc123', socket);
  await jobBus.sweep();
  assert.equal((await lstat(socket)).isSocket(), true);
  child.kill('SIGKILL');
  await exit;
  await plantJournal('verify-20250101-000000-abc123', socket);
  await jobBus.sweep();
  await assert.rejects(lstat(dirname(socket)), { code: 'ENOENT' });
});

test('the sweep removes only what this program creates', async () => {
  const long_ago = new Date(Date.now() - 120 * 86_400_000);
  await (await publish()).close();
  const [journal, run] = [join(dir, '.bifract/journal'), join(dir, '.bifract/run')];
  const theirs = join(dir, 'theirs.log');
  await writeFile(theirs, 'x');
  const keep = ['notes.txt', 'a b.log', 'x.log.gz', '.hidden-file.txt'];
  for (const name of keep) await writeFile(join(journal, name), 'x');
  for (const name of ['id_ed25519', 'x.sock']) await writeFile(join(run, name), 'x');
  await symlink(theirs, join(journal, 'linked.log'));
  await writeFile(join(journal, 'lost.log'), 'x');
  await writeFile(join(journal, `.${JOB}.0123456789ab`), 'x');
  for (const folder of [journal, run]) {
    for (const name of await readdir(folder)) {
      if (name !== 'linked.log') await utimes(join(folder, name), long_ago, long_ago);
    }
  }
  await jobBus.sweep();
  assert.deepEqual((await readdir(journal)).sort(), [...keep, `${JOB}.ndjson`, 'linked.log'].sort());
  assert.deepEqual((await readdir(run)).sort(), ['id_ed25519', 'x.sock']);
  assert.equal(await readFile(theirs, 'utf8'), 'x');
});

test('FIFOs, links and folders among the journals hold nobody up', async () => {
  await (await publish()).close();
  const folder = join(dir, '.bifract/journal');
  execFileSync('mkfifo', [join(folder, 'backup-20250101-000000-aaaaaa.ndjson'), join(folder, 'x.log')]);
  await mkdir(join(folder, 'folder.ndjson'));
  await symlink(`${JOB}.ndjson`, join(folder, 'link.ndjson'));
  await symlink('loop.ndjson', join(folder, 'loop.ndjson'));
  assert.deepEqual(await jobBus.ids(), [JOB]);
  for (const id of ['backup-20250101-000000-aaaaaa', 'link', 'loop']) {
    assert.equal(await jobBus.find(id), undefined, id);
    await refuses('NOT_FOUND', follow(id).ended);
  }
  await jobBus.sweep();
  assert.equal((await readdir(folder)).length, 6);
});

test('a journal with invalid times is readable', async () => {
  const path = await plantJournal(JOB, '');
  const start = { seq: 1, ...STARTED };
  const lines = [{ seq: 2, ...event({ event: 'job:phase', phase: 'x' }), time: 'noon' }, start];
  const text = await readFile(path, 'utf8');
  await writeFile(path, text + lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  for (const time of [-1e11, 0, 9e9]) {
    await utimes(path, time, time);
    const found = await jobBus.find(JOB);
    assert.deepEqual(
      found?.events.map((one) => one.event),
      ['job:started', 'job:failed'],
    );
    for (const one of found?.events ?? []) assert.ok(!Number.isNaN(Date.parse(one.time)));
  }
});

test('a journal that becomes a link is neither appended to nor written anew through it', async () => {
  const target = join(dir, 'passwd');
  await writeFile(target, 'root');
  const errors: Error[] = [];
  const log = await jobBus.publish(JOB, { onCancel: assert.fail, onJournalError: (e) => errors.push(e) });
  log.add(STARTED);
  const folder = join(dir, '.bifract/journal');
  await until(async () => (await jobBus.find(JOB))?.events.length === 1, LIMIT_MS, 'the start is written');
  await rename(join(folder, `${JOB}.ndjson`), join(folder, 'moved'));
  await symlink(target, join(folder, `${JOB}.ndjson`));
  await symlink(target, join(folder, `.${JOB}`));
  log.add(event({ event: 'job:phase', phase: 'x' }));
  await until(() => errors.length === 1, LIMIT_MS, 'the error is reported');
  log.add(DONE);
  await log.close();
  assert.equal(await readFile(target, 'utf8'), 'root');
  assert.equal(
    (await lstat(join(folder, `${JOB}.ndjson`))).isFile(),
    true,
    'the final event replaces the link',
  );
  assert.deepEqual((await jobBus.find(JOB))?.events.at(-1), DONE);
});
