import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { LockedTable } from '../helpers/locked-table.ts';
import { isRunning } from '../helpers/processes.ts';
import { ndjson, PROGRAM, run, start } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const FRACTAL = 'c0000000-0000-4000-8000-000000000001';

const services = await testServices();
const { dir } = await services.installation();
await services.sql(`INSERT INTO fractals (id, name, log_count) VALUES ($1, 'web-prod', 60000)`, [FRACTAL]);
await seedRows(services.clickhouse, services.clickhouse.database, {
  fractal_id: FRACTAL,
  kind: 'web',
  rows: 60_000,
  seed: 5,
  from: new Date(Date.now() - 86_400_000),
  to: new Date(),
});

function open(columns = 80, rows = 24): PtyProgram {
  return new PtyProgram(process.execPath, [PROGRAM, '--dir', dir], { columns, rows });
}

async function files(kind: string): Promise<string[]> {
  const all = await readdir(dir, { recursive: true });
  return all.filter((path) => path.endsWith(kind));
}

test('a user creates a backup and an archive, and finds them in the lists and on disk', async () => {
  const console = open();
  await console.waitFor('Overview');
  await console.waitFor(/PG ✓ +CH ✓ +Storage ✓/);
  console.type('2');
  await console.waitFor('web-prod');
  console.type('a');
  await console.waitFor('Archive "web-prod"?');
  console.type('y');
  await console.waitFor(/archiving|done/);
  console.type('b');
  await console.waitFor('Back up the PostgreSQL database?');
  console.type('y');
  console.type('5');
  await console.waitFor(/Archive of/);
  await console.waitFor(/Backup of/);
  await console.waitFor(/done[\s\S]*done/, 30_000);
  console.type('4');
  await console.waitFor('1 backup');
  console.type('3');
  await console.waitFor('✓ Completed');
  assert.equal((await files('.bifract-backup')).length, 1);
  const [archive = ''] = await files('.bifract-archive');
  assert.ok((await stat(join(dir, archive))).size > 1_000_000);
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
});

test('the console follows the terminal size and restores the screen', async () => {
  const console = open();
  await console.waitFor('Overview');
  console.resize(50, 10);
  await console.waitFor('60');
  console.resize(140, 40);
  await console.waitFor('Last backup');
  assert.equal(console.screen.buffer.active.type, 'alternate');
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
  assert.equal(console.screen.buffer.active.type, 'normal');
});

/** Starts a backup in the console that waits for a locked table. */
async function startBackup(console: PtyProgram): Promise<void> {
  await console.waitFor('Overview');
  console.type('b');
  await console.waitFor('Back up the PostgreSQL database?');
  console.type('y');
  await console.waitFor(/Backup of PostgreSQL\W+started/);
  await until(async () => (await running()).length === 1, LIMIT_MS, 'the backup is running');
}

async function running(): Promise<{ id: string; by: { pid: number } }[]> {
  const listed = ndjson<{ id: string; state: string; by: { pid: number } }>(
    await run(['jobs', '--json', '--dir', dir]),
  );
  return listed.filter(({ state }) => state === 'running');
}

async function backupsCreated(added: number, before: number): Promise<void> {
  await until(
    async () => (await files('.bifract-backup')).length === before + added,
    LIMIT_MS,
    'the backup is done',
  );
  await until(async () => (await running()).length === 0, LIMIT_MS, 'no job is running');
}

for (const [how, leave] of [
  ['quitting the console', (console: PtyProgram) => console.type('q')],
  ['closing the terminal', (console: PtyProgram) => console.kill('SIGHUP')],
  ['killing the console', (console: PtyProgram) => console.kill('SIGKILL')],
] as const) {
  test(`${how} does not stop a job, and the next console shows it`, async () => {
    const before = (await files('.bifract-backup')).length;
    const held = await LockedTable.hold(services.postgres, 'users');
    const first = open();
    await startBackup(first);
    const [job] = await running();
    leave(first);
    await first.ended;
    if (how === 'quitting the console') await first.waitFor(`bifract attach ${job?.id}`);
    const second = open();
    await second.waitFor('Overview');
    second.type('5');
    await second.waitFor(/Backup of PostgreSQL +\S running/);
    await held.release();
    await second.waitFor(/Backup of PostgreSQL +✓ done/);
    await backupsCreated(1, before);
    second.type('q');
    assert.equal((await second.ended).exitCode, 0);
    assert.equal(await isRunning(job?.by.pid ?? 0), false);
  });
}

test('two consoles show the same job, and either can cancel it', async () => {
  const before = (await files('.bifract-backup')).length;
  await using _ = await LockedTable.hold(services.postgres, 'users');
  const [one, other] = [open(), open()];
  await other.waitFor('Overview');
  other.type('5');
  await startBackup(one);
  await other.waitFor(/Backup of PostgreSQL +\S running/);
  // The cursor stays on the job that was the newest before.
  other.type('gx');
  await other.waitFor('Cancel this job');
  await other.waitFor(/, pts\/\d/);
  other.type('y');
  await other.waitFor(/✗ cancelled/);
  await one.waitFor(/Backup of PostgreSQL\W+cancelled/);
  for (const console of [one, other]) console.type('q');
  assert.deepEqual([(await one.ended).exitCode, (await other.ended).exitCode], [0, 0]);
  await backupsCreated(0, before);
});

test('a crashed job is shown and cleaned up, by an open console and by the next one', async () => {
  const held = await LockedTable.hold(services.postgres, 'users');
  const records = () => readdir(join(dir, '.bifract/jobs'));
  const isRecorded = async () => (await records()).length > 0;
  const isCleanedUp = async () => (await records()).length === 0;
  const console = open();
  await console.waitFor('Overview');
  console.type('5');
  const shell = start(['backup', '--dir', dir]);
  await console.waitFor(/Backup of PostgreSQL +\S running/);
  await until(isRecorded, LIMIT_MS, 'the job is recorded');
  shell.child.kill('SIGKILL');
  await console.waitFor(/Backup of PostgreSQL +✗ /);
  await until(isCleanedUp, LIMIT_MS, 'the job is cleaned up');
  console.type('q');
  await console.ended;
  const unseen = start(['backup', '--dir', dir]);
  await until(isRecorded, LIMIT_MS, 'the job is recorded');
  unseen.child.kill('SIGKILL');
  await unseen.ended;
  await held.release();
  const next = open();
  await next.waitFor('Overview');
  await until(isCleanedUp, LIMIT_MS, 'the job is cleaned up');
  next.type('5');
  await next.waitFor(/Backup of PostgreSQL +✗ /);
  next.type('q');
  await next.ended;
  assert.deepEqual(await readdir(join(dir, '.bifract/run')), []);
});
