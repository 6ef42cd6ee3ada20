import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { OpenFolder } from '../../../../src/core/adapters/files/open-folder.ts';
import { withFileLock as lockIn } from '../../../../src/core/adapters/state/file-lock.ts';
import type { LockOptions } from '../../../../src/core/ports/state.ts';

const ADAPTERS = new URL('../../../../src/core/adapters/', import.meta.url);
let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-lone-'));
  path = join(dir, 'recovering');
});

afterEach(() => rm(dir, { recursive: true }));

async function withFileLock<T>(work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  await using folder = await OpenFolder.open(dir);
  return await lockIn(folder, 'recovering', work, options);
}

test('runs one at a time and leaves no files', async () => {
  let at = 0;
  let done = 0;
  const work = async () => {
    assert.equal(++at, 1);
    await wait(5);
    at -= 1;
    return ++done;
  };
  const results = await Promise.all([1, 2, 3, 4].map(() => withFileLock(work)));
  assert.deepEqual(results.sort(), [1, 2, 3, 4]);
  await assert.rejects(
    withFileLock(() => Promise.reject(new Error('x'))),
    /x/,
  );
  assert.deepEqual(await readdir(dir), []);
});

test('waits for a running process, and takes over the lock of a killed one', async () => {
  const script = `import { OpenFolder } from '${new URL('files/open-folder.ts', ADAPTERS).href}';
    import { withFileLock } from '${new URL('state/file-lock.ts', ADAPTERS).href}';
    const folder = await OpenFolder.open(${JSON.stringify(dir)});
    await withFileLock(folder, 'recovering', () => { console.log('in'); return new Promise(() => setInterval(() => {}, 1000)); });`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  await once(child.stdout, 'data');
  let over = false;
  const mine = withFileLock(async () => over);
  await assert.rejects(withFileLock(async () => over, { signal: AbortSignal.timeout(300) }));
  over = true;
  child.kill('SIGKILL');
  assert.equal(await mine, true);
  await exit;
});

test('an invalid lock file, or one of an ended process, is ignored, and nobody is said to hold it', async () => {
  for (const text of ['', '{', '{}', '{"pid":"x"}', '{"pid":1,"start":"0","boot":""}']) {
    await writeFile(path, text);
    assert.equal(await withFileLock(async () => 7, { onWait: assert.fail }), 7, text);
  }
});

test('a folder in the place of the lock holds nobody up, and what is in it stays', async () => {
  await mkdir(path);
  assert.equal(await withFileLock(async () => 1), 1);
  assert.deepEqual(await readdir(dir), []);
  await mkdir(join(path, 'theirs'), { recursive: true });
  assert.equal(await withFileLock(async () => 2), 2);
  const [moved = '', ...others] = await readdir(dir);
  assert.deepEqual([await readdir(join(dir, moved)), others], [['theirs'], []]);
});
