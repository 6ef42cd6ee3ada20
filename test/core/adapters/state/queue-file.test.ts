import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { QueueFile } from '../../../../src/core/adapters/state/queue-file.ts';
import { StateFolder } from '../../../../src/core/adapters/state/state-folder.ts';
import { queueContract, queued } from '../../../contracts/job-queue.ts';
import { refuses } from '../../../contracts/storage.ts';

const WRITER = fileURLToPath(new URL('./queue-writer.ts', import.meta.url));
let dir: string;
let queue: QueueFile;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-queue-'));
  queue = new QueueFile(dir);
});

afterEach(() => rm(dir, { recursive: true }));

queueContract('queue file', async () => {
  const home = await mkdtemp(join(tmpdir(), 'bifract-queue-'));
  return {
    queue: new QueueFile(home),
    other: new QueueFile(home),
    close: () => rm(home, { recursive: true }),
  };
});

const path = () => join(dir, '.bifract/queue.json');

async function files(): Promise<string[]> {
  return (await readdir(join(dir, '.bifract'))).sort();
}

/** Writes the file as somebody else would. */
async function write(content: unknown): Promise<void> {
  await mkdir(join(dir, '.bifract'), { recursive: true, mode: 0o700 });
  await writeFile(path(), typeof content === 'string' ? content : JSON.stringify(content));
}

test('reading creates nothing; the file has mode 0600, and an empty queue has none', async () => {
  await queue.read();
  assert.deepEqual(await readdir(dir), []);
  await queue.change(() => [queued('a')]);
  assert.equal((await stat(path())).mode & 0o777, 0o600);
  assert.deepEqual(await files(), ['queue.json']);
  await queue.change(() => []);
  assert.deepEqual(await files(), []);
});

test('what is no job is left out; a second job of the same id too', async () => {
  const good = queued('good');
  const bad = [
    null,
    7,
    'x',
    {},
    { ...good, id: '../../etc/passwd' },
    { ...good, id: 'x'.repeat(101) },
    { ...good, id: 7 },
    { ...good, request: null },
    { ...good, request: [] },
    { ...good, request: { kind: 7 } },
    { ...good, queued_at: 'yesterday' },
    { ...good, by: null },
    { ...good, by: { ...good.by, pid: '1' } },
    { ...good, started_at: 'soon' },
    { ...good, problem: { code: 7 } },
  ];
  for (const one of bad) {
    await write([one, good]);
    assert.deepEqual(await queue.read(), [good], JSON.stringify(one));
  }
  await write([good, { ...good, started_at: good.queued_at }]);
  assert.deepEqual(await queue.read(), [good]);
  const { started_at, problem, ...older } = good;
  await write([older]);
  assert.deepEqual(await queue.read(), [{ ...older, started_at, problem }]);
});

test('a file that is no list is an error, and is not overwritten', async () => {
  for (const content of ['{', '{"a":1}', 'null', '\u0000\u0001']) {
    await write(content);
    await refuses('STORAGE_FAILED', queue.read());
    await refuses(
      'STORAGE_FAILED',
      queue.change((jobs) => [...jobs, queued('a')]),
    );
    assert.equal(await readFile(path(), 'utf8'), content);
  }
});

test('links are refused', async () => {
  const elsewhere = join(dir, 'elsewhere');
  await writeFile(elsewhere, JSON.stringify([queued('a')]));
  await mkdir(join(dir, '.bifract'), { mode: 0o700 });
  await symlink(elsewhere, path());
  await refuses('UNSAFE_PATH', queue.read());
  await rm(path());
  await link(elsewhere, path());
  await refuses('UNSAFE_PATH', queue.read());
});

function startWriter(mode: string) {
  const args = ['--import', 'tsx', WRITER, dir, mode];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('a process that is killed while it changes or runs the queue leaves the queue as it was, and holds up no other', async () => {
  await queue.change(() => [queued('a')]);
  for (const mode of ['change', 'write', 'run']) {
    const child = startWriter(mode);
    await once(child.stdout, 'data');
    assert.equal(await queue.hasRunner(), mode === 'run');
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    assert.equal(await queue.hasRunner(), false, mode);
    assert.deepEqual(await queue.read(), [queued('a')], mode);
    assert.equal(await queue.runAlone(async () => {}), true, mode);
    await queue.change((jobs) => jobs);
    await new StateFolder(dir).cleanUp();
    assert.deepEqual(await files(), ['queue.json'], mode);
  }
});
