import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { PROGRAM } from '../helpers/program.ts';
import { PtyProgram } from '../helpers/pty.ts';
import { testServices } from '../helpers/services.ts';

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

test('a user makes a backup and an archive, watches them, and finds them in the lists and on disk', async () => {
  const console = open();
  await console.see('Overview');
  await console.see(/PG ✓ +CH ✓ +Storage ✓/);
  console.type('2');
  await console.see('web-prod');
  console.type('a');
  await console.see(/archiving|Archive of web-prod: done/);
  console.type('b');
  console.type('5');
  await console.see(/Archive of/);
  await console.see(/Backup of/);
  await console.see(/done[\s\S]*done/, 30_000);
  console.type('4');
  await console.see('1 backup');
  console.type('3');
  await console.see('✓ Completed');
  assert.equal((await files('.bifract-backup')).length, 1);
  const [archive = ''] = await files('.bifract-archive');
  assert.ok((await stat(join(dir, archive))).size > 1_000_000);
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
});

test('it follows the size of its terminal, and leaves the screen as it was', async () => {
  const console = open();
  await console.see('Overview');
  console.resize(50, 10);
  await console.see(/60|too small/i);
  console.resize(140, 40);
  await console.see('Protection');
  assert.equal(console.screen.buffer.active.type, 'alternate');
  console.type('q');
  assert.equal((await console.ended).exitCode, 0);
  assert.equal(console.screen.buffer.active.type, 'normal');
});

test('leaving while a job runs asks first; a cancelled job leaves no file and a failed record', async () => {
  const before = await files('.bifract-archive');
  const console = open();
  await console.see('Overview');
  console.type('2');
  await console.see('web-prod');
  console.type('a');
  await console.see('archiving');
  console.type('q');
  await console.see(/[Cc]ancel/);
  console.type('\x03');
  console.type('\x03');
  assert.equal((await console.ended).exitCode, 0);
  assert.deepEqual(await files('.bifract-archive'), before);
  const [record] = await services.sql('SELECT status FROM archives ORDER BY created_at DESC LIMIT 1');
  assert.equal(record?.status, 'failed');
});

test('a terminal that goes away ends the console and its job', async () => {
  const before = await files('.bifract-archive');
  const console = open();
  await console.see('Overview');
  console.type('2');
  await console.see('web-prod');
  console.type('a');
  await console.see('archiving');
  console.kill('SIGHUP');
  await console.ended;
  assert.deepEqual(await files('.bifract-archive'), before);
});
