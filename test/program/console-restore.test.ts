import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { queryPostgres } from '../../bin/demo/query.ts';
import { PROGRAM } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const CTRL_Y = '\x19';

const services = await testServices();
const { dir } = await services.installation();
const restored = `${services.postgres.database}_restored`;
await services.sql(`INSERT INTO users (username, password_hash) VALUES ('night-shift', 'x')`);
after(() =>
  queryPostgres({ ...services.postgres, database: 'postgres' }, `DROP DATABASE IF EXISTS ${restored}`),
);

async function backups(): Promise<string[]> {
  return (await readdir(join(dir, 'backups'))).filter((name) => name.endsWith('.bifract-backup')).sort();
}

/** Opens the list of backups and makes another one; `count` is their number then. */
async function openWithBackup(count: number): Promise<PtyProgram> {
  const console = new PtyProgram(process.execPath, [PROGRAM, '--dir', dir], { columns: 80, rows: 24 });
  await console.waitFor(/PG ✓ +CH ✓ +Storage ✓/);
  console.type('b');
  await console.waitFor('Back up the PostgreSQL database?');
  console.type('y');
  console.type('4');
  await console.waitFor(new RegExp(`${count} backups? *$`, 'm'), 30_000);
  return console;
}

const LIVE = 'SELECT oid FROM pg_database WHERE datname = current_database()';

/** The highlighted choice of a page. */
function selected(console: PtyProgram): string {
  return console.lines().find((line) => line.startsWith('▌')) ?? '';
}

function waitUntilGone(console: PtyProgram, text: string): Promise<boolean> {
  return until(() => !console.text().includes(text), LIMIT_MS, `the screen no longer shows ${text}`);
}

test('a backup is restored to a new database, and the live one does not change', async () => {
  const live = await services.sql(LIVE);
  const console = await openWithBackup(1);
  console.type('R');
  await console.waitFor('Step 1 of 3');
  await console.waitFor('✓ trailer present');
  console.type('\r');
  await console.waitFor('Step 2 of 3');
  await until(() => selected(console) !== '', LIMIT_MS, 'a target is selected');
  const first = selected(console);
  console.type('\x1b[B');
  await until(() => ![first, ''].includes(selected(console)), LIMIT_MS, 'the second target is selected');
  console.type('\r');
  await console.waitFor('bifract_restored_');
  console.type(`\x15${restored}\r`);
  await console.waitFor('Step 3 of 3');
  await until(() => selected(console) !== '', LIMIT_MS, 'the plan is ready');
  console.type('\r');
  await console.waitFor('Restore into');
  // Enter takes the safe answer, which closes the dialog.
  console.type('\r');
  await waitUntilGone(console, 'Restore into');
  await console.waitFor('Step 3 of 3');
  console.type('\r');
  await console.waitFor('Restore into');
  console.type('y');
  await console.waitFor(/row counts match/, 60_000);
  console.type('qq');
  assert.equal((await console.ended).exitCode, 0);
  const address = { ...services.postgres, database: restored };
  const users = await queryPostgres(address, `SELECT username FROM users WHERE username = 'night-shift'`);
  assert.equal(users.length, 1);
  assert.deepEqual(await services.sql(LIVE), live);
  assert.equal((await services.sql(`SELECT 1 FROM users WHERE username = 'night-shift'`)).length, 1);
});

test('a backup is deleted after its name is typed and Ctrl-Y, and the audit log records it', async () => {
  const console = await openWithBackup(2);
  const before = await backups();
  assert.equal(before.length, 2);
  const [oldest = '', newest = ''] = before;
  console.type('G');
  console.type('D');
  await console.waitFor('Delete 1 backup (');
  await console.waitFor('Kept: 1 backup');
  const word = oldest.replace(/^bifract-backup-|\.bifract-backup$/g, '');
  const refused = () => {
    if (console.text().includes(`Type "${word}" first`)) return true;
    // Dropped while the dialog is being drawn.
    console.type(CTRL_Y);
    return false;
  };
  await until(refused, LIMIT_MS, 'Ctrl-Y is refused without the name');
  console.type(`${word}\r`);
  await waitUntilGone(console, 'Delete 1 backup (');
  assert.deepEqual(await backups(), before);
  console.type('D');
  await console.waitFor('Delete 1 backup (');
  console.type(word);
  await console.waitFor(`: ${word}_`);
  console.type(CTRL_Y);
  await until(async () => (await backups()).length === 1, 30_000, 'the backup is deleted');
  await console.waitFor('1 backup');
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
  assert.deepEqual(await backups(), [newest]);
  const audit = await readFile(join(dir, '.bifract/audit.log'), 'utf8');
  assert.ok(audit.includes(oldest) && audit.includes('delete'), audit);
});
