import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveName } from '../../src/components/view/archive-name.ts';
import { BifractError, type VerifyItem } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { fakeBackupReport, fakeReport } from '../helpers/fake-archive.ts';
import { FakeEngine, type FakeJob, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';

const CUT_OFF = {
  code: 'CUT_OFF',
  message: 'The file is truncated: it has no trailer',
  hint: 'Look for another copy of it.',
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

/** Emits the result of one target of a verification, as the engine does. */
function verified(job: FakeJob, target: string, path: string, given: Partial<VerifyItem> = {}): void {
  const { error, ...item } = { ok: true, quick: false, checksum: 'ab'.repeat(32), proven: true, ...given };
  const details = { target, ...item };
  const message = error?.message ?? 'Complete, 1234 rows';
  job.emit('job:item', { item: path, ok: item.ok, message, ...(error ? { error } : {}), details });
}

/** As many rows of the list are selected. */
const selected = (count: number) => (lines: readonly string[]) =>
  lines.filter((line) => /^[▌ ]●/.test(line)).length === count;

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`the page of an archive shows the report of its file, at ${columns}x${rows}`, async () => {
    const engine = engineWithFiles();
    const [record] = engine.data.archives;
    assert.ok(record);
    engine.data.files = [fakeReport(record, { notes: ['The record has 5 more rows than the file.'] })];
    await using console = startConsole({ engine, columns, rows });
    const { terminal } = console;
    await terminal.press('3');
    await terminal.waitFor('3 archives');
    await terminal.press('enter');
    await terminal.waitFor(/! +The record has 5 more rows/);
    await terminal.press('G');
    await terminal.waitFor(/\w +cd34cd34/);
    await terminal.waitFor(/Frames +412/);
    await terminal.press('y');
    await terminal.waitFor('s  SHA-256 of the content');
    await terminal.press('c');
    await terminal.waitFor('Copied SHA-256: ab12ab12');
    assert.ok(terminal.written.includes(Buffer.from(record.checksum ?? '').toString('base64')));
  });
}

test('the page of a backup lists tables and names of variables, and its path can be copied', async () => {
  await using console = startConsole({ engine: engineWithFiles(), columns: 120, rows: 50 });
  const { terminal, engine } = console;
  await terminal.press('4');
  await terminal.waitFor('2 backups');
  await terminal.press('enter');
  await terminal.waitFor(/7 tables, [\d,]+ rows/);
  await terminal.waitFor(/public\.notebooks +4,913/);
  await terminal.waitFor('POSTGRES_PASSWORD');
  await terminal.press('y');
  await terminal.waitFor('p  path');
  await terminal.press('p');
  await terminal.waitFor(`Copied path: ${engine.data.backups[0]?.path}`);
});

test('the page is shown before the file has been read, or with the error', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine, rows: 40 });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor('2 backups');
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  await terminal.press('enter');
  await terminal.waitFor(/Size +45\.8 MiB/);
  assert.doesNotMatch(terminal.text(), /7 tables/);
  engine.failure = new BifractError('WRONG_KEY', 'Encrypted with another key, 11112222', {
    hint: 'Put that key into .env.',
  });
  gate.resolve();
  await terminal.waitFor(/✗ +Encrypted with another key/);
  await terminal.waitFor('Put that key');
  await terminal.waitFor(/Size +45\.8 MiB/);
  engine.failure = undefined;
  await terminal.press('r');
  await terminal.waitUntilGone('Encrypted with another key');
  await terminal.waitFor(/7 tables/);
});

test('v verifies the file under the cursor, shows progress, and keeps the result in the list', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const [record] = engine.data.archives;
  assert.ok(record);
  await terminal.press('3');
  await terminal.waitFor('3 archives');
  await terminal.press('v');
  const [job] = engine.jobs;
  assert.deepEqual(job?.request, { kind: 'verify', targets: [record.id] });
  await terminal.waitFor(/\bweb, \d{4}-\d\d-\d\d \d\d:\d\d: started/);
  await terminal.press('5', 'enter');
  job?.emit('job:progress', { rows: 500, bytes_in: 30 * 2 ** 20, total_bytes: 120 * 2 ** 20 });
  await terminal.waitFor(/30\.0 MiB of .*120 MiB, 500 rows/);
  await terminal.waitFor(' 25%');
  verified(job as FakeJob, record.id, `/archives/${record.storage_path}`);
  job?.done({ files: 1, proven: 1, rows: 1234, size_bytes: 120 * 2 ** 20, quick: false, items: [{ a: 1 }] });
  await terminal.waitFor(/done: 1 file .*120 MiB/);
  await terminal.waitFor(`✓ ${archiveName(record)}`);
  await terminal.waitUntilGone('[{');
  await terminal.press('3');
  await terminal.waitFor(/✓ Verified/);
  await terminal.press('enter');
  await terminal.waitFor(/Verified +✓ .*just now/);
  await terminal.waitFor('Complete, 1234 rows');
});

test('a failed verification shows the error and the hint in the list and on its page', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine, colors: '16' });
  const { terminal } = console;
  const [first, second] = engine.data.backups;
  await terminal.press('4');
  await terminal.waitFor('2 backups');
  await terminal.press(' ', ' ');
  await terminal.waitFor(selected(2));
  await terminal.press('v');
  await terminal.waitFor(selected(0));
  const [job] = engine.jobs;
  assert.deepEqual(job?.request, { kind: 'verify', targets: [first?.name, second?.name] });
  verified(job as FakeJob, first?.name ?? '', first?.path ?? '', {
    ok: false,
    checksum: null,
    error: CUT_OFF,
  });
  await terminal.waitFor(/✗ Failed: The file is truncated/);
  await terminal.waitFor('Look for another copy of it.');
  await terminal.waitFor('✗ failed');
  verified(job as FakeJob, second?.name ?? '', second?.path ?? '');
  job?.fail({ code: 'PARTLY_DONE', message: `1 of 2 failed: ${first?.path}: ${CUT_OFF.message}` });
  await terminal.waitFor('failed: 1 of 2 failed');
  await terminal.waitFor('✓ now');
  await terminal.press('5');
  await terminal.waitFor('1 job');
  await terminal.press('enter');
  await terminal.waitFor('2 items, 1 failed');
  await terminal.waitFor(/The file is truncated/);
  await terminal.waitFor(/Look for another copy/);
  const screen = terminal.text();
  assert.ok(
    screen.indexOf(`✓ ${second?.name}`) < screen.indexOf(`✗ ${first?.name}`),
    'the newest one comes first',
  );
});

test('a single failed file is reported once', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor('2 backups');
  await terminal.press('V');
  const [job] = engine.jobs;
  const [backup] = engine.data.backups;
  assert.deepEqual(job?.request, { kind: 'verify', targets: [backup?.name], quick: true });
  verified(job as FakeJob, backup?.name ?? '', backup?.path ?? '', { ok: false, error: CUT_OFF });
  job?.fail({ ...CUT_OFF, message: `${backup?.path}: ${CUT_OFF.message}` });
  await terminal.press('6');
  await terminal.waitFor(/error .*Failed: The file is truncated/);
  assert.equal(terminal.text().match(/ error /g)?.length, 1);
});

test('a quick check is not shown as a full verification', async () => {
  const engine = engineWithFiles();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const [record] = engine.data.archives;
  await terminal.press('3');
  await terminal.waitFor('3 archives');
  await terminal.press('V');
  const [job] = engine.jobs;
  verified(job as FakeJob, record?.id ?? '', `/archives/${record?.storage_path}`, {
    checksum: null,
    proven: false,
  });
  job?.done({ files: 1, proven: 0, rows: 1, size_bytes: 1024, quick: true });
  await terminal.waitFor(/done: 1 file/);
  await terminal.waitFor(/^▌.* ✓ (?!Completed)/m);
  assert.doesNotMatch(terminal.text(), /✓ Verified/);
  await terminal.press('enter');
  await terminal.waitFor(/✓ .*just now/);
});

test('an archive that is being written cannot be verified or browsed', async () => {
  const engine = engineWithFiles();
  const [fractal] = engine.data.fractals;
  assert.ok(fractal);
  engine.data.archives = [fakeArchive(9, fractal, { status: 'in_progress', checksum: null })];
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('1 archive');
  await terminal.press('v');
  await terminal.waitFor('Cannot verify');
  await terminal.press('o');
  await terminal.waitFor('Cannot browse rows');
  const before = engine.queries;
  await terminal.press('enter');
  await terminal.waitFor(/Status +· Archiving/);
  assert.equal(engine.queries, before, 'the file is not read');
  assert.equal(engine.jobs.length, 0);
});

test('a read-only console can verify, and cancel that', async () => {
  await using console = startConsole({ engine: engineWithFiles(), readOnly: true });
  const { terminal, engine } = console;
  await terminal.press('4');
  await terminal.waitFor('2 backups');
  await terminal.press('v');
  await terminal.waitFor(': started');
  assert.equal(engine.jobs.length, 1);
  await terminal.press('5');
  await terminal.waitFor('1 job');
  await terminal.press('x');
  await terminal.waitFor('Cancel this job?');
  await terminal.press('y');
  await terminal.waitFor('cancelled');
});
