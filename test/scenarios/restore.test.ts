import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError, type RestorePlan } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { fakeBackupReport, fakeOrphan } from '../helpers/fake-archive.ts';
import { FakeEngine, fakeBackup } from '../helpers/fake-engine.ts';
import type { FakeTerminal } from '../helpers/terminal.ts';

const BACKUP = fakeBackup(3);
const CTRL_Y = '\x19';
const UNCHANGED = 'nothing has been changed so far';

const RESULT = {
  file: BACKUP.name,
  database: 'bifract',
  tables: 6,
  rows: 61_234,
  compared: true,
  safety_backup: 'bifract-backup-20261123-030000.bifract-backup',
  ended_sessions: 2,
  duration_ms: 4_000,
};

/** A console at the first page of the restore of the only backup. */
async function openRestore(
  restore: Partial<RestorePlan> = {},
  size: { columns?: number; rows?: number } = {},
) {
  const engine = new FakeEngine({ backups: [BACKUP], files: [fakeBackupReport(BACKUP)], restore });
  const console = startConsole({ engine, ...size });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.see('1 backup');
  await terminal.press('R');
  await terminal.see('Step 1 of 3: the backup');
  await terminal.see(UNCHANGED);
  return { console, terminal, engine };
}

async function toTargets(terminal: FakeTerminal) {
  await terminal.press('enter');
  await terminal.see('Step 2 of 3: where to');
  await terminal.see(UNCHANGED);
}

async function planLive(terminal: FakeTerminal) {
  await toTargets(terminal);
  await terminal.press('down', 'down', 'enter');
  await terminal.see('REPLACES the database bifract');
  await terminal.see(UNCHANGED);
}

for (const [columns, rows] of [
  [80, 24],
  [140, 40],
] as const) {
  test(`a database is replaced at the last step only, by its name and a key that is not Enter, at ${columns}x${rows}`, async () => {
    const { console, terminal, engine } = await openRestore({}, { columns, rows });
    await using _ = console;
    await planLive(terminal);
    assert.deepEqual(engine.restoreCalls[0]?.query, {
      file: BACKUP.name,
      target: { kind: 'live' },
      no_owner: false,
    });
    await terminal.see('1 table goes, 1 table loses rows');
    await terminal.press('enter');
    await terminal.see('Replace the database bifract?');
    await terminal.see('It is backed up right before.');
    await terminal.press(CTRL_Y, 'enter');
    await terminal.miss('Replace the database bifract?');
    await terminal.press('enter');
    await terminal.see('Replace the database bifract?');
    for (const key of 'bifract') await terminal.press(key);
    await terminal.press('enter');
    await terminal.see('Nothing was done: Enter takes the safe way');
    assert.equal(engine.jobs.length, 0);

    await terminal.press('enter');
    await terminal.see('Replace the database bifract?');
    for (const key of 'bifract') await terminal.press(key);
    await terminal.press(CTRL_Y);
    await terminal.see(/Jobs › Restore of/);
    const [job] = engine.jobs;
    assert.ok(job?.request.kind === 'restore');
    assert.deepEqual(job.request.consent, { safety_backup: true, end_sessions: false, stop_app: false });
    assert.equal(job.request.plan.target.kind, 'live');
    job.phase('Restoring');
    job.emit('job:progress', { item: 'public.alerts', bytes_in: 12_000_000, total_bytes: 48_000_000 });
    await terminal.see(/Now +public\.alerts/);
    await terminal.see('25%');
    job.done(RESULT);
    await terminal.see(/Compared +✓ every count is as in the backup/);
    await terminal.see(/Before it +bifract-backup-20261123-030000/);
    assert.doesNotMatch(terminal.text(), /Done +\d/);
    await terminal.see('To go back to what was there before: 4, and R on');
  });
}

test('consents are what was ticked, and a session in the way is removed by one', async () => {
  const since = new Date(Date.now() - 60_000).toISOString();
  const sessions = [{ pid: 7, user: 'bifract', application: 'psql', client: null, state: 'idle', since }];
  const obstacle = {
    code: 'BUSY',
    message: '1 session is connected to bifract',
    consent: 'end_sessions',
  } as const;
  const { console, terminal, engine } = await openRestore({ sessions, obstacles: [obstacle] });
  await using _ = console;
  await planLive(terminal);
  await terminal.see(/In the way +1 session is connected/);
  await terminal.see(/7 +psql +bifract +socket +idle +1m/);
  await terminal.press('enter');
  await terminal.see('Cannot go on: 1 session is connected to bifract: tick how they end');
  await terminal.press('up', 'up', 'up', ' ');
  await terminal.see('[✓] End the sessions that are connected (1 now)');
  await terminal.press('up', ' ');
  await terminal.see('Without it there is no way back.');
  await terminal.press('down', 'down', ' ');
  await terminal.see('[✓] Stop the Bifract server (bifract-app) meanwhile');
  await terminal.press('down', 'down', 'enter');
  await terminal.see('It is NOT backed up before: there is no way back.');
  await terminal.see('Whoever is connected then is thrown out.');
  for (const key of 'bifract') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.see('Jobs › Restore of');
  const request = engine.jobs[0]?.request;
  assert.ok(request?.kind === 'restore');
  assert.deepEqual(request.consent, { safety_backup: false, end_sessions: true, stop_app: true });
});

test('what only an administrator can remove keeps the plan from being carried out, and says what to do', async () => {
  const hint = 'As an administrator: ALTER ROLE bifract CREATEDB';
  const obstacle = {
    code: 'UNSUPPORTED',
    message: 'The user may not make databases',
    hint,
    consent: null,
  } as const;
  const { console, terminal, engine } = await openRestore({ obstacles: [obstacle] });
  await using _ = console;
  await planLive(terminal);
  await terminal.see(/What to do +As an administrator: ALTER ROLE/);
  await terminal.see('Not now: The user may not make databases');
  await terminal.press('enter');
  await terminal.see('Cannot go on: The user may not make databases');
  // What was put right is seen by planning again.
  engine.data.restore = {};
  await terminal.press('up', 'enter');
  await terminal.miss('Not now');
  await terminal.press('enter');
  await terminal.see('Replace the database bifract?');
  assert.equal(engine.jobs.length, 0);
});

test('beside the live database: under a name, after one question', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  await toTargets(terminal);
  await terminal.press('down', 'enter');
  await terminal.see('database bifract_restored_');
  await terminal.press('\x15', 'enter');
  await terminal.see('It needs a name');
  for (const key of 'copy') await terminal.press(key);
  await terminal.press('enter');
  await terminal.see(/into copy, which does\s+not exist yet/);
  assert.doesNotMatch(terminal.text(), /safety|Back up the present/);
  await terminal.press('enter');
  await terminal.see('Restore into copy?');
  await terminal.press('enter');
  await terminal.miss('Restore into copy?');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('enter');
  await terminal.see('Restore into copy?');
  await terminal.press('y');
  await terminal.see('Jobs › Restore of');
  const [job] = engine.jobs;
  assert.ok(job?.request.kind === 'restore');
  assert.deepEqual(job.request.plan.target, { kind: 'beside', database: 'copy' });
  assert.deepEqual(job.request.consent, { safety_backup: false, end_sessions: false, stop_app: false });
  job.done({ ...RESULT, database: 'copy', safety_backup: null, ended_sessions: 0 });
  await terminal.see('The live database was not touched.');
  await terminal.see('DROP DATABASE "copy"');
});

test('a drill is one question, and its result says what it proves', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  await toTargets(terminal);
  await terminal.press('enter');
  await terminal.see(/into a scratch database,\s+compares every count, and drops it/);
  await terminal.press('enter');
  await terminal.see('Begin the drill?');
  await terminal.press('y');
  await terminal.see('Jobs › Restore drill');
  assert.equal(engine.jobs[0]?.request.kind, 'drill');
  engine.jobs[0]?.done({ ...RESULT, safety_backup: null, ended_sessions: 0 });
  await terminal.see('the backup is proved to restore');
});

test('planning shows how far it is, is stopped by Esc, and what fails can be tried again', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  const gate = Promise.withResolvers<void>();
  await toTargets(terminal);
  engine.gate = gate.promise;
  await terminal.press('enter');
  await terminal.see('Esc stops it.');
  const [call] = engine.restoreCalls;
  call?.options?.onProgress?.(12_000_000, 48_000_000);
  await terminal.see('25%  11.4 MiB of 45.8 MiB');
  await terminal.press('esc');
  await terminal.see('Step 2 of 3: where to');
  await terminal.see('The planning was stopped; nothing has happened');
  assert.equal(call?.options?.signal?.aborted, true);
  gate.resolve();
  engine.gate = Promise.resolve();

  engine.failure = new BifractError('CUT_OFF', 'The file is cut off', { hint: 'Look for another copy.' });
  await terminal.press('enter');
  await terminal.see(/No plan +The file is cut off/);
  await terminal.see(/What to do +Look for another copy\./);
  engine.failure = undefined;
  await terminal.press('enter');
  await terminal.see('compares every count');
  await terminal.press('esc');
  await terminal.see('Step 2 of 3');
  await terminal.press('esc');
  await terminal.see('Step 1 of 3');
  await terminal.press('esc');
  await terminal.see('The restore was not begun; nothing has happened');
  await terminal.see('1 backup');
});

test('a restore that was begun waits while the user looks elsewhere, and goes on', async () => {
  const { console, terminal } = await openRestore();
  await using _ = console;
  await planLive(terminal);
  await terminal.press('5');
  await terminal.see('Nothing has run in this session');
  await terminal.press('4', 'R');
  await terminal.see('REPLACES the database bifract');
  await terminal.see('This restore was begun before');
  await terminal.press('x');
  await terminal.see('1 backup');
  await terminal.press('R');
  await terminal.see('Step 1 of 3');
});

test('all tables of a plan can be seen at 80x24, those that lose something first', async () => {
  const tables = Array.from({ length: 60 }, (_, index) => ({
    schema: 'public',
    name: `table_${index}`,
    rows_backup: index === 40 ? 1 : 5,
    rows_now: 5,
    where: 'both' as const,
  }));
  const { console, terminal } = await openRestore({ tables });
  await using _ = console;
  await planLive(terminal);
  const seen = new Set<string>();
  const look = () => {
    for (const [name] of terminal.text().matchAll(/public\.table_\d+/g)) seen.add(name);
  };
  look();
  while (seen.size < 60) {
    const [position = ''] = /Lines \d+ to \d+/.exec(terminal.text()) ?? [];
    await terminal.press('pgdn');
    await terminal.miss(position);
    look();
  }
  assert.equal([...seen][0], 'public.table_40');
});

test('a read-only console restores nothing', async () => {
  const engine = new FakeEngine({ backups: [BACKUP] });
  await using console = startConsole({ engine, readOnly: true });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.see('1 backup');
  await terminal.press('R');
  await terminal.see('Cannot restore: this console is read-only');
});

test('a backup that was renamed is on the orphans, and can be restored from there', async () => {
  const stranger = fakeOrphan('file', 1, {
    place: 'backups',
    id: 'before-upgrade.bifract-backup',
    path: '/opt/bifract/backups/before-upgrade.bifract-backup',
    actions: [],
  });
  const engine = new FakeEngine({ orphans: [stranger] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('7');
  await terminal.see('R restore');
  await terminal.press('R');
  await terminal.see('Step 1 of 3: the backup');
  await terminal.see('v verifies it and R restores it');
  await toTargets(terminal);
  await terminal.press('enter');
  await terminal.see(/compares every count/);
  assert.equal(engine.restoreCalls[0]?.query.file, stranger.id);
});

test('on the smallest terminal, switches that do not fit are told of', async () => {
  const { console, terminal } = await openRestore({}, { columns: 60, rows: 14 });
  await using _ = console;
  await planLive(terminal);
  await terminal.see('More to choose: ↑ 3 above');
  await terminal.press('up', 'up', 'up', 'up');
  await terminal.see('[✓] Back up the present database');
  await terminal.see(/More to choose: ↓ \d below/);
});
