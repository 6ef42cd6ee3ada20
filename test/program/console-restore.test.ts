import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { queryPostgres } from '../../bin/demo/query.ts';
import { PROGRAM } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { testServices } from '../helpers/services.ts';

const CTRL_Y = '\x19';

const services = await testServices();
const { dir } = await services.installation();
const beside = `${services.postgres.database}_beside`;
await services.sql(`INSERT INTO users (username, password_hash) VALUES ('night-shift', 'x')`);
after(() =>
  queryPostgres({ ...services.postgres, database: 'postgres' }, `DROP DATABASE IF EXISTS ${beside}`),
);

async function backups(): Promise<string[]> {
  return (await readdir(join(dir, 'backups'))).filter((name) => name.endsWith('.bifract-backup')).sort();
}

/** The console on its list of backups, with one more made in it: so many there are then. */
async function openWithBackup(count: number): Promise<PtyProgram> {
  const console = new PtyProgram(process.execPath, [PROGRAM, '--dir', dir], { columns: 80, rows: 24 });
  await console.see(/PG ✓ +CH ✓ +Storage ✓/);
  console.type('b');
  console.type('4');
  await console.see(new RegExp(`${count} backups? *$`, 'm'), 30_000);
  return console;
}

test('a backup is restored beside the live database, which stays as it is', async () => {
  const console = await openWithBackup(1);
  console.type('R');
  await console.see('Step 1 of 3: the backup');
  await console.see(/Sealed ends +✓ yes/);
  console.type('\r');
  await console.see('Step 2 of 3: where to');
  console.type('\x1b[B');
  await console.see('▌ Beside');
  console.type('\r');
  await console.see('database bifract_restored_');
  console.type(`\x15${beside}\r`);
  await console.see('Step 3 of 3: the plan');
  await console.see('▌ Go on');
  console.type('\r');
  await console.see(`Restore into ${beside.slice(0, 10)}`);
  // Enter is no yes: the footer is that of the page again.
  console.type('\r');
  await console.see('x give up');
  console.type('\r');
  await console.see('Esc close, nothing happens');
  console.type('y');
  await console.see(/Compared +✓ every count is as in the backup/, 60_000);
  await console.see(/The live database\s+was\s+not touched/);
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
  const there = { ...services.postgres, database: beside };
  const users = await queryPostgres(there, `SELECT username FROM users WHERE username = 'night-shift'`);
  assert.equal(users.length, 1);
  assert.equal((await services.sql(`SELECT 1 FROM users WHERE username = 'night-shift'`)).length, 1);
});

test('a backup is deleted by a word and Ctrl-Y, file and all, and the audit log tells of it', async () => {
  const console = await openWithBackup(2);
  const before = await backups();
  assert.equal(before.length, 2);
  const [oldest = '', newest = ''] = before;
  console.type('G');
  console.type('D');
  await console.see('Delete 1 item for good?');
  await console.see('Kept: 1 backup; the newest that can be read is');
  const word = oldest.replace(/^bifract-backup-|\.bifract-backup$/g, '');
  console.type(CTRL_Y);
  await console.see(`Nothing was done: type ${word} first`);
  console.type(`${word}\r`);
  await console.see('Nothing was done: Enter takes the safe way');
  assert.deepEqual(await backups(), before);
  console.type('D');
  await console.see('Delete 1 item for good?');
  console.type(word);
  await console.see(`possible: ${word}_`);
  console.type(CTRL_Y);
  await console.see('1 item deleted', 30_000);
  await console.see('1 backup');
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
  assert.deepEqual(await backups(), [newest]);
  const audit = await readFile(join(dir, '.bifract/audit.log'), 'utf8');
  assert.ok(audit.includes(oldest) && audit.includes('delete'), audit);
});
