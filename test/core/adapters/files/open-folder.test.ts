import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
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
import { afterEach, beforeEach, test } from 'node:test';
import { WrongType } from '../../../../src/core/adapters/files/errors.ts';
import { OpenFolder } from '../../../../src/core/adapters/files/open-folder.ts';
import { isRoot, NOBODY } from '../../../helpers/nobody.ts';

let base: string;
let folder: OpenFolder;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'bifract-open-'));
  await mkdir(join(base, 'here'));
  await mkdir(join(base, 'elsewhere'));
  folder = await OpenFolder.open(join(base, 'here'));
});

afterEach(async () => {
  await folder[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

const here = (name: string) => join(base, 'here', name);
const elsewhere = (name = '') => join(base, 'elsewhere', name);
const content = async (name: string, options = {}) => String(await folder.read(name, 100, options));

test('only plain names are accepted', async () => {
  await writeFile(elsewhere('secret'), 'secret');
  for (const name of ['', '.', '..', 'a/b', '../elsewhere/secret', '/etc/passwd', 'a\0b']) {
    await assert.rejects(async () => folder.read(name, 10), /plain name/, name);
    await assert.rejects(async () => folder.mkdir(name), /plain name/, name);
    await assert.rejects(async () => folder.unlink(name), /plain name/, name);
  }
});

test('the folder stays the same when a link takes its place', async () => {
  await writeFile(elsewhere('file'), 'theirs');
  await rename(join(base, 'here'), join(base, 'moved'));
  await symlink(elsewhere(), join(base, 'here'));
  await (await folder.create('file')).close();
  await folder.unlink('none');
  const child = await folder.makeChild('child');
  await child[Symbol.asyncDispose]();
  assert.deepEqual((await readdir(join(base, 'moved'))).sort(), ['child', 'file']);
  assert.deepEqual(await readdir(elsewhere()), ['file']);
  await folder.unlink('file');
  assert.equal(await readFile(elsewhere('file'), 'utf8'), 'theirs');
});

test('a link is not followed, whatever is done with it', async () => {
  await writeFile(elsewhere('file'), 'theirs');
  await symlink(elsewhere('file'), here('file'));
  await symlink(elsewhere('new'), here('new'));
  await symlink(elsewhere(), here('folder'));
  await symlink('loop', here('loop'));
  for (const name of ['file', 'new', 'loop']) {
    for (const open of ['openFile', 'openLog', 'openAppend'] as const) {
      await assert.rejects(folder[open](name), WrongType, `${open} ${name}`);
    }
    await assert.rejects(folder.create(name), { code: 'EEXIST' });
  }
  for (const open of ['child', 'makeChild'] as const) {
    await assert.rejects(folder[open]('folder'), WrongType, open);
  }
  assert.equal((await folder.lstat('file'))?.isSymbolicLink(), true);
  await folder.unlink('file');
  assert.deepEqual(
    [await readdir(elsewhere()), await readFile(elsewhere('file'), 'utf8')],
    [['file'], 'theirs'],
  );
});

test('a link that appears after the check is not followed either', async () => {
  await writeFile(elsewhere('file'), 'theirs');
  await symlink(elsewhere('file'), here('file'));
  // As if the entry had been missing, or a file, when it was looked at.
  folder.lstat = async () => undefined;
  for (const open of ['openFile', 'openLog', 'openAppend'] as const) {
    await assert.rejects(folder[open]('file'), { code: 'ELOOP' }, open);
  }
  assert.equal(await readFile(elsewhere('file'), 'utf8'), 'theirs');
});

test('a FIFO, a socket or a device is never opened, and nothing waits for it', async () => {
  execFileSync('mkfifo', [here('fifo')]);
  if (isRoot) execFileSync('mknod', [here('device'), 'c', '1', '3']);
  for (const name of isRoot ? ['fifo', 'device'] : ['fifo']) {
    for (const open of ['openFile', 'openLog', 'openAppend'] as const) {
      await assert.rejects(folder[open](name), WrongType, `${open} ${name}`);
    }
    await assert.rejects(folder.child(name), { code: 'ENOTDIR' });
  }
});

test('a FIFO that appears after the check does not make the program wait', async () => {
  execFileSync('mkfifo', [here('fifo')]);
  folder.lstat = async () => undefined;
  await assert.rejects(folder.openFile('fifo'), WrongType);
  await assert.rejects(folder.openAppend('fifo'), { code: 'ENXIO' });
});

test('a file with a second name is only refused where that matters', async () => {
  await writeFile(elsewhere('file'), 'theirs');
  await link(elsewhere('file'), here('file'));
  assert.equal(await content('file'), 'theirs');
  await assert.rejects(content('file', { sole: true }), WrongType);
  await assert.rejects(folder.openLog('file'), WrongType);
  await assert.rejects(folder.openAppend('file'), WrongType);
});

test('reads no more than asked for', async () => {
  await writeFile(here('file'), 'x'.repeat(1000));
  assert.equal((await folder.read('file', 10))?.length, 10);
  assert.equal(await folder.read('none', 10), undefined);
});

test('a system error names the path that a user knows', async () => {
  await using odd = await folder.makeChild("a $& $' b");
  for (const one of [folder, odd]) {
    await assert.rejects(one.openFile('none'), (error: Error) => {
      assert.ok(error.message.includes(`'${one.path}/none'`), error.message);
      assert.doesNotMatch(error.message, /\/proc\//);
      return true;
    });
  }
});

test('a closed folder is not used any more: its number may belong to another one', async () => {
  await folder[Symbol.asyncDispose]();
  await using other = await OpenFolder.open(elsewhere());
  await assert.rejects(async () => folder.mkdir('x'));
  await assert.rejects(async () => folder.lstat('x'));
  assert.deepEqual(await other.entries(), []);
});

test('mode and owner are set by handle', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  const owner = { uid: NOBODY, gid: NOBODY };
  await (await folder.create('file', { owner, mode: 0o640 })).close();
  await (await folder.makeChild('new', owner))[Symbol.asyncDispose]();
  await mkdir(here('old'));
  await (await folder.makeChild('old', owner))[Symbol.asyncDispose]();
  const found = await Promise.all(['file', 'new', 'old'].map((name) => lstat(here(name))));
  assert.deepEqual(
    found.map(({ uid, mode }) => [uid, (mode & 0o777).toString(8)]),
    [
      [NOBODY, '640'],
      [NOBODY, '700'],
      [0, '755'],
    ],
  );
});

test('a file system that refuses to change the owner may already have the right one', async (t) => {
  if (!isRoot) return t.diagnostic('needs root');
  await chown(join(base, 'here'), 0, 0);
  const own = await stat(join(base, 'here'));
  await (await folder.create('file', { owner: { uid: own.uid, gid: own.gid } })).close();
  assert.equal((await stat(here('file'))).uid, own.uid);
});
