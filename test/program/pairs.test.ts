import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { identityOf } from '../../src/core/adapters/state/process-identity.ts';
import { ndjson, run, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { until } from '../helpers/until.ts';

const services = await testServices();
const { dir } = await services.installation();
const backups = join(dir, 'backups');
const kept = join(dir, 'kept');

async function restoreFiles(): Promise<string[]> {
  for (const name of await readdir(kept)) await copyFile(join(kept, name), join(backups, name));
  return (await readdir(backups)).sort();
}

async function twoBackups(): Promise<void> {
  for (const _ of [1, 2]) assert.equal((await run(['backup', '--dir', dir, '--quiet'])).code, 0);
  await mkdir(kept, { recursive: true });
  for (const name of await readdir(backups)) await copyFile(join(backups, name), join(kept, name));
}

test('of two jobs that delete at the same time, one leaves the last backup', async () => {
  await twoBackups();
  const pairs = (old = '', recent = '') => [
    [
      ['delete', 'backup', recent],
      ['delete', 'backup', old],
    ],
    [
      ['prune', '--keep-last', '1'],
      ['delete', 'backup', recent],
    ],
  ];
  for (let round = 0; round < 4; round++) {
    const names = await restoreFiles();
    assert.equal(names.length, 2);
    const pair = pairs(...names)[round % 2] ?? [];
    const ended = await Promise.all(pair.map((args) => run([...args, '--yes', '--quiet', '--dir', dir])));
    assert.equal((await readdir(backups)).length, 1, JSON.stringify(ended));
    assert.ok(ended.some(({ code }) => code === 0));
  }
});

test('a job that waits for another says so, can be terminated, and deletes nothing', async () => {
  const [name = ''] = await restoreFiles();
  // This process holds the lock.
  const lock = join(dir, '.bifract', 'changing');
  await writeFile(lock, JSON.stringify({ ...(await identityOf(process.pid)), job: 'rotate-key-1' }));
  const waiting = start(['delete', 'backup', name, '--yes', '--json', '--dir', dir]);
  let out = '';
  waiting.child.stdout?.on('data', (data) => {
    out += data;
  });
  await until(() => out.includes('rotate-key-1'), 30_000, 'it says what it waits for');
  waiting.child.kill('SIGTERM');
  const ended = await waiting.ended;
  assert.equal(ended.code, 143, ended.stderr);
  const events = ndjson<{ event: string }>(ended).map(({ event }) => event);
  assert.ok(!events.includes('job:done') && !events.includes('job:item'), events.join());
  assert.equal((await readdir(backups)).length, 2);
  assert.match(await readFile(lock, 'utf8'), /rotate-key-1/);
  await rm(lock);
});

test('of two keys generated at once, one is written', async () => {
  const env = join(dir, '.env');
  const text = await readFile(env, 'utf8');
  const without = text.replace(/^BIFRACT_BACKUP_ENCRYPTION_KEY=.*\n/m, '');
  for (let round = 0; round < 3; round++) {
    await writeFile(env, without);
    const ended = await Promise.all([1, 2, 3].map(() => run(['key', 'generate', '--json', '--dir', dir])));
    const done = ended.filter(({ code }) => code === 0);
    assert.equal(done.length, 1, JSON.stringify(ended.map(({ code, stderr }) => [code, stderr])));
    const shown = await run(['key', 'show', '--json', '--dir', dir]);
    assert.equal(ndjson(shown)[0]?.key_id, ndjson(done[0] as (typeof done)[0])[0]?.key_id);
  }
  await writeFile(env, text);
});

test('an unreadable entry and a wrong name do not hide the last backup', async () => {
  await restoreFiles();
  const loop = 'bifract-backup-20260101-000000.bifract-backup';
  await symlink(loop, join(backups, loop));
  const [, old = '', recent = ''] = (await readdir(backups)).sort();
  const renamed = 'bifract-backup-20990101-000000.bifract-backup';
  await rename(join(backups, old), join(backups, renamed));
  const args = ['--json', '--dir', dir];
  const status = ndjson<{ last_backup: { name: string }; backup_notes: { name: string }[] }>(
    await run(['status', ...args]),
  )[0];
  assert.equal(status?.last_backup.name, recent);
  assert.deepEqual(new Set(status.backup_notes.map(({ name }) => name)), new Set([loop, renamed]));
  const listed = ndjson<{ name: string }>(await run(['list', 'backups', ...args]));
  assert.deepEqual(
    listed.map(({ name }) => name),
    [recent, renamed, loop],
  );
  assert.equal((await run(['verify', '--all', ...args])).code, 0);
  const pruned = await run(['prune', '--keep-last', '1', '--yes', ...args]);
  assert.equal(pruned.code, 0, pruned.stderr);
  assert.deepEqual((await readdir(backups)).sort(), [loop, recent].sort());
  assert.equal((await run(['key', 'rotate', '--yes', ...args])).code, 0);
});
