import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { OpenFolder } from '../../../../src/core/adapters/files/open-folder.ts';
import {
  checkReplaceable,
  replaceFile,
  writeNewFile,
} from '../../../../src/core/adapters/files/replace-file.ts';
import { pieces, refuses } from '../../../contracts/storage.ts';
import { isRoot, NOBODY } from '../../../helpers/nobody.ts';

let base: string;
let path: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'bifract-replace-'));
  path = join(base, 'file');
});

afterEach(() => rm(base, { recursive: true, force: true }));

const put = (text: string) => replaceFile(path, () => Buffer.from(text));

test('keeps the mode and the owner of the file, and gives a new one the mode asked for', async () => {
  await writeFile(path, 'old');
  await chmod(path, 0o640);
  if (isRoot) await chown(path, NOBODY, NOBODY);
  await put('new');
  const { mode, uid } = await stat(path);
  assert.deepEqual([mode & 0o777, uid], [0o640, isRoot ? NOBODY : uid]);
  await replaceFile(join(base, 'other'), (before) => Buffer.from(String(before)), { mode: 0o644 });
  assert.equal((await stat(join(base, 'other'))).mode & 0o777, 0o644);
  assert.equal(await readFile(join(base, 'other'), 'utf8'), 'undefined');
  assert.deepEqual((await readdir(base)).sort(), ['file', 'other']);
});

test('an error while changing leaves the file as it was, and no other', async () => {
  await writeFile(path, 'old');
  await assert.rejects(
    replaceFile(path, () => {
      throw new Error('no');
    }),
    /no/,
  );
  assert.deepEqual([await readdir(base), await readFile(path, 'utf8')], [['file'], 'old']);
});

test('a link in a folder of our own is kept, and its file replaced where it is', async () => {
  await mkdir(join(base, 'real'));
  await writeFile(join(base, 'real', 'there'), 'old', { mode: 0o600 });
  await symlink('real/there', path);
  await checkReplaceable(path);
  await put('new');
  assert.equal((await lstat(path)).isSymbolicLink(), true);
  assert.equal(await readFile(join(base, 'real', 'there'), 'utf8'), 'new');
  assert.deepEqual(await readdir(join(base, 'real')), ['there']);
});

test('what is no regular file is refused and stays', async () => {
  execFileSync('mkfifo', [join(base, 'fifo')]);
  if (isRoot) execFileSync('mknod', [join(base, 'device'), 'c', '1', '3']);
  await mkdir(join(base, 'folder'));
  await symlink('nothing', join(base, 'dangling'));
  await symlink('loop', join(base, 'loop'));
  await symlink('folder', join(base, 'to-folder'));
  await symlink('fifo', join(base, 'to-fifo'));
  const before = (await readdir(base)).sort();
  for (const name of before) {
    await refuses('USAGE', checkReplaceable(join(base, name)));
    await refuses(
      'STORAGE_FAILED',
      replaceFile(join(base, name), () => Buffer.from('x')),
    );
  }
  assert.deepEqual((await readdir(base)).sort(), before);
  assert.equal((await lstat(join(base, 'fifo'))).isFIFO(), true);
});

test('a link that stands for an open file, such as /dev/stdout, is refused: it may be a log', {
  skip: process.platform !== 'linux',
}, async () => {
  await writeFile(path, 'log');
  await using file = await open(path, 'a');
  await refuses('USAGE', checkReplaceable(`/proc/self/fd/${file.fd}`));
  await refuses(
    'STORAGE_FAILED',
    replaceFile(`/proc/self/fd/${file.fd}`, () => Buffer.from('x')),
  );
  assert.equal(await readFile(path, 'utf8'), 'log');
});

test('a missing file, or one in a missing folder, is not refused in advance', async () => {
  await checkReplaceable(path);
  await checkReplaceable(join(base, 'missing', 'file'));
});

test('root follows no link of another user to a file that is not his', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  const theirs = join(base, 'theirs');
  await mkdir(theirs);
  await writeFile(join(base, 'passwd'), 'root');
  await writeFile(join(theirs, 'real'), 'own');
  await symlink('../passwd', join(theirs, 'to-root'));
  await symlink('real', join(theirs, 'to-own'));
  for (const name of ['', 'real']) await chown(join(theirs, name), NOBODY, NOBODY);
  await refuses(
    'STORAGE_FAILED',
    replaceFile(join(theirs, 'to-root'), () => Buffer.from('x')),
  );
  await refuses('USAGE', checkReplaceable(join(theirs, 'to-root')));
  assert.equal(await readFile(join(base, 'passwd'), 'utf8'), 'root');
  await replaceFile(join(theirs, 'to-own'), () => Buffer.from('new'));
  assert.equal(await readFile(join(theirs, 'real'), 'utf8'), 'new');
  assert.equal((await stat(join(theirs, 'real'))).uid, NOBODY);
});

test('no link is followed in a folder that everybody can write to', async () => {
  await chmod(base, 0o1777);
  await writeFile(join(base, 'real'), 'old');
  await symlink('real', path);
  await refuses('USAGE', checkReplaceable(path));
  await refuses('STORAGE_FAILED', put('new'));
  assert.equal(await readFile(join(base, 'real'), 'utf8'), 'old');
});

test('a second name of the file keeps the old content', async () => {
  await writeFile(path, 'old');
  await link(path, join(base, 'second'));
  await put('new');
  assert.deepEqual(
    [await readFile(path, 'utf8'), await readFile(join(base, 'second'), 'utf8')],
    ['new', 'old'],
  );
});

test('a new file is complete or missing, has mode 0600 and belongs to this user', async () => {
  if (isRoot) await chown(base, NOBODY, NOBODY);
  await writeNewFile(path, pieces(Buffer.from('x'.repeat(100_000)), 1000));
  const { uid, mode, size } = await stat(path);
  assert.deepEqual([uid, mode & 0o777, size], [process.getuid?.(), 0o600, 100_000]);
  async function* failing() {
    yield Buffer.from('half');
    throw new Error('no');
  }
  await assert.rejects(writeNewFile(join(base, 'other'), failing()), /no/);
  assert.deepEqual(await readdir(base), ['file']);
});

test('a new file replaces nothing, not even a link to nothing', async () => {
  await symlink('target', path);
  await symlink('loop', join(base, 'loop'));
  await writeFile(join(base, '.env'), 'x');
  for (const name of ['file', 'loop', '.env']) {
    await refuses('EXISTS', writeNewFile(join(base, name), pieces(Buffer.from('x'), 1)));
  }
  async function* late() {
    yield Buffer.from('x');
    await symlink('target', join(base, 'late'));
  }
  await refuses('EXISTS', writeNewFile(join(base, 'late'), late()));
  assert.deepEqual((await readdir(base)).sort(), ['.env', 'file', 'late', 'loop']);
});

test('a file that was swapped for another after the check is not given the owner and mode of the first', async () => {
  await writeFile(path, 'own', { mode: 0o644 });
  await writeFile(join(base, 'secret'), 'secret', { mode: 0o600 });
  const { openFile } = OpenFolder.prototype;
  const swapped = mock.method(
    OpenFolder.prototype,
    'openFile',
    async function (this: OpenFolder, name: string) {
      await rename(join(base, 'secret'), path);
      return openFile.call(this, name);
    },
    { times: 1 },
  );
  await refuses(
    'BUSY',
    replaceFile(path, (before) => Buffer.from(`${before}+`)),
  );
  assert.equal(swapped.mock.callCount() > 0, true);
  assert.deepEqual([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777], ['secret', 0o600]);
  assert.deepEqual(await readdir(base), ['file']);
});
