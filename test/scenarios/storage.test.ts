import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';
import { fakeCopyItem, fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';

const BACKUPS = [fakeBackup(1), fakeBackup(2), fakeBackup(3)] as const;
const CTRL_Y = '\x19';

/** A console on three backups, shown. */
async function openBackups(given: Parameters<typeof startConsole>[0] = {}) {
  const engine = given.engine ?? new FakeEngine({ backups: [...BACKUPS] });
  const console = startConsole({ ...given, engine });
  await console.terminal.press('4');
  await console.terminal.see('3 backups');
  return { console, terminal: console.terminal, engine };
}

function stampOf(name: string): string {
  return name.replace(/^bifract-backup-|\.bifract-backup$/g, '');
}

test('D deletes one backup: plan, its stamp typed, a key that is not Enter; the row says so meanwhile', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  const [backup] = BACKUPS;
  const plan = fakeDeletePlan([fakeDeleteItem(backup, { notes: ['It was made before a restore.'] })], {
    backups_left: { count: 2, newest_whole: BACKUPS[1].name },
  });
  engine.data.deletion = plan;
  // What is typed ahead answers nothing, and the same key again is a letter of the word.
  terminal.type(`D${CTRL_Y}`);
  await terminal.see('Delete 1 item for good?');
  await terminal.see(/delete +45\.8 MiB +24h +bifract-backup-/);
  await terminal.see('It was made before a restore.');
  await terminal.see('Kept: 2 backups; the newest that can be read is');
  assert.deepEqual(engine.deleteCalls, [[{ kind: 'backup', id: backup.name }]]);
  await terminal.press('D', CTRL_Y, 'enter');
  await terminal.miss('for good?');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('D');
  await terminal.see('for good?');
  for (const key of stampOf(backup.name)) await terminal.press(key);
  await terminal.press('enter');
  await terminal.see('Nothing was done: Enter takes the safe way');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('D');
  await terminal.see('for good?');
  for (const key of stampOf(backup.name)) await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.see(/\S deleting/);
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'delete', plan });
  await terminal.press('D');
  await terminal.see('Cannot delete: there is nothing here, or it is being worked on');
  engine.data.backups = BACKUPS.slice(1);
  engine.jobs[0]?.done({ deleted: 1, freed_bytes: 2 ** 20, duration_ms: 4 });
  await terminal.see('done, 1 item deleted, 1.0 MiB freed');
  await terminal.see('2 backups');
});

test('of several marked, all are listed, what stays says why, and the number is typed', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  const refusal = { code: 'LAST_BACKUP', message: 'It is the last backup that can be read' } as const;
  engine.data.deletion = fakeDeletePlan([
    fakeDeleteItem(BACKUPS[0], { action: 'keep', refusal: { ...refusal, hint: 'Make another one first.' } }),
    fakeDeleteItem(BACKUPS[1]),
    fakeDeleteItem(BACKUPS[2]),
  ]);
  await terminal.press(' ', ' ', ' ', 'D');
  await terminal.see('Delete 2 items for good?');
  assert.equal(engine.deleteCalls[0]?.length, 3);
  await terminal.see(/stays +45\.8 MiB/);
  await terminal.see('Stays: It is the last backup that can be read. Make another one');
  await terminal.see(/Type delete 2 to make it possible/);
  for (const key of 'delete 2') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.see('deleting');
  assert.equal(engine.jobs.length, 1);
  await terminal.miss('marked');
});

test('where nothing may go, there is no way to say yes', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  const refusal = { code: 'BUSY', message: 'It is being read by another job' } as const;
  engine.data.deletion = fakeDeletePlan([fakeDeleteItem(BACKUPS[0], { action: 'keep', refusal })]);
  await terminal.press('D');
  await terminal.see('Nothing of this can be deleted');
  await terminal.see('Stays: It is being read by another job');
  await terminal.press(CTRL_Y, 'y');
  await terminal.see('Nothing of this can be deleted');
  await terminal.press('enter');
  await terminal.miss('Nothing of this can be deleted');
  assert.equal(engine.jobs.length, 0);
});

test('an archive is deleted by the name of its fractal; its row says so', async () => {
  const fractal = fakeFractal(1, { name: 'web' });
  const record = fakeArchive(1, fractal);
  const engine = new FakeEngine({ fractals: [fractal], archives: [record] });
  engine.data.deletion = fakeDeletePlan([
    fakeDeleteItem(fakeBackup(1), {
      kind: 'archive',
      id: record.id,
      archive_id: record.id,
      title: 'Archive of web',
      notes: ['No archive of web is left.'],
    }),
  ]);
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.see('1 archive');
  await terminal.press('D');
  await terminal.see('No archive of web is left.');
  await terminal.see('Kept: every other archive, and all logs that are in ClickHouse.');
  for (const key of 'web') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.see(/\S deleting/);
});

test('a plan that cannot be made says why', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  engine.failure = new BifractError('STORAGE_UNREACHABLE', 'The bucket does not answer');
  await terminal.press('D');
  await terminal.see('Nothing was deleted: The bucket does not answer');
});

test('a read-only console has no key that deletes or copies', async () => {
  const { console, terminal, engine } = await openBackups({ readOnly: true });
  await using _ = console;
  assert.doesNotMatch(terminal.text(), / D delete/);
  await terminal.press('D');
  await terminal.see('Cannot delete: this console is read-only');
  await terminal.press('C');
  await terminal.see('Cannot copy to: this console is read-only');
  assert.equal(engine.deleteCalls.length + engine.copyCalls.length, 0);
});

test('C says why there is nowhere to copy to, and copies where there is', async () => {
  const { console, terminal } = await openBackups();
  await using _ = console;
  await terminal.press('C');
  await terminal.see('Cannot copy to: there is one storage only: BIFRACT_S3_BUCKET is not set');

  const backups = BACKUPS.map((backup) => ({ ...backup, storage_type: 's3' as const }));
  const engine = new FakeEngine({ backups }, { storage: 's3://bucket' });
  engine.data.copies.items = [fakeCopyItem(BACKUPS[0].name)];
  const other = await openBackups({ engine });
  await using __ = other.console;
  await other.terminal.press('C');
  await other.terminal.see('Copy 1 file to disk?');
  await other.terminal.see('The originals');
  await other.terminal.press('enter');
  await other.terminal.miss('Copy 1 file');
  assert.equal(engine.jobs.length, 0);
  await other.terminal.press('C');
  await other.terminal.see('Copy 1 file');
  await other.terminal.press('y');
  await other.terminal.see(/\S copying/);
  assert.deepEqual(engine.copyCalls[0], { targets: [BACKUPS[0].name], to: 'disk' });
  assert.equal(engine.jobs[0]?.request.kind, 'copy');
});
