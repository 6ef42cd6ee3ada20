import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeExport } from '../../bin/export-file.ts';

let dir: string;
let installation: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'export-'));
  installation = join(dir, 'installation');
  await mkdir(join(installation, 'backups'), { recursive: true });
  await symlink(installation, join(dir, 'link'));
});
after(() => rm(dir, { recursive: true, force: true }));

const never = new AbortController().signal;

async function* content(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test('an export is a new private file', async () => {
  const path = join(dir, 'rows.csv');
  assert.equal(await writeExport(installation, path, content('a', 'b'), never), path);
  assert.equal(await readFile(path, 'utf8'), 'ab');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('an existing file or link is not replaced or followed', async () => {
  const [file, target, link] = ['old.csv', 'target.csv', 'link.csv'].map((name) => join(dir, name));
  await writeFile(String(file), 'old');
  await symlink(String(target), String(link));
  for (const path of [file, link]) {
    await assert.rejects(writeExport(installation, String(path), content('new'), never), { code: 'EXISTS' });
  }
  assert.equal(await readFile(String(file), 'utf8'), 'old');
  await assert.rejects(stat(String(target)));
});

test('nothing is written into the installation, by whatever path', async () => {
  for (const name of ['a.csv', 'backups/a.csv', '../installation/a.csv']) {
    await assert.rejects(writeExport(installation, join(installation, name), content('x'), never), {
      code: 'USAGE',
    });
  }
  await assert.rejects(writeExport(installation, join(dir, 'link/backups/a.csv'), content('x'), never), {
    code: 'USAGE',
  });
  assert.deepEqual(await readdir(installation), ['backups']);
});

test('an export that is stopped or fails leaves no file', async () => {
  const before = await readdir(dir);
  const controller = new AbortController();
  async function* stopped() {
    yield Buffer.from('a');
    controller.abort(new Error('stop'));
    yield Buffer.from('b');
  }
  await assert.rejects(writeExport(installation, join(dir, 'x.csv'), stopped(), controller.signal));
  await assert.rejects(writeExport(installation, join(dir, 'none/x.csv'), content('x'), never));
  assert.deepEqual(await readdir(dir), before);
});
