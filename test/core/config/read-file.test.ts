import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSettingsFile } from '../../../src/core/config/read-file.ts';

const dir = await mkdtemp(join(tmpdir(), 'bifract-read-'));
after(() => rm(dir, { recursive: true, force: true }));

test('settings are read from regular files only: a FIFO or a device holds nobody up', async () => {
  const at = (name: string) => join(dir, name);
  await writeFile(at('file'), 'A=1');
  await symlink('file', at('link'));
  assert.deepEqual(
    [at('file'), at('link')].map((path) => String(readSettingsFile(path))),
    ['A=1', 'A=1'],
  );
  execFileSync('mkfifo', [at('fifo')]);
  await symlink('fifo', at('to-fifo'));
  await symlink('/dev/zero', at('endless'));
  await writeFile(at('large'), '');
  await truncate(at('large'), 1 << 30);
  await mkdir(at('folder'));
  for (const name of ['fifo', 'to-fifo', 'endless', 'large', 'folder'])
    assert.throws(() => readSettingsFile(at(name)), { code: 'ENV_INVALID' }, name);
  assert.throws(() => readSettingsFile(at('missing')), { code: 'ENOENT' });
});
