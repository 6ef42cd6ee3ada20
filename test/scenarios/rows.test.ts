import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeArchive, fakeReport } from '../helpers/fake-archive.ts';
import { FakeEngine, fakeArchive, fakeFractal } from '../helpers/fake-engine.ts';
import { openRows } from '../helpers/open-rows.ts';

const cursorOn = (text: string) => (lines: readonly string[]) =>
  lines.some((line) => line.startsWith('▌') && line.includes(text));

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`of a million rows only those on a screen of ${columns}x${rows} are read`, async () => {
    const { console, terminal, archive } = await openRows({ count: 1_000_000 }, { columns, rows });
    await using _ = console;
    await terminal.waitFor('row 1 of 1,000,000');
    await terminal.waitFor(cursorOn('items/0'.slice(0, columns - 80)));
    for (let page = 0; page < 20; page++) await terminal.press('pgdn');
    await terminal.waitFor(`row ${20 * (rows - 7) + 1} of`);
    await terminal.press('G');
    await terminal.waitFor(/row 1,000,000 of 1,000,000 +100\.0%/);
    await terminal.waitFor(cursorOn('ERROR upstream timed out'));
    await terminal.press('pgup', 'k');
    await terminal.waitFor(`row ${(1_000_000 - (rows - 7) - 1).toLocaleString('en')} of`);
    await terminal.press('home');
    await terminal.waitFor('row 1 of');
    assert.ok(archive.rowsRead < 22 * 3 * rows, `${archive.rowsRead} rows were read`);
    assert.match(terminal.lines().at(-1) ?? '', /Enter row/);
  });
}

test('rows that are not loaded yet have placeholders, and keys still work', async () => {
  const gate = Promise.withResolvers<void>();
  const { console, terminal, archive } = await openRows({ count: 500 });
  await using _ = console;
  await terminal.waitFor('row 1 of 500');
  archive.readGate = gate.promise;
  await terminal.press('G');
  await terminal.waitFor(cursorOn('row 500 …'));
  await terminal.press('k', 'k');
  await terminal.waitFor(cursorOn('row 498 …'));
  await terminal.waitFor('row 498 of 500');
  gate.resolve();
  await terminal.waitFor(cursorOn('03-01 00:08:17.000'));
  await terminal.waitUntilGone('row 500 …');
});

test('rows that cannot be read show the error, and r retries', async () => {
  const { console, terminal, archive } = await openRows({ count: 5_000 });
  await using _ = console;
  await terminal.waitFor(cursorOn('nginx'));
  archive.failure = new BifractError('DAMAGED', 'Chunk 7 does not verify');
  await terminal.press('G');
  await terminal.waitFor(cursorOn('Chunk 7 does not verify'));
  archive.failure = undefined;
  await terminal.press('r');
  await terminal.waitFor(cursorOn('nginx'));
});

test('an archive that cannot be opened shows the error, and r retries', async () => {
  const fractal = fakeFractal(1);
  const record = fakeArchive(1, fractal);
  const engine = new FakeEngine({ fractals: [fractal], archives: [record] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('1 archive');
  await terminal.press('o');
  await terminal.waitFor(`No such file: ${record.id}`);
  engine.data.browsable[record.id] = new FakeArchive({ count: 3 });
  await terminal.press('r');
  await terminal.waitFor('row 1 of 3');
});

test('a search finds the next and the previous match, or reports that there is none', async () => {
  const { console, terminal } = await openRows({ count: 1_000_000 }, { columns: 120, rows: 40 });
  await using _ = console;
  await terminal.waitFor('row 1 of');
  await terminal.press('n');
  await terminal.waitFor('Cannot go to the next match');
  await terminal.press('/');
  await terminal.waitFor('/regex/');
  terminal.type('upstream timed\r');
  await terminal.waitFor('row 1,000 of');
  await terminal.waitFor(cursorOn('items/999 '));
  await terminal.press('n');
  await terminal.waitFor('row 2,000 of');
  await terminal.press('n');
  await terminal.waitFor('row 3,000 of');
  await terminal.press('N');
  await terminal.waitFor('row 2,000 of');
  await terminal.press('N', 'N');
  await terminal.waitFor('No match for "upstream timed');
  await terminal.waitFor('row 1,000 of');
  await terminal.press('/', 'ctrl-c', '/');
  terminal.type('\x15/items\\/77777\\b/\r');
  await terminal.waitFor('row 77,778 of');
  await terminal.press('n');
  await terminal.waitFor('No match for "/items');
  await terminal.press('/');
  terminal.type('\x15/items\\/(0|5|9) /\r');
  await terminal.waitFor(String.raw`No match for "/items\/(0`);
  await terminal.press('g', 'n');
  await terminal.waitFor('row 1 of');
  await terminal.press('n');
  await terminal.waitFor('row 6 of');
  await terminal.press('/');
  terminal.type('\x15/((/\r');
  await terminal.waitFor(/Invalid regular expression/);
  await terminal.press('esc');
  await terminal.waitFor('Enter row');
  await terminal.press('esc');
  await terminal.waitUntilGone('(0|5|9) /  2026');
  await terminal.waitFor('Archives › Rows of web');
});

test('a running search is shown, does not block keys, and is stopped by Esc', async () => {
  const { console, terminal, archive } = await openRows({ count: 100_000 });
  await using _ = console;
  await terminal.waitFor('row 1 of');
  archive.workGate = new Promise(() => {});
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('Searching for ERROR from row 1');
  await terminal.press('j', 'j');
  await terminal.waitFor('row 3 of');
  await terminal.press('esc');
  await terminal.waitUntilGone('Searching');
  await terminal.waitFor('row 3 of');
  assert.equal(archive.aborted, 1);
  assert.equal(archive.closed, false);
});

test('leaving the screen stops a search and closes the archive', async () => {
  const { console, terminal, archive } = await openRows({ count: 100_000 });
  await using _ = console;
  await terminal.waitFor('row 1 of');
  archive.workGate = new Promise(() => {});
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('Searching');
  await terminal.press('q');
  await terminal.waitFor('1 archive');
  assert.equal(archive.aborted, 1);
  assert.equal(archive.closed, true);
  await terminal.waitUntilGone('Searching');
});

test('t goes to a date, a time of day or an offset, and rejects anything else', async () => {
  const { console, terminal } = await openRows({ count: 1_000_000 });
  await using _ = console;
  await terminal.waitFor('row 1 of');
  for (const [typed, shown] of [
    ['2026-03-02', /2026-03-02 00:00:00 +row 86,401 of/],
    ['14:00', /2026-03-02 14:00:00 +row 136,801 of/],
    ['-2h', /2026-03-02 12:00:00 +row 129,601 of/],
    ['+1d12h', /2026-03-04 00:00:00 +row 259,201 of/],
    ['2026-03-01T00:00:09.5Z', /2026-03-01 00:00:10 +row 11 of/],
  ] as const) {
    await terminal.press('t');
    await terminal.waitFor('14:00');
    terminal.type(`${typed}\r`);
    await terminal.waitFor(shown);
  }
  await terminal.press('t');
  terminal.type('next week\r');
  await terminal.waitFor('Not a time: ');
  terminal.type('\x152030-01-01\r');
  await terminal.waitFor('earlier than 2030-01-01T00:00:00Z');
  await terminal.waitFor('row 1,000,000 of');
});

test('without a trailer the number of rows is unknown until the end has been read', async () => {
  const { console, terminal, archive } = await openRows(
    { count: 300, sealed: false },
    { columns: 120, rows: 40 },
  );
  await using _ = console;
  await terminal.waitFor(/row 1 of \d+ /);
  assert.doesNotMatch(terminal.text(), / of 300\b|\d%/);
  await terminal.press('pgdn', 'pgdn');
  await terminal.waitFor(/row 67 of \d+ /);
  assert.doesNotMatch(terminal.text(), / of 300\b|\d%/);
  const gate = Promise.withResolvers<void>();
  archive.workGate = gate.promise;
  await terminal.press('G');
  await terminal.waitFor('Reading to the end');
  gate.resolve();
  await terminal.waitFor(/row 300 of 300 +100\.0%/);
});

test('an archive without rows shows an empty screen, and Enter does nothing', async () => {
  const { console, terminal } = await openRows({ count: 0 });
  await using _ = console;
  await terminal.waitFor(/no rows/i);
  await terminal.press('enter');
  await terminal.waitFor('Cannot show row: the archive has no rows');
});

test('control sequences in log lines do not reach the terminal, in the list or in full', async () => {
  const lines = [
    'a\x1b[2J\x1b[31mred\x1b[0m',
    'b\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\ end',
    'c\x9b2Jc1\x85x\x1b]52;c;aGFja2Vk\x07clip',
    'd\ntwo\r\nlines\ttab',
    'e\u202egnp.exe\u2066',
    `f${'日本語のログ'.repeat(40)}`,
    `g${'x'.repeat(300)}`,
  ];
  const fields = () => JSON.stringify({ 'k\x1b[5mey': '\x1b[5mblink', deep: { 'a.b': ['日', 1] } });
  const { console, terminal } = await openRows({ count: 7, raw: (index) => lines[index] ?? '', fields });
  await using _ = console;
  for (const shown of ['ared', 'blink end', 'cc1 xclip', 'd two lines tab', 'egnp.exe', 'f日本語', 'gxxx']) {
    await terminal.waitFor(shown);
  }
  for (const line of terminal.lines().slice(4, 11)) assert.match(line, /^[▌ ] 03-01 00:00:0\d\.000 {2}[a-g]/);
  await terminal.press('enter');
  for (const index of [1, 2, 3, 4, 5, 6, 7]) {
    await terminal.waitFor(`Row ${index} ─`);
    await terminal.waitFor(/ {2}key +blink/);
    await terminal.waitFor(/deep\.a\.b +\["日",1\]/);
    if (index < 7) await terminal.press('J');
  }
  await terminal.waitFor('row 7 of 7');
  await terminal.press('K', 'K', 'K');
  await terminal.waitFor('Row 4 ─');
  await terminal.waitFor(
    (screen) => screen.some((line) => line === '  two') && screen.includes('  lines tab'),
  );
  assert.doesNotMatch(terminal.written, /evil|aGFja2Vk|\x1b\[5m|\x1b\[31m|\x9b|\u202e/);
});

test('a row in full scrolls, and the next row starts at its top', async () => {
  const raw = (index: number) => `${index}:${'0123456789'.repeat(400)}END`;
  const { console, terminal } = await openRows({ count: 3, raw });
  await using _ = console;
  await terminal.waitFor('row 1 of 3');
  await terminal.press('enter');
  await terminal.waitFor('4,005 bytes');
  await terminal.press('G');
  await terminal.waitFor(/END$/m);
  await terminal.waitFor('http.path');
  await terminal.waitUntilGone('4,005 bytes');
  await terminal.press('J');
  await terminal.waitFor('Row 2 ─');
  await terminal.waitFor('  1:0123');
  await terminal.press('esc');
  await terminal.waitFor('row 2 of 3');
});

test('y copies the log line, the row as JSON, or its id', async () => {
  const report = fakeReport(null, { fractal: { id: 'fid-1', name: 'web' } });
  const raw = (index: number) => `line ${index} \x1b[31m"quoted"`;
  const { console, terminal, archive } = await openRows({
    count: 9,
    raw,
    fields: () => '{"n":12345678901234567890}',
    report,
  });
  await using _ = console;
  await terminal.waitFor('row 1 of 9');
  const copied = (text: string) => `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`;
  await terminal.press('j', 'y');
  await terminal.waitFor('r  log line');
  await terminal.press('r');
  await terminal.waitFor('Copied log line');
  assert.ok(terminal.written.includes(copied(raw(1))));
  await terminal.press('y');
  await terminal.waitFor('j  row as JSON');
  await terminal.press('j');
  await terminal.waitFor('Copied row as JSON');
  const json = `{"ts":"${archive.timeOf(1)}","raw":${JSON.stringify(raw(1))},"id":"id-1","fid":"fid-1","its":"${archive.timeOf(1)}","fields":{"n":12345678901234567890}}`;
  assert.ok(terminal.written.includes(copied(json)), 'numbers keep their digits');
  await terminal.press('enter');
  await terminal.waitFor('Row 2 ─');
  await terminal.press('y');
  await terminal.waitFor('i  ID');
  await terminal.press('i');
  await terminal.waitFor('Copied ID: id-1');
});

test('copying a row does not stop a search', async () => {
  const { console, terminal, archive } = await openRows({ count: 100_000 });
  await using _ = console;
  await terminal.waitFor('row 1 of');
  const gate = Promise.withResolvers<void>();
  archive.workGate = gate.promise;
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('Searching');
  await terminal.press('y');
  await terminal.waitFor('i  ID');
  await terminal.press('i');
  await terminal.waitUntilGone('i  ID');
  gate.resolve();
  await terminal.waitFor('row 1,000 of');
  assert.equal(archive.aborted, 0);
  assert.ok(terminal.written.includes(Buffer.from('id-0').toString('base64')));
});

test('reading to the end can be stopped, and its failure is reported', async () => {
  const { console, terminal, archive } = await openRows({ count: 300, sealed: false });
  await using _ = console;
  await terminal.waitFor(/row 1 of \d+ /);
  const gate = Promise.withResolvers<void>();
  archive.workGate = gate.promise;
  await terminal.press('G');
  await terminal.waitFor('Reading to the end');
  await terminal.press('esc');
  await terminal.waitUntilGone('Reading to');
  gate.resolve();
  await terminal.waitFor(/row 1 of \d+ /);
  archive.workGate = Promise.reject(
    new BifractError('CUT_OFF', 'The file is cut off', { hint: 'Look for a copy.' }),
  );
  await terminal.press('G');
  await terminal.waitFor(/Reading to the end: The file is cut off.*Look for a copy\./);
});
