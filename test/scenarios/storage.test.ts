import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';
import { fakeCopyItem, fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';

const BACKUPS = [fakeBackup(1), fakeBackup(2), fakeBackup(3)] as const;
const CTRL_Y = '\x19';

/** A console that shows three backups. */
async function openBackups(given: Parameters<typeof startConsole>[0] = {}) {
  const engine = given.engine ?? new FakeEngine({ backups: [...BACKUPS] });
  const console = startConsole({ ...given, engine });
  await console.terminal.press('4');
  await console.terminal.waitFor('3 backups');
  return { console, terminal: console.terminal, engine };
}

function stampOf(name: string): string {
  return name.replace(/^bifract-backup-|\.bifract-backup$/g, '');
}

test('D deletes a backup after a plan, its typed timestamp and Ctrl-Y; the row shows it meanwhile', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  const [backup] = BACKUPS;
  const plan = fakeDeletePlan([fakeDeleteItem(backup, { notes: ['It was made before a restore.'] })], {
    backups_left: { count: 2, newest_whole: BACKUPS[1].name },
  });
  engine.data.deletion = plan;
  // Keys typed ahead do not confirm, and a second D is a letter of the word.
  terminal.type(`D${CTRL_Y}`);
  await terminal.waitFor('Delete 1 backup');
  await terminal.waitFor(/delete +45\.8 MiB +24h +bifract-backup-/);
  await terminal.waitFor('It was made before a restore.');
  await terminal.waitFor(/Kept: 2 backups/);
  assert.deepEqual(engine.deleteCalls, [[{ kind: 'backup', id: backup.name }]]);
  await terminal.press('D', CTRL_Y, 'enter');
  await terminal.waitUntilGone('Delete 1 backup');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('D');
  await terminal.waitFor('Delete 1 backup');
  for (const key of stampOf(backup.name)) await terminal.press(key);
  await terminal.press('enter');
  await terminal.waitFor('Cancelled. To confirm');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('D');
  await terminal.waitFor('Delete 1 backup');
  for (const key of stampOf(backup.name)) await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.waitFor(/\S deleting/);
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'delete', plan });
  await terminal.press('D');
  await terminal.waitFor('Cannot delete');
  engine.data.backups = BACKUPS.slice(1);
  engine.jobs[0]?.done({ deleted: 1, freed_bytes: 2 ** 20, duration_ms: 4 });
  await terminal.waitFor(/done: 1 .*deleted.* 1\.0 MiB/);
  await terminal.waitFor('2 backups');
});

test('several selected backups are all listed, kept ones with the reason, and their number is typed', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  const refusal = { code: 'LAST_BACKUP', message: 'It is the last backup that can be read' } as const;
  engine.data.deletion = fakeDeletePlan([
    fakeDeleteItem(BACKUPS[0], { action: 'keep', refusal: { ...refusal, hint: 'Make another one first.' } }),
    fakeDeleteItem(BACKUPS[1]),
    fakeDeleteItem(BACKUPS[2]),
  ]);
  await terminal.press(' ', ' ', ' ', 'D');
  await terminal.waitFor('Delete 2 backups');
  assert.equal(engine.deleteCalls[0]?.length, 3);
  await terminal.waitFor(/^\W*(?!delete)\w+ +45\.8 MiB/m);
  await terminal.waitFor(/: It is the last backup that can be read\. Make another one/);
  await terminal.waitFor(/delete 2\b.*: _/);
  for (const key of 'delete 2') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.waitFor('deleting');
  assert.equal(engine.jobs.length, 1);
  await terminal.waitUntilGone(/^[▌ ]●/m);
  assert.equal(terminal.text().match(/deleting/g)?.length, 2, 'the kept one is not shown as being deleted');
  engine.jobs[0]?.done({ deleted: 2, kept: 1, freed_bytes: 2048 });
  await terminal.waitFor(/2 items deleted, 1 kept, 2\.0 KiB freed/);
});

test('if nothing can be deleted, there is nothing to confirm', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  const refusal = { code: 'BUSY', message: 'In use by job 7' } as const;
  engine.data.deletion = fakeDeletePlan([fakeDeleteItem(BACKUPS[0], { action: 'keep', refusal })]);
  await terminal.press('D');
  await terminal.waitFor('Nothing can be deleted');
  await terminal.waitFor('In use by job 7');
  await terminal.press(CTRL_Y, 'y');
  await terminal.waitFor('Nothing can be deleted');
  await terminal.press('enter');
  await terminal.waitUntilGone('Nothing can be deleted');
  assert.equal(engine.jobs.length, 0);
});

test('deleting an archive needs the typed name of its fractal; the row shows it meanwhile', async () => {
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
  await terminal.waitFor('1 archive');
  await terminal.press('D');
  await terminal.waitFor('No archive of web is left.');
  await terminal.waitFor(/Kept: .*ClickHouse/);
  for (const key of 'web') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.waitFor(/\S deleting/);
});

test('a plan that fails is reported', async () => {
  const { console, terminal, engine } = await openBackups();
  await using _ = console;
  engine.failure = new BifractError('STORAGE_UNREACHABLE', 'The bucket does not answer');
  await terminal.press('D');
  await terminal.waitFor('Nothing was deleted: The bucket does not answer');
});

test('a read-only console cannot delete or copy', async () => {
  const { console, terminal, engine } = await openBackups({ readOnly: true });
  await using _ = console;
  assert.doesNotMatch(terminal.text(), / D delete/);
  await terminal.press('D');
  await terminal.waitFor('Cannot delete: the console is read-only');
  await terminal.press('C');
  await terminal.waitFor('Cannot copy to S3 or disk: the console is read-only');
  assert.equal(engine.deleteCalls.length + engine.copyCalls.length, 0);
});

test('C needs a second storage, and copies the file to it', async () => {
  const { console, terminal } = await openBackups();
  await using _ = console;
  await terminal.press('C');
  await terminal.waitFor(/Cannot copy to S3 or disk: .*BIFRACT_S3_BUCKET/);

  const backups = BACKUPS.map((backup) => ({ ...backup, storage_type: 's3' as const }));
  const engine = new FakeEngine({ backups }, { storage: 's3://bucket' });
  engine.data.copies.items = [fakeCopyItem(BACKUPS[0].name)];
  const other = await openBackups({ engine });
  await using __ = other.console;
  await other.terminal.press('C');
  await other.terminal.waitFor(/Copy 1 file .*to disk\?/);
  await other.terminal.waitFor('originals');
  await other.terminal.press('enter');
  await other.terminal.waitUntilGone('Copy 1 file');
  assert.equal(engine.jobs.length, 0);
  await other.terminal.press('C');
  await other.terminal.waitFor('Copy 1 file');
  await other.terminal.press('y');
  await other.terminal.waitFor(/\S copying/);
  assert.deepEqual(engine.copyCalls[0], { targets: [BACKUPS[0].name], to: 'disk' });
  assert.equal(engine.jobs[0]?.request.kind, 'copy');
});
