import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { DiskStorage } from '../../../../src/core/adapters/disk/storage.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { all, collect, pattern, pieces, refuses, storageContract } from '../../../contracts/storage.ts';
import { asNobody, isRoot, NOBODY } from '../../../helpers/nobody.ts';

storageContract('a folder as storage', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bifract-disk-'));
  const location = join(folder, 'root');
  return {
    storage: new DiskStorage(location),
    close: () => rm(folder, { recursive: true }),
    reopen: {
      location,
      bytes: 3 << 20,
    },
  };
});

let base: string;
let root: string;
let storage: DiskStorage;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'bifract-disk-'));
  root = join(base, 'root');
  storage = new DiskStorage(root);
});

afterEach(async () => {
  mock.restoreAll();
  await rm(base, { recursive: true });
});

function text(content: string) {
  return pieces(Buffer.from(content), 1000);
}

function failure(code: string) {
  return () => Promise.reject(Object.assign(new Error(`${code}: made up`), { code }));
}

async function visibleAndHidden(): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

test('files have mode 0600, folders 0700', async () => {
  await storage.put('a/b.bin', text('x'));
  const modes = await Promise.all([root, join(root, 'a'), join(root, 'a/b.bin')].map((path) => stat(path)));
  assert.deepEqual(
    modes.map(({ mode }) => (mode & 0o777).toString(8)),
    ['700', '700', '600'],
  );
});

test('files written by root belong to the owner of the folder', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  await mkdir(root);
  await fs.chown(root, 1234, 2345);
  await storage.put('a/b.bin', text('x'));
  for (const path of ['a', 'a/b.bin']) {
    const { uid, gid } = await stat(join(root, path));
    assert.deepEqual([uid, gid], [1234, 2345], path);
  }
});

test('a folder is not created if its parent is missing', async () => {
  const lost = new DiskStorage(join(base, 'not/mounted'));
  await refuses('NOT_FOUND', lost.put('x', text('x')));
  assert.equal((await lost.probe()).ok, false);
  assert.deepEqual(await all(lost.list('')), []);
});

test('lists only files that are not hidden and have a valid name', async () => {
  await storage.put('a.bin', text('x'));
  await mkdir(join(root, 'folder.bin'));
  await mkdir(join(root, '.hidden'));
  for (const name of ['.dot', '.hidden/x', 'back\\slash', '.a.bin..0123456789ab.partial']) {
    await writeFile(join(root, name), 'x');
  }
  assert.deepEqual(
    (await all(storage.list(''))).map(({ name }) => name),
    ['a.bin'],
  );
  assert.equal(await storage.stat('folder.bin'), undefined);
});

test('symbolic links are listed, but not followed, removed or written through', async () => {
  const outside = join(base, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'secret');
  await storage.put('inside.bin', text('x'));
  await symlink(outside, join(root, 'folder'));
  await symlink(join(outside, 'secret'), join(root, 'file'));
  await symlink('inside.bin', join(root, 'alias'));
  await refuses('STORAGE_FAILED', storage.read('folder/secret', 0, 10));
  await refuses('STORAGE_FAILED', storage.read('file', 0, 10));
  await refuses('STORAGE_FAILED', collect(storage.stream('file')));
  await refuses('STORAGE_FAILED', storage.read('alias', 0, 10));
  await refuses('STORAGE_FAILED', storage.delete('alias'));
  await refuses('STORAGE_FAILED', storage.delete('folder/secret'));
  await refuses('STORAGE_FAILED', storage.put('folder/new', text('x')));
  await refuses('STORAGE_FAILED', storage.put('folder/sub/new', text('x')));
  assert.deepEqual(
    (await all(storage.list(''))).map(({ name }) => name),
    ['alias', 'file', 'folder', 'inside.bin'],
  );
  await refuses('STORAGE_FAILED', all(storage.list('folder/')));
  assert.deepEqual(await readdir(outside), ['secret']);
});

test('the root may be a symbolic link', async () => {
  await mkdir(root);
  await symlink(root, join(base, 'link'));
  await new DiskStorage(join(base, 'link')).put('a/b.bin', text('x'));
  assert.equal(String(await storage.read('a/b.bin', 0, 1)), 'x');
});

test('distinguishes denied access from I/O errors', async () => {
  for (const [code, ours] of [
    ['EROFS', 'STORAGE_DENIED'],
    ['EACCES', 'STORAGE_DENIED'],
    ['EPERM', 'STORAGE_DENIED'],
    ['EIO', 'STORAGE_FAILED'],
  ] as const) {
    const refusing = mock.method(fs, 'mkdir', failure(code));
    await refuses(ours, storage.put('a/b.bin', text('x')));
    refusing.mock.restore();
  }
});

test('never replaces a file on a file system without hard links', async () => {
  mock.method(fs, 'link', failure('EPERM'));
  await storage.put('a.bin', text('first'));
  async function* late() {
    yield Buffer.from('second');
    await writeFile(join(root, 'b.bin'), 'between');
  }
  await refuses('EXISTS', storage.put('b.bin', late()));
  assert.equal(String(await storage.read('a.bin', 0, 10)), 'first');
  assert.equal(String(await storage.read('b.bin', 0, 10)), 'between');
  assert.deepEqual(await visibleAndHidden(), ['a.bin', 'b.bin']);
});

test('syncs the file before the rename and the folder after it', async () => {
  await storage.put('first.bin', text('x'));
  const handle = await fs.open(base);
  const sync = mock.method(Object.getPrototypeOf(handle) as fs.FileHandle, 'sync');
  await handle.close();
  const link = fs.link;
  let before = 0;
  mock.method(fs, 'link', async (from: string, to: string) => {
    before = sync.mock.callCount();
    await link(from, to);
  });
  await storage.put('a.bin', text('x'));
  assert.deepEqual([before, sync.mock.callCount()], [1, 2]);
});

test('a link that was created although its reply was lost counts as success', async () => {
  const link = fs.link;
  mock.method(fs, 'link', async (from: string, to: string) => {
    await link(from, to);
    await link(from, to);
  });
  await storage.put('a.bin', text('x'));
  assert.deepEqual(await visibleAndHidden(), ['a.bin']);
});

test('a write or sync error is reported with file and code, and leaves nothing behind', async () => {
  await storage.put('first.bin', text('x'));
  const handle = await fs.open(join(root, 'first.bin'));
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  for (const [method, code, expected] of [
    ['write', 'ENOSPC', 'STORAGE_FULL'],
    ['sync', 'EDQUOT', 'STORAGE_FULL'],
    ['sync', 'EIO', 'STORAGE_FAILED'],
    ['write', 'ESTALE', 'STORAGE_UNREACHABLE'],
  ] as const) {
    mock.method(prototype, method, failure(code));
    const full = storage.put('deep/full.bin', pieces(pattern(3 << 20), 100_000));
    const error = await full.catch((reason: unknown) => reason);
    mock.restoreAll();
    assert.ok(error instanceof BifractError && error.code === expected, String(error));
    for (const value of ['full.bin', root, code]) assert.ok(error.message.includes(value), error.message);
    assert.deepEqual(await visibleAndHidden(), ['deep', 'first.bin']);
  }
});

test('removes the new name if the folder cannot be synced', async () => {
  await storage.put('a/first.bin', text('x'));
  const prototype = await handlePrototype();
  const { sync } = prototype;
  const syncs = mock.method(prototype, 'sync', async function (this: fs.FileHandle) {
    if ((await this.stat()).isDirectory()) return failure('EIO')();
    return sync.call(this);
  });
  await refuses('STORAGE_FAILED', storage.put('a/b.bin', text('x')));
  assert.equal(syncs.mock.callCount(), 2);
  mock.restoreAll();
  assert.deepEqual(await visibleAndHidden(), ['a', 'a/first.bin']);
});

test('an object larger than the free space is refused before writing', async () => {
  let asked = false;
  async function* content() {
    asked = true;
    yield Buffer.from('x');
  }
  await refuses('STORAGE_FULL', storage.put('a.bin', content(), { expected_bytes: 1e17 }));
  assert.equal(asked, false);
  assert.deepEqual(await visibleAndHidden(), []);
});

test('writes in large pieces', async () => {
  const handle = await fs.open(base);
  const write = mock.method(Object.getPrototypeOf(handle) as fs.FileHandle, 'write');
  await handle.close();
  await storage.put('a.bin', pieces(pattern(5_000_000), 65_000));
  const sizes = write.mock.calls.map((call) => Number(call.arguments[2]));
  assert.ok(sizes.length <= 10 && sizes.slice(0, -1).every((size) => size >= 500_000), sizes.join());
});

async function handlePrototype(): Promise<fs.FileHandle> {
  await using handle = await fs.open(base);
  return Object.getPrototypeOf(handle) as fs.FileHandle;
}

test('a long file is synced while it is being written', async () => {
  const sync = mock.method(await handlePrototype(), 'datasync');
  let before = 0;
  async function* content() {
    yield* pieces(pattern(40 << 20), 100_000);
    before = sync.mock.callCount();
  }
  await storage.put('a.bin', content());
  assert.ok(before > 0);
});

test('a failed background sync is reported even if the last sync succeeds', async () => {
  mock.method(await handlePrototype(), 'datasync', failure('EIO'), { times: 1 });
  await refuses('STORAGE_FAILED', storage.put('a.bin', pieces(pattern(40 << 20), 100_000)));
  assert.deepEqual(await visibleAndHidden(), []);
});

test('a file gets its name only after every sync has ended', async () => {
  let ended = 0;
  const prototype = await handlePrototype();
  const { datasync } = prototype;
  const datasyncs = mock.method(prototype, 'datasync', async function (this: fs.FileHandle) {
    await datasync.call(this);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    ended++;
  });
  const link = fs.link;
  let left = -1;
  mock.method(fs, 'link', async (from: string, to: string) => {
    left = datasyncs.mock.callCount() - ended;
    await link(from, to);
  });
  await storage.put('a.bin', pieces(pattern(17 << 20), 100_000));
  assert.deepEqual([datasyncs.mock.callCount(), left], [1, 0]);
});

test('one piece is written while the next one fills, and the content stays intact', async () => {
  const prototype = await handlePrototype();
  const { write } = prototype;
  let [writing, most, fed] = [0, 0, 0];
  const fedAt: number[] = [];
  mock.method(prototype, 'write', async function (this: fs.FileHandle, ...args: Parameters<typeof write>) {
    most = Math.max(most, ++writing);
    fedAt.push(fed);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const result = await write.apply(this, args);
    writing--;
    fedAt.push(fed);
    return result;
  });
  const bytes = pattern(5_000_000);
  async function* content() {
    for await (const piece of pieces(bytes, 10_000)) {
      fed++;
      yield piece;
    }
  }
  await storage.put('a.bin', content());
  assert.equal(most, 1);
  assert.ok((fedAt[1] ?? 0) > (fedAt[0] ?? 0), fedAt.join());
  mock.restoreAll();
  assert.ok(bytes.equals(await storage.read('a.bin', 0, bytes.length)));
});

test('a probe reports the free space and describes failures', async () => {
  const health = await storage.probe();
  assert.ok((health.free_bytes ?? 0) > 0);
  await writeFile(join(base, 'file'), '');
  const broken = await new DiskStorage(join(base, 'file')).probe();
  assert.equal(broken.ok, false);
  assert.match(broken.detail, /ENOTDIR|EEXIST/);
});

test('a probe with a prefix tests that folder, which may be another file system', async () => {
  await fs.mkdir(root);
  await fs.symlink('/proc', join(root, 'archives'));
  assert.equal((await storage.probe({ prefix: 'archives/' })).ok, false);
  assert.equal((await storage.probe()).ok, true);
  await fs.unlink(join(root, 'archives'));
  assert.equal((await storage.probe({ prefix: 'archives/' })).ok, true);
  assert.deepEqual(await visibleAndHidden(), []);
  await fs.mkdir(join(root, 'archives'));
  assert.equal((await storage.probe({ prefix: 'archives/' })).ok, true);
  assert.deepEqual(await visibleAndHidden(), ['archives']);
});

test('a probe removes objects of killed probes', async () => {
  await storage.put('bifract-probe-old', text('x'));
  await fs.utimes(join(root, 'bifract-probe-old'), 0, 0);
  await storage.probe();
  assert.deepEqual(await visibleAndHidden(), []);
});

test('discard only removes unfinished files inside the root', async () => {
  await storage.put('a.bin', text('x'));
  for (const id of ['a.bin', '../root/a.bin', '/etc/passwd', '../.x..0123456789ab.partial']) {
    await refuses(
      'INTERNAL',
      storage.discardUnfinished({ id, name: 'a.bin', job: undefined, size_bytes: 1, started_at: '' }),
    );
  }
  assert.deepEqual(await visibleAndHidden(), ['a.bin']);
});

test('an entry that cannot be examined is reported, and hides no other', async () => {
  await storage.put('b-1.bin', text('x'));
  await symlink('b-2.bin', join(root, 'b-2.bin'));
  await symlink('b-4.bin', join(root, 'b-3.bin'));
  await symlink('b-3.bin', join(root, 'b-4.bin'));
  await symlink('.b.job.000000000000.partial', join(root, '.b.job.000000000000.partial'));
  const unreadable: string[] = [];
  const onUnreadable = (name: string, reason: string) => {
    assert.match(reason, /link/);
    unreadable.push(name);
  };
  const names = (await Array.fromAsync(storage.list('b-', { onUnreadable }))).map(({ name }) => name);
  assert.deepEqual([names, unreadable], [['b-1.bin'], ['b-2.bin', 'b-3.bin', 'b-4.bin']]);
  assert.deepEqual(await Array.fromAsync(storage.listUnfinished()), []);
});

test('what is no file is listed without a size, and neither read, deleted nor waited for', async () => {
  await storage.put('a/good.bin', text('x'));
  await symlink('loop.bin', join(root, 'a/loop.bin'));
  await symlink('good.bin', join(root, 'a/link.bin'));
  execFileSync('mkfifo', [join(root, 'a/fifo.bin'), join(root, 'a/.b.bin..0123456789ab.partial')]);
  const listed = await all(storage.list('a/'));
  assert.deepEqual(
    listed.map(({ name, size_bytes }) => [name, size_bytes]),
    [
      ['a/fifo.bin', 0],
      ['a/good.bin', 1],
      ['a/link.bin', 0],
      ['a/loop.bin', 0],
    ],
  );
  for (const { name } of listed.filter((one) => one.name !== 'a/good.bin')) {
    await refuses('STORAGE_FAILED', storage.stat(name));
    await refuses('STORAGE_FAILED', storage.read(name, 0, 1));
    await refuses('STORAGE_FAILED', storage.delete(name));
    await refuses('EXISTS', storage.put(name, text('x')));
  }
  assert.deepEqual(await all(storage.listUnfinished()), []);
  assert.equal((await readdir(join(root, 'a'))).length, 5);
});

test('a failed write says if its file could not be removed', async () => {
  const fails = async function* () {
    yield Buffer.from('x');
    throw new BifractError('DUMP_FAILED', 'no');
  };
  let left = 0;
  const onLeft = () => left++;
  await refuses('DUMP_FAILED', storage.put('a.bin', fails(), { job: 'x', onLeft }));
  assert.equal(left, 0);
  mock.method(fs, 'unlink', failure('EACCES'));
  await refuses('DUMP_FAILED', storage.put('a.bin', fails(), { job: 'x', onLeft }));
  assert.equal(left, 1);
  assert.equal((await all(storage.listUnfinished())).length, 1);
});

test('a folder that must not be read hides only what is in it', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  await fs.chmod(base, 0o755);
  for (const name of ['a/x.bin', 'b/x.bin', 'lost+found/x.bin', 'z.bin']) await storage.put(name, text('x'));
  for (const name of ['a', 'z.bin']) await fs.chown(join(root, name), NOBODY, NOBODY);
  await fs.chmod(root, 0o755);
  await asNobody(async () => {
    const names = (await all(storage.list(''))).map(({ name }) => name);
    assert.deepEqual(names, ['a/x.bin', 'b', 'z.bin']);
    await refuses('STORAGE_DENIED', all(storage.list('b/')));
    await refuses('STORAGE_DENIED', storage.stat('b/x.bin'));
  });
});

test('a folder that takes the place of the root, as by a mount, is used from then on', async () => {
  await storage.put('a.bin', text('old'));
  await fs.rename(root, join(base, 'before'));
  await mkdir(root);
  assert.deepEqual(await all(storage.list('')), []);
  await storage.put('a.bin', text('new'));
  assert.equal(String(await storage.read('a.bin', 0, 3)), 'new');
});

test('no operation leaves a folder or a file open', async () => {
  const open = () => fs.readdir('/proc/self/fd').then((names) => names.length);
  await storage.put('a/b.bin', text('x'));
  const before = await open();
  for (let at = 0; at < 20; at++) {
    await storage.put(`a/${at}.bin`, text('x'));
    await refuses('EXISTS', storage.put(`a/${at}.bin`, text('x')));
    await refuses('NOT_FOUND', storage.read('a/none', 0, 1));
    for await (const _ of storage.list('a/')) break;
    for await (const _ of storage.stream('a/b.bin')) break;
    await storage.probe({ prefix: 'a/' });
    await storage.delete(`a/${at}.bin`);
  }
  assert.equal(await open(), before);
});

/** Swaps a folder for a link, and back, as fast as it can. */
const SWAPPER = `
const fs = require('node:fs');
process.chdir(process.argv[1]);
process.stdout.write('ready');
for (;;) {
  try { fs.renameSync('a', 'b'); fs.symlinkSync(process.argv[2], 'a'); } catch {}
  for (let i = 0; i < 20000; i++);
  try { fs.unlinkSync('a'); fs.renameSync('b', 'a'); } catch {}
  for (let i = 0; i < 20000; i++);
}`;

test('an owner who swaps a folder for a link while root works in it gains nothing', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  const victim = join(base, 'victim');
  await mkdir(victim);
  await writeFile(join(victim, 'keep.bin'), 'root');
  await fs.chmod(base, 0o755);
  await mkdir(root);
  await mkdir(join(root, 'a'));
  for (const path of [root, join(root, 'a')]) await fs.chown(path, NOBODY, NOBODY);
  const swapper = spawn(process.execPath, ['-e', SWAPPER, root, victim], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(swapper, 'exit');
  await once(swapper.stdout, 'data');
  let [done, refused] = [0, 0];
  const attempt = (work: Promise<unknown>) =>
    work.then(
      () => done++,
      () => refused++,
    );
  for (let at = 0; at < 400; at++) {
    await attempt(storage.put(`a/new/${at}.bin`, text('x')));
    await attempt(storage.put(`a/${at}.bin`, text('x')));
    await attempt(storage.delete('a/keep.bin'));
  }
  swapper.kill('SIGKILL');
  await exit;
  assert.ok(done > 0 && refused > 0, `${done} done, ${refused} refused`);
  assert.deepEqual(await readdir(victim), ['keep.bin']);
  assert.deepEqual([(await stat(victim)).uid, (await stat(join(victim, 'keep.bin'))).uid], [0, 0]);
});
