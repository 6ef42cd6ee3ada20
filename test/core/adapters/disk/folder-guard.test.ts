import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FolderGuard } from '../../../../src/core/adapters/disk/folder-guard.ts';
import { DiskRoot } from '../../../../src/core/adapters/disk/root.ts';
import { DiskStorage } from '../../../../src/core/adapters/disk/storage.ts';
import { all, pieces, refuses } from '../../../contracts/storage.ts';
import { FakeState } from '../../../helpers/fake-ports.ts';

const NAME = 'bifract-backup-20260301-120000.bifract-backup';

let base: string;
let folder: string;
let state: FakeState;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'bifract-guard-'));
  folder = join(base, 'backups');
  state = new FakeState();
});

afterEach(() => rm(base, { recursive: true }));

/** The storage as another process opens it. */
function open(): DiskStorage {
  return new DiskStorage(folder, new FolderGuard(new DiskRoot(folder), state));
}

const put = (storage: DiskStorage, name = NAME) => storage.put(name, pieces(Buffer.from('x'), 1));

/** Nothing may be stored, listed or healthy, and nothing may be made. */
async function isRefused(): Promise<void> {
  const before = await readdir(base, { recursive: true });
  await refuses('STORAGE_UNREACHABLE', put(open()));
  await refuses('STORAGE_UNREACHABLE', all(open().list('bifract-backup-')));
  assert.equal((await open().probe()).ok, false);
  assert.deepEqual(await readdir(base, { recursive: true }), before);
}

test('a folder that does not exist yet is in order, and a probe does not make it', async () => {
  assert.equal((await open().probe()).ok, true);
  assert.deepEqual(await all(open().list('')), []);
  assert.deepEqual(await readdir(base), []);
  await put(open());
  assert.equal((await all(open().list(''))).length, 1);
});

test('a folder that held files and is gone, or empty in its place, is refused until it is back', async () => {
  await put(open());
  await rename(folder, join(base, 'elsewhere'));
  await isRefused();
  await mkdir(folder);
  await writeFile(join(folder, 'NOT-MOUNTED.txt'), '');
  await isRefused();
  await rm(folder, { recursive: true });
  await rename(join(base, 'elsewhere'), folder);
  assert.equal((await open().probe()).ok, true);
  assert.equal((await all(open().list(''))).length, 1);
  await put(open(), NAME.replace('12', '13'));
});

test('a folder is known from its first listing on, also with files of another program', async () => {
  await mkdir(folder);
  await writeFile(join(folder, NAME), 'x');
  assert.equal((await all(open().list(''))).length, 1);
  await rename(folder, join(base, 'elsewhere'));
  await isRefused();
});

test('a folder that was emptied, by this program or by hand, can be used again', async () => {
  await put(open());
  await open().delete(NAME);
  assert.deepEqual(state.known, []);
  await rm(folder, { recursive: true });
  await put(open());
  await rm(join(folder, NAME));
  assert.deepEqual(await all(open().list('')), []);
  await put(open());
  assert.equal((await all(open().list(''))).length, 1);
});

test('folders of fractals count as files, the object of a probe and hidden files do not', async () => {
  await mkdir(folder);
  await open().probe();
  await writeFile(join(folder, '.partial'), '');
  await all(open().list(''));
  assert.deepEqual(state.known, []);
  await put(open(), 'a-fractal/x.bifract-archive');
  assert.equal(state.known.length, 1);
});

test('without a memory that works, storage works as before', async () => {
  const broken = async () => {
    throw new Error('denied');
  };
  state.folders = broken;
  state.changeFolders = broken;
  await put(open());
  await rename(folder, join(base, 'elsewhere'));
  assert.deepEqual(await all(open().list('')), []);
});

test('the note is renewed once a day', async () => {
  let now = new Date('2026-03-01T12:00:00Z');
  const guard = () => new FolderGuard(new DiskRoot(folder), state, () => now);
  await put(new DiskStorage(folder, guard()));
  const seen = () => state.known[0]?.seen_at;
  assert.equal(seen(), '2026-03-01T12:00:00.000Z');
  now = new Date('2026-03-02T11:00:00Z');
  await guard().noteFiles();
  assert.equal(seen(), '2026-03-01T12:00:00.000Z');
  now = new Date('2026-03-02T13:00:00Z');
  await guard().noteFiles();
  assert.equal(seen(), '2026-03-02T13:00:00.000Z');
});
