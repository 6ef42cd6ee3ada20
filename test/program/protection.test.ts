import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, open as openFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BackupFile, Verdict } from '../../src/core/index.ts';
import { ndjson, PROGRAM, run } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { TEST_CREDENTIALS } from '../helpers/s3/server.ts';
import { BUCKET, startS3Server } from '../helpers/s3/test-server.ts';
import { testServices } from '../helpers/services.ts';

const services = await testServices();
const { dir } = await services.installation();
const lab = await startS3Server();
after(() => lab.stop());
const backups = join(dir, 'backups');
const elsewhere = join(dir, 'elsewhere');
const OTHER_KEY = { BIFRACT_BACKUP_ENCRYPTION_KEY: 'ab'.repeat(32) };
const S3 = {
  BIFRACT_S3_BUCKET: BUCKET,
  BIFRACT_S3_ENDPOINT: lab.server.url,
  BIFRACT_S3_ACCESS_KEY: TEST_CREDENTIALS.access_key,
  BIFRACT_S3_SECRET_KEY: TEST_CREDENTIALS.secret_key,
};

interface Status {
  health: Record<string, { ok: boolean; detail: string }>;
  last_backup: BackupFile | null;
  backups_error: { code: string } | null;
  verdict: Verdict;
}

const bifract = (args: string[], env: Record<string, string> = {}) => run([...args, '--dir', dir], env);

async function status(env?: Record<string, string>): Promise<Status & { code: number | null }> {
  const ended = await bifract(['status', '--json'], env);
  const [printed] = ndjson<Status>(ended);
  assert.ok(printed, ended.stderr);
  return { ...printed, code: ended.code };
}

const list = async (env?: Record<string, string>) =>
  ndjson<BackupFile>(await bifract(['list', 'backups', '--json'], env));

async function good(...args: string[]): Promise<void> {
  const { code, stderr } = await bifract(args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
}

/** Opens a console; disposing ends it. */
function console_(env: Record<string, string> = {}) {
  const program = new PtyProgram(process.execPath, [PROGRAM, '--dir', dir], {
    env: { ...process.env, ...env },
  });
  return Object.assign(program, {
    async [Symbol.asyncDispose]() {
      program.kill('SIGTERM');
      await program.ended;
    },
  });
}

test('a health check makes no folder, and a first backup works', async () => {
  await rm(backups, { recursive: true });
  const before = await status();
  assert.deepEqual([before.code, before.verdict.safety], [0, 'unsafe']);
  assert.equal(existsSync(backups), false);
  await good('backup');
  assert.equal((await status()).verdict.last_good_backup?.id, (await readdir(backups))[0]);
});

test('a verification and a test restore are remembered, by every later process', async () => {
  const [name = ''] = await readdir(backups);
  const [fresh] = await list();
  assert.deepEqual([fresh?.verified, fresh?.restored, fresh?.error], [null, null, null]);
  await good('verify', name);
  await good('restore', name, '--drill', '--yes');
  const [file] = await list();
  assert.deepEqual([file?.verified?.ok, file?.verified?.quick, file?.restored?.ok], [true, false, true]);
  const { verdict } = await status();
  assert.equal(verdict.last_test_restore?.path, file?.path);
  assert.ok(!verdict.findings.some(({ code }) => code === 'TEST_RESTORE_DUE'));
  await using console = console_();
  await console.waitFor(/Test restore +✓/);
  await console.waitFor('read in full');
});

test('a file that was changed after it was verified is not verified', async () => {
  const [name = ''] = await readdir(backups);
  const path = join(backups, name);
  const file = await openFile(path, 'r+');
  const { size } = await file.stat();
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, size >> 1);
  const flip = async (at: Date) => {
    await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, size >> 1);
    await file.utimes(at, at);
  };
  await flip(new Date(Date.now() - 3_600_000));
  assert.equal((await list())[0]?.verified, null);
  assert.equal((await bifract(['verify', name])).code, 5);
  const [bad] = await list();
  assert.equal(bad?.verified?.error?.code, 'DAMAGED');
  const { verdict } = await status();
  assert.equal(verdict.last_good_backup, null);
  assert.equal(verdict.safety, 'unsafe');
  byte[0] = (byte[0] ?? 0) ^ 1;
  await flip(new Date(Date.now() - 7_200_000));
  await file.close();
  await good('verify', name);
});

test('a backup that the key does not open is no good one: list, status and console', async () => {
  const [file] = await list(OTHER_KEY);
  assert.equal(file?.error?.code, 'WRONG_KEY');
  const { code, verdict } = await status(OTHER_KEY);
  assert.deepEqual([code, verdict.safety, verdict.last_good_backup], [5, 'unsafe', null]);
  assert.ok(verdict.findings.some((one) => one.code === 'NO_GOOD_BACKUP'));
  await using console = console_(OTHER_KEY);
  await console.waitFor('NOT safe');
  await console.waitFor(/Last backup +✗/);
  console.type('4');
  await console.waitFor('✗ wrong key');
});

test('a folder of backups that is gone, or another empty one, is never taken for a new one', async () => {
  await using console = console_();
  await console.waitFor(/Last backup +✓/);
  await rename(backups, elsewhere);
  for (const there of [false, true]) {
    if (there) await mkdir(backups);
    const { code, health, backups_error, verdict } = await status();
    assert.deepEqual([code, health.backups?.ok], [4, false]);
    assert.equal(backups_error?.code, 'STORAGE_UNREACHABLE');
    assert.equal(verdict.findings[0]?.code, 'BACKUP_STORAGE');
    for (const args of [['backup'], ['list', 'backups'], ['verify', '--all']])
      assert.equal((await bifract(args)).code, 4, args.join(' '));
    await good('init');
    assert.deepEqual(there ? await readdir(backups) : existsSync(backups), there ? [] : false);
  }
  console.type('r');
  await console.waitFor(/Storage ✗/);
  await console.waitFor('NOT safe');
  await console.waitFor(/Last backup +✗/);
  console.type('4');
  await console.waitFor('stale');
  await rm(backups, { recursive: true });
  await rename(elsewhere, backups);
  console.type('r');
  await console.waitFor(/Storage ✓/);
  assert.equal((await status()).code, 0);
});

test('init --new-storage starts with an empty folder', async () => {
  await rename(backups, elsewhere);
  await good('init', '--new-storage');
  await good('backup');
  assert.equal((await readdir(backups)).length, 1);
  await rm(backups, { recursive: true });
  await good('init', '--new-storage');
  await rm(backups, { recursive: true });
  await rename(elsewhere, backups);
});

test('with S3 set up, backups on disk are listed, mentioned, and can be copied there', async () => {
  const [on_disk] = await list();
  assert.ok(on_disk);
  const [listed] = await list(S3);
  assert.deepEqual([listed?.id, listed?.storage_type], [on_disk.path, 'disk']);
  const { verdict } = await status(S3);
  assert.ok(verdict.findings.some(({ code }) => code === 'OTHER_STORAGE'));
  await using console = console_(S3);
  await console.waitFor('Elsewhere');
  console.type('4');
  await console.waitFor('1 backup');
  console.type('C');
  await console.waitFor(/Copy 1 file .*S3/);
  console.type('y');
  await console.waitFor('2 backups', 30_000);
  const both = await list(S3);
  assert.deepEqual(both.map(({ id }) => id).sort(), [on_disk.path, on_disk.name].sort());
  assert.equal(
    both.find(({ storage_type }) => storage_type === 's3')?.restored?.ok,
    true,
    'the same content',
  );
});
