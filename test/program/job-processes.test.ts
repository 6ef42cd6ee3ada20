import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ListedJob, listedJobs } from '../helpers/listed-jobs.ts';
import { LockedTable } from '../helpers/locked-table.ts';
import { isRunning } from '../helpers/processes.ts';
import { ndjson, run, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const services = await testServices();
const { dir } = await services.installation();

const { bifract, jobs, find } = listedJobs(dir);

/** Starts a detached backup that waits for a locked table. */
async function detached(): Promise<ListedJob> {
  const ended = await bifract('backup', '--detach', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  const [{ job }] = ndjson(ended) as [{ job: string }];
  started.push(job);
  return find(job);
}

const started: string[] = [];
after(async () => {
  for (const id of started) await bifract('cancel', id);
});

async function leftBehind(): Promise<string[]> {
  const all = await readdir(join(dir, '.bifract'), { recursive: true });
  return all.filter((path) => /^(jobs|run)\/|\.log$/.test(path));
}

test('--detach with --read-only fails and changes nothing', async () => {
  const before = await readdir(join(dir, '.bifract'), { recursive: true }).catch(() => []);
  const ended = await bifract('backup', '--detach', '--read-only', '--json');
  assert.equal(ended.code, 1);
  assert.match(ended.stdout.toString() + ended.stderr, /READ_ONLY/);
  assert.deepEqual(await readdir(join(dir, '.bifract'), { recursive: true }).catch(() => []), before);
});

test('a detached backup can be followed to its end, and leaves only its journal', async () => {
  const held = await LockedTable.hold(services.postgres, 'users');
  const job = await detached();
  assert.equal(job.state, 'running');
  assert.notEqual(job.by.pid, process.pid);
  const attached = start(['attach', job.id, '--dir', dir, '--json']);
  const other = start(['attach', job.id.slice(-6), '--dir', dir]);
  await until(async () => (await find(job.id)).phase !== undefined, LIMIT_MS, 'the job has a phase');
  await held.release();
  const [first, second] = await Promise.all([attached.ended, other.ended]);
  assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
  const events = ndjson<{ event: string }>(first);
  assert.deepEqual([events[0]?.event, events.at(-1)?.event], ['job:started', 'job:done']);
  assert.match(second.stdout.toString(), /^Backup +bifract-backup-.*^SHA-256 +[0-9a-f]{64}$/ms);
  await until(async () => !(await isRunning(job.by.pid)), LIMIT_MS, 'the process has ended');
  assert.equal((await find(job.id)).state, 'done');
  assert.deepEqual(await leftBehind(), []);
  assert.equal((await bifract('attach', job.id)).code, 0, 'an ended job can still be followed');
});

test('a cancel ends the job and its process; whoever follows it exits with 130', async () => {
  await using _ = await LockedTable.hold(services.postgres, 'users');
  const job = await detached();
  const attached = start(['attach', job.id, '--dir', dir]);
  const cancelled = await bifract('cancel', job.id);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  assert.equal((await attached.ended).code, 130);
  await until(async () => !(await isRunning(job.by.pid)), LIMIT_MS, 'the process has ended');
  assert.equal((await find(job.id)).state, 'cancelled');
  assert.deepEqual(await leftBehind(), []);
  const again = await bifract('cancel', job.id);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /NOT_FOUND/);
});

test('Ctrl-C detaches from a job and leaves it running', async () => {
  await using _ = await LockedTable.hold(services.postgres, 'users');
  const job = await detached();
  const attached = start(['attach', job.id, '--dir', dir]);
  attached.child.stderr?.once('data', () => attached.child.kill('SIGINT'));
  const { code, stderr } = await attached.ended;
  assert.equal(code, 130);
  assert.ok(stderr.includes(`bifract attach ${job.id}`), stderr);
  assert.equal((await find(job.id)).state, 'running');
  assert.equal((await bifract('cancel', job.id)).code, 0);
});

test('SIGHUP does not reach a detached job; SIGTERM cancels it cleanly', async () => {
  await using _ = await LockedTable.hold(services.postgres, 'users');
  const job = await detached();
  process.kill(job.by.pid, 'SIGHUP');
  assert.equal((await find(job.id)).state, 'running');
  assert.equal(await sessionOf(job.by.pid), job.by.pid, 'the job leads its own session');
  process.kill(job.by.pid, 'SIGTERM');
  assert.equal((await bifract('attach', job.id)).code, 143);
  assert.deepEqual(await leftBehind(), []);
});

async function sessionOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

test('a killed job is reported as crashed, and the next job cleans up after it', async () => {
  const held = await LockedTable.hold(services.postgres, 'users');
  const job = await detached();
  const attached = start(['attach', job.id, '--dir', dir, '--json']);
  await until(
    async () => (await readdir(join(dir, '.bifract/jobs'))).length > 0,
    LIMIT_MS,
    'the job is recorded',
  );
  process.kill(job.by.pid, 'SIGKILL');
  const { code, stdout } = await attached.ended;
  assert.equal(code, 1);
  assert.match(stdout.toString(), /JOB_DIED/);
  const crashed = await find(job.id);
  assert.deepEqual([crashed.state, crashed.unsettled], ['died', true]);
  assert.match(
    (await bifract('jobs')).stdout.toString(),
    new RegExp(`${job.id} +crashed[\\s\\S]*\\n${job.id}: `),
  );
  assert.equal((await bifract('cancel', job.id)).code, 1);
  await held.release();
  assert.equal((await bifract('backup')).code, 0);
  assert.deepEqual((await find(job.id)).unsettled, false);
  assert.deepEqual(await leftBehind(), []);
});

test('a backup from cron is listed and can be cancelled', async () => {
  await using _ = await LockedTable.hold(services.postgres, 'users');
  const cron = start(['--backup', '--dir', dir, '--non-interactive']);
  await until(
    async () => (await jobs()).some(({ by }) => by.pid === cron.pid),
    LIMIT_MS,
    'the job is listed',
  );
  const job = (await jobs()).find(({ by }) => by.pid === cron.pid);
  assert.equal((await bifract('cancel', job?.id ?? '')).code, 0);
  assert.equal((await cron.ended).code, 130);
  assert.deepEqual(await leftBehind(), []);
});

test('--detach --quiet prints only the job ID', async () => {
  await using _ = await LockedTable.hold(services.postgres, 'users');
  const { stdout } = await bifract('backup', '--detach', '--quiet');
  assert.match(stdout.toString(), /^backup-\d{8}-\d{6}-\w+\n$/);
  assert.equal((await bifract('cancel', stdout.toString().trim())).code, 0);
});

test('a detached job that cannot start fails at once, and an unknown job is NOT_FOUND', async () => {
  const bad = await services.installation({ BIFRACT_BACKUP_ENCRYPTION_KEY: 'short' });
  const ended = await run(['backup', '--detach', '--dir', bad.dir]);
  assert.equal(ended.code, 3, ended.stderr);
  for (const command of ['attach', 'cancel']) {
    const { code, stderr } = await bifract(command, 'nothing-20260301-120000-abcdef');
    assert.deepEqual([code, /NOT_FOUND/.test(stderr)], [1, true]);
  }
  assert.equal((await bifract('run-job', 'x')).code, 2);
});

test('journals contain no secrets', async () => {
  const env = await readFile(join(dir, '.env'), 'utf8');
  const secrets = [...env.matchAll(/(?:KEY|PASSWORD)=(.{6,})/g)].map(([, secret]) => secret as string);
  assert.ok(secrets.length > 0);
  const folder = join(dir, '.bifract/journal');
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    for (const secret of secrets) assert.ok(!text.includes(secret), name);
  }
});
