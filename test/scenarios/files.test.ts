import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifyItem } from '../../src/core/index.ts';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { fakeBackupReport, fakeReport } from '../helpers/fake-archive.ts';
import { FakeEngine, type FakeJob, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';

const CUT_OFF = {
  code: 'CUT_OFF',
  message: 'Its head promises an end, and there is none: the file is cut off',
  hint: 'Keep it, and look for another copy of it.',
} as const;

/** An engine with three archives of two fractals, and two backups. */
function engineWithFiles(): FakeEngine {
  const fractals = [fakeFractal(1, { name: 'web' }), fakeFractal(2, { name: 'dns' })] as const;
  const archives = [fakeArchive(1, fractals[0]), fakeArchive(2, fractals[1]), fakeArchive(3, fractals[0])];
  const backups = [fakeBackup(1), fakeBackup(2)];
  const files = [
    ...archives.map((record) => fakeReport(record)),
    ...backups.map((one) => fakeBackupReport(one)),
  ];
  return new FakeEngine({ fractals: [...fractals], archives, backups, files });
}

/** Ends one target of a verification as the engine does. */
function verified(job: FakeJob, target: string, path: string, given: Partial<VerifyItem> = {}): void {
  const { error, ...item } = { ok: true, quick: false, checksum: 'ab'.repeat(32), proven: true, ...given };
  const details = { target, ...item };
  const message = error?.message ?? 'Whole, 1234 rows.';
  job.emit('job:item', { item: path, ok: item.ok, message, ...(error ? { error } : {}), details });
}

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`an archive's page tells what its file says, at ${columns}x${rows}`, async () => {
    const engine = engineWithFiles();
    const [record] = engine.data.archives;
    assert.ok(record);
    engine.data.files = [fakeReport(record, { notes: ['The record says 5 rows more than the file.'] })];
    await using console = startConsole({ engine, columns, rows });
    const { terminal } = console;
    await terminal.press('3');
    await terminal.see('3 archives');
    await terminal.press('enter');
    await terminal.see(/! +The record says 5 rows more/);
    await terminal.press('G');
    await terminal.see(/Its SHA-256 +cd34cd34/);
    await terminal.see(/Frames +412/);
    await terminal.press('y');
    await terminal.see('s  checksum of the content');
    await terminal.press('c');
    await terminal.see('Copied the checksum: ab12ab12');
    assert.ok(terminal.written.includes(Buffer.from(record.checksum ?? '').toString('base64')));
  });
}

test("a backup's page lists tables and names of variables, and the file's path can be copied", async () => {
  await using console = startConsole({ engine: engineWithFiles(), columns: 120, rows: 50 });
  const { terminal, engine } = console;
  await terminal.press('4');
  await terminal.see('2 backups');
  await terminal.press('enter');
  await terminal.see(/Sealed ends +✓ yes/);
  await terminal.see(/7 tables, [\d,]+ rows/);
  await terminal.see(/public\.notebooks +4,913/);
  await terminal.see('POSTGRES_PASSWORD');
  await terminal.press('y');
  await terminal.see('p  path');
  await terminal.press('p');
  await terminal.see(`Copied the path: ${engine.data.backups[0]?.path}`);
});

test('the page is there before the file has answered, and says why it cannot', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine, rows: 40 });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.see('2 backups');
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  await terminal.press('enter');
  await terminal.see('Reading its ends…');
  await terminal.see(/Size +45\.8 MiB/);
  engine.failure = new BifractError('WRONG_KEY', 'It was sealed with another key, 11112222', {
    hint: 'Put that key into .env.',
  });
  gate.resolve();
  await terminal.see(/✗ +It was sealed with another key/);
  await terminal.see(/What to do +Put that key/);
  await terminal.see(/Size +45\.8 MiB/);
  engine.failure = undefined;
  await terminal.press('r');
  await terminal.see(/Sealed ends +✓ yes/);
});

test('v verifies the file under the cursor; its progress is live, its result is kept in the list', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const [record] = engine.data.archives;
  assert.ok(record);
  await terminal.press('3');
  await terminal.see('3 archives');
  await terminal.press('v');
  const [job] = engine.jobs;
  assert.deepEqual(job?.request, { kind: 'verify', targets: [record.id] });
  await terminal.see(/Verification of web, \d{4}-\d\d-\d\d \d\d:\d\d: started/);
  await terminal.press('5', 'enter');
  job?.emit('job:progress', { rows: 500, bytes_in: 30 * 2 ** 20, total_bytes: 120 * 2 ** 20 });
  await terminal.see('30.0 MiB of 120 MiB, 500 rows');
  await terminal.see(' 25%');
  verified(job as FakeJob, record.id, `/archives/${record.storage_path}`);
  job?.done({ files: 1, proven: 1, rows: 1234, size_bytes: 120 * 2 ** 20, quick: false, items: [{ a: 1 }] });
  await terminal.see('done, 1 file sound, 120 MiB');
  await terminal.see(`✓ ${record.filename}`);
  await terminal.miss('[{');
  await terminal.press('3');
  await terminal.see('✓ Verified');
  await terminal.press('enter');
  await terminal.see(/Verified +✓ sound, just now/);
  await terminal.see('Whole, 1234 rows.');
});

test('a failed verification says in red what failed, why and what to do, there and in the list', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine, color: true });
  const { terminal } = console;
  const [first, second] = engine.data.backups;
  await terminal.press('4');
  await terminal.see('2 backups');
  await terminal.press(' ', ' ');
  await terminal.see('2 marked');
  await terminal.press('v');
  await terminal.miss('2 marked');
  const [job] = engine.jobs;
  assert.deepEqual(job?.request, { kind: 'verify', targets: [first?.name, second?.name] });
  verified(job as FakeJob, first?.name ?? '', first?.path ?? '', {
    ok: false,
    checksum: null,
    error: CUT_OFF,
  });
  await terminal.see(/✗ Verification failed: Its head promises an end/);
  await terminal.see('Keep it, and look for another copy of it.');
  await terminal.see('✗ failed');
  verified(job as FakeJob, second?.name ?? '', second?.path ?? '');
  job?.fail({ code: 'PARTLY_DONE', message: `1 of 2 failed: ${first?.path}: ${CUT_OFF.message}` });
  await terminal.see('failed: 1 of 2 failed');
  await terminal.see('✓ now');
  await terminal.press('5');
  await terminal.see('1 job');
  await terminal.press('enter');
  await terminal.see('2 items, 1 failed');
  await terminal.see(/Why +Its head promises/);
  await terminal.see(/What to do +Keep it/);
  const screen = terminal.text();
  assert.ok(
    screen.indexOf(`✗ ${first?.name}`) < screen.indexOf(`✓ ${second?.name}`),
    'what failed comes first',
  );
});

test('one file that fails is told once', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.see('2 backups');
  await terminal.press('V');
  const [job] = engine.jobs;
  const [backup] = engine.data.backups;
  assert.deepEqual(job?.request, { kind: 'verify', targets: [backup?.name], quick: true });
  verified(job as FakeJob, backup?.name ?? '', backup?.path ?? '', { ok: false, error: CUT_OFF });
  job?.fail({ ...CUT_OFF, message: `${backup?.path}: ${CUT_OFF.message}` });
  await terminal.press('6');
  await terminal.see(/error +Verification failed/);
  assert.equal(terminal.text().match(/ error /g)?.length, 1);
});

test('a quick verification claims no more than it has seen', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const [record] = engine.data.archives;
  await terminal.press('3');
  await terminal.see('3 archives');
  await terminal.press('V');
  const [job] = engine.jobs;
  verified(job as FakeJob, record?.id ?? '', `/archives/${record?.storage_path}`, {
    checksum: null,
    proven: false,
  });
  job?.done({ files: 1, proven: 0, rows: 1, size_bytes: 1024, quick: true });
  await terminal.see('done, 1 file sound at both ends');
  await terminal.see('✓ Ends sound');
  await terminal.press('enter');
  await terminal.see('its ends are sound, just now');
});

test('an archive that is being written is neither verified nor opened', async () => {
  const engine = engineWithFiles();
  const [fractal] = engine.data.fractals;
  assert.ok(fractal);
  engine.data.archives = [fakeArchive(9, fractal, { status: 'in_progress', checksum: null })];
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.see('1 archive');
  await terminal.press('v');
  await terminal.see('Cannot verify: there is no finished file here');
  await terminal.press('o');
  await terminal.see('Cannot rows: there is no complete archive here');
  const before = engine.queries;
  await terminal.press('enter');
  await terminal.see(/Status +· Archiving/);
  assert.equal(engine.queries, before, 'the file is not asked');
  assert.equal(engine.jobs.length, 0);
});

test('a read-only console verifies, and can end that', async () => {
  await using console = startConsole({ engine: engineWithFiles(), readOnly: true });
  const { terminal, engine } = console;
  await terminal.press('4');
  await terminal.see('2 backups');
  await terminal.press('v');
  await terminal.see('Verification of backup of');
  assert.equal(engine.jobs.length, 1);
  await terminal.press('5');
  await terminal.see('1 job');
  await terminal.press('x');
  await terminal.see('Cancel this job?');
  await terminal.press('y');
  await terminal.see('cancelled');
});

test('archives that wait for their turn are in the jobs list, and can be taken out', async () => {
  const engine = new FakeEngine({ fractals: [1, 2, 3, 4].map((seed) => fakeFractal(seed)) });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('4 fractals');
  await terminal.press(' ', ' ', ' ', 'a', '5');
  await terminal.see('3 jobs');
  await terminal.see(/Archive of fractal-3 +· queued/);
  await terminal.see(/Archive of fractal-2 +· queued/);
  await terminal.see(/Archive fractal-1 +\S+ running/);
  await terminal.press('g', 'enter');
  await terminal.see('for the archives before it to be done');
  await terminal.press('x');
  await terminal.see('Archive of fractal-3: will not be archived');
  await terminal.press('2', 'G', 'a');
  await terminal.see('fractal-4 will be archived when the archive before it is done');
  await terminal.press('a');
  await terminal.see('fractal-4 is waiting for its turn already');
  engine.jobs[0]?.done();
  await terminal.see('Archive fractal-2: started');
  engine.jobs[1]?.fail({ code: 'QUERY_FAILED', message: 'no memory' });
  await terminal.see('Archive fractal-4: started');
  engine.jobs[2]?.done();
  await terminal.see('Archive fractal-4: done');
  assert.equal(engine.jobs.length, 3);
});
