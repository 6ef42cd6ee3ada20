import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError, type RestorePlan } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { fakeBackupReport, fakeOrphan } from '../helpers/fake-archive.ts';
import { FakeEngine, fakeBackup } from '../helpers/fake-engine.ts';
import type { FakeTerminal } from '../helpers/terminal.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const BACKUP = fakeBackup(3);
const CTRL_Y = '\x19';
/** Each page says that nothing has been changed. */
const UNCHANGED = /\bchanged\b/;

/** The page of the plan, once it is made: its last choice has the cursor. */
const PLANNED = /Step 3 of 3[\s\S]*\n▌ /;

const RESULT = {
  file: BACKUP.name,
  database: 'bifract',
  live: true,
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
  await terminal.waitFor('1 backup');
  await terminal.press('R');
  await terminal.waitFor('Step 1 of 3');
  await terminal.waitFor(UNCHANGED);
  return { console, terminal, engine };
}

async function toTargets(terminal: FakeTerminal) {
  await terminal.press('enter');
  await terminal.waitFor('Step 2 of 3');
  await terminal.waitFor(UNCHANGED);
}

async function planLive(terminal: FakeTerminal) {
  await toTargets(terminal);
  await terminal.press('down', 'down', 'enter');
  await terminal.waitFor(PLANNED);
  await terminal.waitFor(UNCHANGED);
}

for (const [columns, rows] of [
  [80, 24],
  [140, 40],
] as const) {
  test(`replacing a database takes the last step, its name and Ctrl-Y, never Enter, at ${columns}x${rows}`, async () => {
    const { console, terminal, engine } = await openRestore({}, { columns, rows });
    await using _ = console;
    await planLive(terminal);
    assert.deepEqual(engine.restoreCalls[0]?.query, {
      file: BACKUP.name,
      target: { kind: 'live' },
      no_owner: false,
      no_privileges: false,
      no_tablespaces: false,
    });
    await terminal.waitFor(/1 table with 44 rows, 12 rows of 1 other table/);
    await terminal.waitFor(/all changes\s+since/);
    await terminal.press('enter');
    await terminal.waitFor('Replace the database bifract?');
    await terminal.waitFor('safety backup');
    await terminal.press(CTRL_Y, 'enter');
    await terminal.waitUntilGone('Replace the database bifract?');
    await terminal.press('enter');
    await terminal.waitFor('Replace the database bifract?');
    for (const key of 'bifract') await terminal.press(key);
    await terminal.press('enter');
    await terminal.waitFor('Cancelled. To confirm');
    assert.equal(engine.jobs.length, 0);

    await terminal.press('enter');
    await terminal.waitFor('Replace the database bifract?');
    for (const key of 'bifract') await terminal.press(key);
    await terminal.press(CTRL_Y);
    await terminal.waitFor(/Jobs › Restore of/);
    const [job] = engine.jobs;
    assert.ok(job?.request.kind === 'restore');
    assert.deepEqual(job.request.consent, { safety_backup: true, end_sessions: false, stop_app: false });
    assert.equal(job.request.plan.target.kind, 'live');
    job.phase('Restoring');
    job.emit('job:progress', { item: 'public.alerts', bytes_in: 12_000_000, total_bytes: 48_000_000 });
    await terminal.waitFor(/Working on +public\.alerts/);
    await terminal.waitFor('25%');
    job.done(RESULT);
    await terminal.waitFor(/Contents +6 tables, 61,234 rows/);
    await terminal.waitFor('bifract-backup-20261123-030000');
    assert.doesNotMatch(terminal.text(), /Done +\d/);
  });
}

test('privileges and tablespaces are left out on request', async () => {
  const { console, terminal, engine } = await openRestore({});
  await using _ = console;
  await toTargets(terminal);
  await terminal.press('down', 'down', 'down', 'down', ' ');
  await terminal.press('down', ' ');
  await terminal.press('up', 'up', 'up', 'up', 'up', 'enter');
  await terminal.waitFor(PLANNED);
  assert.deepEqual(engine.restoreCalls[0]?.query, {
    file: BACKUP.name,
    target: { kind: 'drill' },
    no_owner: false,
    no_privileges: true,
    no_tablespaces: true,
  });
});

test('what a restore loses stays visible while its text is scrolled, and is in the question', async () => {
  const { console, terminal } = await openRestore();
  await using _ = console;
  await planLive(terminal);
  await terminal.press('pgdn', 'pgdn');
  await terminal.waitFor(/1 table with 44 rows[\s\S]*Lines \d\d to/);
  await terminal.press('enter');
  await terminal.waitFor('Replace the database bifract?');
  await terminal.waitFor(/Will be lost: 1 table with 44 rows[\s\S]*Cancel/);
});

test('a restore to a new database loses nothing, and says so', async () => {
  const { console, terminal } = await openRestore();
  await using _ = console;
  await toTargets(terminal);
  await terminal.press('enter');
  await terminal.waitFor(PLANNED);
  await terminal.waitFor('Nothing will be lost');
});

test('Space chooses and toggles, Enter continues wherever the cursor is', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  await toTargets(terminal);
  await terminal.waitFor(/\(\*\) Test restore/);
  await terminal.press('down', 'down', ' ');
  await terminal.waitFor(/\(\*\) Replace the live database/);
  await terminal.press('down', ' ', 'down', 'down');
  await terminal.waitFor(/\[✓\] Omit owners/);
  await terminal.press('enter');
  await terminal.waitFor(PLANNED);
  assert.deepEqual(engine.restoreCalls[0]?.query, {
    file: BACKUP.name,
    target: { kind: 'live' },
    no_owner: true,
    no_privileges: false,
    no_tablespaces: false,
  });
  await terminal.press('up', 'up', 'up');
  await terminal.waitFor(/▌ \[ \]/);
  await terminal.press('enter');
  await terminal.waitFor('Replace the database bifract?');
  await terminal.press('esc', ' ');
  await terminal.waitFor(/▌ \[✓\]/);
  assert.equal(engine.jobs.length, 0);
});

test('the request has the consents that were given; one of them removes an obstacle', async () => {
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
  await terminal.waitFor('1 session is connected to bifract');
  await terminal.waitFor(/7 +psql +bifract +socket +idle +1m/);
  await terminal.press('enter');
  await terminal.waitFor('Cannot continue: 1 session is connected to bifract');
  await terminal.press('up', 'up', 'up', ' ');
  await terminal.waitFor(/\[✓\].* sessions .*1/);
  await terminal.press('up', ' ');
  await terminal.waitFor(/\[ \] .*back up|\[ \] .*backup/i);
  await terminal.press('down', 'down', ' ');
  await terminal.waitFor(/\[✓\].*bifract-ingest, bifract/);
  await terminal.press('down', 'down', 'enter');
  await terminal.waitFor('NO safety backup');
  await terminal.waitFor('sessions are disconnected');
  await terminal.waitFor(': bifract-ingest, bifract.');
  for (const key of 'bifract') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.waitFor('Jobs › Restore of');
  const request = engine.jobs[0]?.request;
  assert.ok(request?.kind === 'restore');
  assert.deepEqual(request.consent, { safety_backup: false, end_sessions: true, stop_app: true });
});

test('an obstacle that needs an administrator blocks the plan until it is planned again', async () => {
  const hint = 'As an administrator: ALTER ROLE bifract CREATEDB';
  const obstacle = {
    code: 'UNSUPPORTED',
    message: 'The user may not create databases',
    hint,
    consent: null,
  } as const;
  const { console, terminal, engine } = await openRestore({ obstacles: [obstacle] });
  await using _ = console;
  await planLive(terminal);
  await terminal.waitFor('ALTER ROLE bifract CREATEDB');
  await terminal.waitFor('The user may not create databases');
  await terminal.press('enter');
  await terminal.waitFor('Cannot continue: The user may not create databases');
  engine.data.restore = {};
  await terminal.press('up', 'enter');
  await terminal.waitUntilGone('ALTER ROLE bifract CREATEDB');
  await terminal.waitFor(PLANNED);
  await terminal.press('enter');
  await terminal.waitFor('Replace the database bifract?');
  assert.equal(engine.jobs.length, 0);
});

test('a restore to a new database asks for its name and for confirmation', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  await toTargets(terminal);
  await terminal.press('down', 'enter');
  await terminal.waitFor('database bifract_restored_');
  await terminal.press('\x15', 'enter');
  await terminal.waitFor('Enter a name');
  for (const key of 'copy') await terminal.press(key);
  await terminal.press('enter');
  await terminal.waitFor(PLANNED);
  await terminal.waitFor('copy');
  assert.doesNotMatch(terminal.text(), /\[[✓ ]\]/, 'no consents are asked for');
  await terminal.press('enter');
  await terminal.waitFor('Restore into copy?');
  await terminal.press('enter');
  await terminal.waitUntilGone('Restore into copy?');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('enter');
  await terminal.waitFor('Restore into copy?');
  await terminal.press('y');
  await terminal.waitFor('Jobs › Restore of');
  const [job] = engine.jobs;
  assert.ok(job?.request.kind === 'restore');
  assert.deepEqual(job.request.plan.target, { kind: 'beside', database: 'copy' });
  assert.deepEqual(job.request.consent, { safety_backup: false, end_sessions: false, stop_app: false });
  job.done({ ...RESULT, database: 'copy', live: false, safety_backup: null, ended_sessions: 0 });
  await terminal.waitFor('DROP DATABASE "copy"');
});

test('a drill asks for confirmation, and its result says what it proves', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  await toTargets(terminal);
  await terminal.press('enter');
  await terminal.waitFor(PLANNED);
  await terminal.waitFor('scratch');
  await terminal.press('enter');
  await terminal.waitFor('Run the test restore?');
  await terminal.press('y');
  await terminal.waitFor('Jobs › Restore drill');
  assert.equal(engine.jobs[0]?.request.kind, 'drill');
  engine.jobs[0]?.done({ ...RESULT, live: false, safety_backup: null, ended_sessions: 0 });
  await terminal.waitFor(/Contents +6 tables, 61,234 rows/);
});

test('planning shows its progress, is stopped by Esc, and can be retried after an error', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  const gate = Promise.withResolvers<void>();
  await toTargets(terminal);
  engine.gate = gate.promise;
  await terminal.press('enter');
  const call = await until(() => engine.restoreCalls[0], LIMIT_MS, 'the plan is requested');
  call.options?.onProgress?.(12_000_000, 48_000_000);
  await terminal.waitFor('25%  11.4 MiB of 45.8 MiB');
  await terminal.press('esc');
  await terminal.waitFor('Step 2 of 3');
  await terminal.waitFor('Planning stopped');
  assert.equal(call.options?.signal?.aborted, true);
  gate.resolve();
  engine.gate = Promise.resolve();

  engine.failure = new BifractError('CUT_OFF', 'The file is cut off', { hint: 'Look for another copy.' });
  await terminal.press('enter');
  await terminal.waitFor('The file is cut off');
  await terminal.waitFor('Look for another copy.');
  engine.failure = undefined;
  await terminal.press('enter');
  await terminal.waitUntilGone('The file is cut off');
  await terminal.waitFor(PLANNED);
  await terminal.press('esc');
  await terminal.waitFor('Step 2 of 3');
  await terminal.press('esc');
  await terminal.waitFor('Step 1 of 3');
  await terminal.press('esc');
  await terminal.waitFor('Restore cancelled');
  await terminal.waitFor('1 backup');
});

test('an open restore is kept while the user is on another screen', async () => {
  const { console, terminal } = await openRestore();
  await using _ = console;
  await planLive(terminal);
  await terminal.press('5');
  await terminal.waitFor('0 jobs');
  await terminal.press('4', 'R');
  await terminal.waitFor(PLANNED);
  await terminal.waitFor('Continuing this restore');
  await terminal.press('x');
  await terminal.waitFor('1 backup');
  await terminal.press('R');
  await terminal.waitFor('Step 1 of 3');
});

test('all tables of a plan can be scrolled to at 80x24, those that lose rows first', async () => {
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
  const shown = (text: string) => Array.from(text.matchAll(/public\.table_\d+/g), ([name]) => name);
  for (let page = 0; seen.size < 60; page++) {
    assert.ok(page < 60, `only ${seen.size} of 60 tables were shown`);
    const names = shown(terminal.text());
    for (const name of names) seen.add(name);
    if (seen.size === 60) break;
    await terminal.press('pgdn');
    await terminal.waitFor((lines) => String(shown(lines.join('\n'))) !== String(names));
  }
  assert.equal([...seen][0], 'public.table_40');
});

test('a read-only console has no restore', async () => {
  const engine = new FakeEngine({ backups: [BACKUP] });
  await using console = startConsole({ engine, readOnly: true });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor('1 backup');
  await terminal.press('R');
  await terminal.waitFor('Cannot restore');
});

test('a renamed backup is an orphan and can be restored from there', async () => {
  const renamed = fakeOrphan('file', 1, {
    place: 'backups',
    id: 'before-upgrade.bifract-backup',
    path: '/opt/bifract/backups/before-upgrade.bifract-backup',
    actions: [],
  });
  const engine = new FakeEngine({ orphans: [renamed] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('7');
  await terminal.waitFor(/ restore/);
  await terminal.press('R');
  await terminal.waitFor('Step 1 of 3');
  await terminal.waitFor('before-upgrade');
  await toTargets(terminal);
  await terminal.press('enter');
  await terminal.waitFor(PLANNED);
  assert.equal(engine.restoreCalls[0]?.query.file, renamed.id);
});

test('the smallest terminal says how many choices do not fit', async () => {
  const { console, terminal } = await openRestore({}, { columns: 60, rows: 14 });
  await using _ = console;
  await planLive(terminal);
  await terminal.waitFor('↑ 3');
  await terminal.press('up', 'up', 'up', 'up');
  await terminal.waitFor(/▌ \[✓\]/);
  await terminal.waitFor(/↓ \d/);
});
