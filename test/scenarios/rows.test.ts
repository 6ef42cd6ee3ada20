import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeArchive, fakeReport } from '../helpers/fake-archive.ts';
import { FakeEngine, fakeArchive, fakeFractal } from '../helpers/fake-engine.ts';

type Given = ConstructorParameters<typeof FakeArchive>[0];

/** A console that has just opened the rows of its only archive. */
async function openRows(given: Given, size: { columns?: number; rows?: number } = {}) {
  const fractal = fakeFractal(1, { name: 'web' });
  const record = fakeArchive(1, fractal);
  const archive = new FakeArchive(given);
  const engine = new FakeEngine({
    fractals: [fractal],
    archives: [record],
    browsable: { [record.id]: archive },
  });
  const console = startConsole({ engine, ...size });
  await console.terminal.press('3');
  await console.terminal.see('1 archive');
  await console.terminal.press('o');
  return { console, terminal: console.terminal, engine, archive, record };
}

const cursorOn = (text: string) => (lines: readonly string[]) =>
  lines.some((line) => line.startsWith('▌') && line.includes(text));

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`a million rows cost what is on a screen of ${columns}x${rows}`, async () => {
    const { console, terminal, archive } = await openRows({ count: 1_000_000 }, { columns, rows });
    await using _ = console;
    await terminal.see('row 1 of 1,000,000');
    await terminal.see(cursorOn('items/0'.slice(0, columns - 80)));
    for (let page = 0; page < 20; page++) await terminal.press('pgdn');
    await terminal.see(`row ${20 * (rows - 7) + 1} of`);
    await terminal.press('G');
    await terminal.see('row 1,000,000 of 1,000,000  100.0%');
    await terminal.see(cursorOn('ERROR upstream timed out'));
    await terminal.press('pgup', 'k');
    await terminal.see(`row ${(1_000_000 - (rows - 7) - 1).toLocaleString('en')} of`);
    await terminal.press('home');
    await terminal.see('row 1 of');
    assert.ok(archive.rowsRead < 22 * 3 * rows, `${archive.rowsRead} rows were read`);
    assert.match(terminal.lines().at(-1) ?? '', /Enter row/);
  });
}

test('rows that are not there yet are places, and keys work meanwhile', async () => {
  const gate = Promise.withResolvers<void>();
  const { console, terminal, archive } = await openRows({ count: 500 });
  await using _ = console;
  await terminal.see('row 1 of 500');
  archive.readGate = gate.promise;
  await terminal.press('G');
  await terminal.see(cursorOn('row 500 …'));
  await terminal.press('k', 'k');
  await terminal.see(cursorOn('row 498 …'));
  await terminal.see('row 498 of 500');
  gate.resolve();
  await terminal.see(cursorOn('03-01 00:08:17.000'));
  await terminal.miss('row 500 …');
});

test('rows that cannot be read say why in their place, and are tried again', async () => {
  const { console, terminal, archive } = await openRows({ count: 5_000 });
  await using _ = console;
  await terminal.see(cursorOn('nginx'));
  archive.failure = new BifractError('DAMAGED', 'Chunk 7 does not verify');
  await terminal.press('G');
  await terminal.see(cursorOn('row 5,000: Chunk 7 does not verify'));
  archive.failure = undefined;
  await terminal.press('r');
  await terminal.see(cursorOn('nginx'));
});

test('an archive that cannot be opened says why; r tries again', async () => {
  const fractal = fakeFractal(1);
  const record = fakeArchive(1, fractal);
  const engine = new FakeEngine({ fractals: [fractal], archives: [record] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.see('1 archive');
  await terminal.press('o');
  await terminal.see(`There is no file ${record.id}`);
  engine.data.browsable[record.id] = new FakeArchive({ count: 3 });
  await terminal.press('r');
  await terminal.see('row 1 of 3');
});

test('a search goes to the next and the previous match, and says when there is none', async () => {
  const { console, terminal } = await openRows({ count: 1_000_000 }, { columns: 120, rows: 40 });
  await using _ = console;
  await terminal.see('row 1 of');
  await terminal.press('n');
  await terminal.see('Cannot next match: nothing was searched for');
  await terminal.press('/');
  await terminal.see('or /regex/');
  terminal.type('upstream timed\r');
  await terminal.see('row 1,000 of');
  await terminal.see(cursorOn('items/999 '));
  await terminal.press('n');
  await terminal.see('row 2,000 of');
  await terminal.press('n');
  await terminal.see('row 3,000 of');
  await terminal.press('N');
  await terminal.see('row 2,000 of');
  await terminal.press('N', 'N');
  await terminal.see('No match above for upstream timed');
  await terminal.see('row 1,000 of');
  await terminal.press('/', 'ctrl-c', '/');
  terminal.type('\x15/items\\/77777\\b/\r');
  await terminal.see('row 77,778 of');
  await terminal.press('n');
  await terminal.see('No match below for /items');
  await terminal.press('/');
  terminal.type('\x15/((/\r');
  await terminal.see(/Invalid regular expression/);
  await terminal.press('esc');
  await terminal.see('Enter row');
  await terminal.press('esc');
  await terminal.miss('77777\\b/  2026');
  await terminal.see('Archives › Rows of web');
});

test('a search says that it runs, leaves the keys alone, and is stopped by Esc', async () => {
  const { console, terminal, archive } = await openRows({ count: 100_000 });
  await using _ = console;
  await terminal.see('row 1 of');
  archive.workGate = new Promise(() => {});
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.see('Searching downwards for ERROR from row 1');
  await terminal.see('Esc stops');
  await terminal.press('j', 'j');
  await terminal.see('row 3 of');
  await terminal.press('esc');
  await terminal.miss('Searching');
  await terminal.see('row 3 of');
  assert.equal(archive.stopped, 1);
  assert.equal(archive.closed, false);
});

test('leaving ends a search and closes the archive', async () => {
  const { console, terminal, archive } = await openRows({ count: 100_000 });
  await using _ = console;
  await terminal.see('row 1 of');
  archive.workGate = new Promise(() => {});
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.see('Searching');
  await terminal.press('1');
  await terminal.see('Protection');
  assert.equal(archive.stopped, 1);
  assert.equal(archive.closed, true);
  await terminal.miss('Searching');
});

test('t goes to a time: a day, a time of that day, a step from here; what is none is said', async () => {
  const { console, terminal } = await openRows({ count: 1_000_000 });
  await using _ = console;
  await terminal.see('row 1 of');
  for (const [typed, sight] of [
    ['2026-03-02', '2026-03-02 00:00:00  row 86,401 of'],
    ['14:00', '2026-03-02 14:00:00  row 136,801 of'],
    ['-2h', '2026-03-02 12:00:00  row 129,601 of'],
    ['+1d12h', '2026-03-04 00:00:00  row 259,201 of'],
    ['2026-03-01T00:00:09.5Z', '2026-03-01 00:00:10  row 11 of'],
  ] as const) {
    await terminal.press('t');
    await terminal.see('14:00 (same day)');
    terminal.type(`${typed}\r`);
    await terminal.see(sight);
  }
  await terminal.press('t');
  terminal.type('next week\r');
  await terminal.see('This is no time');
  terminal.type('\x152030-01-01\r');
  await terminal.see('All rows are before 2030-01-01T00:00:00Z: this is the last one');
  await terminal.see('row 1,000,000 of');
});

test('of a file without sealed ends the total is unknown until the end was seen', async () => {
  const { console, terminal, archive } = await openRows(
    { count: 300, sealed: false },
    { columns: 120, rows: 40 },
  );
  await using _ = console;
  await terminal.see(/row 1 of \d+ seen, total unknown/);
  await terminal.see('no sealed ends: the number of rows is known at the end');
  await terminal.press('pgdn', 'pgdn');
  await terminal.see(/row 67 of \d+ seen, total unknown/);
  const gate = Promise.withResolvers<void>();
  archive.workGate = gate.promise;
  await terminal.press('G');
  await terminal.see('Reading on to the end');
  gate.resolve();
  await terminal.see('row 300 of 300  100.0%');
  await terminal.miss('no sealed ends');
});

test('an archive without rows says so', async () => {
  const { console, terminal } = await openRows({ count: 0 });
  await using _ = console;
  await terminal.see('The archive holds no rows');
  await terminal.press('enter');
  await terminal.see('Cannot show row: there are no rows');
});

test('log lines cannot steer the terminal or break the columns, in the list and in full', async () => {
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
    await terminal.see(shown);
  }
  for (const line of terminal.lines().slice(4, 11)) assert.match(line, /^[▌ ] 03-01 00:00:0\d\.000 {2}[a-g]/);
  await terminal.press('enter');
  for (const index of [1, 2, 3, 4, 5, 6, 7]) {
    await terminal.see(`Row ${index} ─`);
    await terminal.see(/ {2}key +blink/);
    await terminal.see(/deep\.a\.b +\["日",1\]/);
    if (index < 7) await terminal.press('J');
  }
  await terminal.see('row 7 of 7');
  await terminal.press('K', 'K', 'K');
  await terminal.see('Row 4 ─');
  await terminal.see((screen) => screen.some((line) => line === '  two') && screen.includes('  lines tab'));
  assert.doesNotMatch(terminal.written, /evil|aGFja2Vk|\x1b\[5m|\x1b\[31m|\x9b|\u202e/);
});

test('a row in full can be scrolled through, and its neighbours begin at their top', async () => {
  const raw = (index: number) => `${index}:${'0123456789'.repeat(400)}END`;
  const { console, terminal } = await openRows({ count: 3, raw });
  await using _ = console;
  await terminal.see('row 1 of 3');
  await terminal.press('enter');
  await terminal.see('4,005 bytes');
  await terminal.press('G');
  await terminal.see(/END$/m);
  await terminal.see('http.path');
  await terminal.miss('4,005 bytes');
  await terminal.press('J');
  await terminal.see('Row 2 ─');
  await terminal.see('  1:0123');
  await terminal.press('esc');
  await terminal.see('row 2 of 3');
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
  await terminal.see('row 1 of 9');
  const copied = (text: string) => `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`;
  await terminal.press('j', 'y');
  await terminal.see('r  the log line as it is');
  await terminal.press('r');
  await terminal.see('Copied the log line as it is');
  assert.ok(terminal.written.includes(copied(raw(1))));
  await terminal.press('y');
  await terminal.see('j  the row as JSON');
  await terminal.press('j');
  await terminal.see('Copied the row as JSON');
  const json = `{"ts":"${archive.timeOf(1)}","raw":${JSON.stringify(raw(1))},"id":"id-1","fid":"fid-1","its":"${archive.timeOf(1)}","fields":{"n":12345678901234567890}}`;
  assert.ok(terminal.written.includes(copied(json)), 'numbers keep their digits');
  await terminal.press('enter');
  await terminal.see('Row 2 ─');
  await terminal.press('y');
  await terminal.see('i  the id');
  await terminal.press('i');
  await terminal.see('Copied the id: id-1');
});

test('copying a row leaves a search alone', async () => {
  const { console, terminal, archive } = await openRows({ count: 100_000 });
  await using _ = console;
  await terminal.see('row 1 of');
  const gate = Promise.withResolvers<void>();
  archive.workGate = gate.promise;
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.see('Searching');
  await terminal.press('y');
  await terminal.see('i  the id');
  await terminal.press('i');
  await terminal.miss('i  the id');
  gate.resolve();
  await terminal.see('row 1,000 of');
  assert.equal(archive.stopped, 0);
  assert.ok(terminal.written.includes(Buffer.from('id-0').toString('base64')));
});

test('G on an open end can be stopped, and a failing search says why', async () => {
  const { console, terminal, archive } = await openRows({ count: 300, sealed: false });
  await using _ = console;
  await terminal.see(/row 1 of \d+ seen/);
  const gate = Promise.withResolvers<void>();
  archive.workGate = gate.promise;
  await terminal.press('G');
  await terminal.see('Reading on to the end');
  await terminal.press('esc');
  await terminal.miss('Reading on');
  gate.resolve();
  await terminal.see(/row 1 of \d+ seen/);
  archive.workGate = Promise.reject(
    new BifractError('CUT_OFF', 'The file is cut off', { hint: 'Look for a copy.' }),
  );
  await terminal.press('G');
  await terminal.see('Reading on to the end: The file is cut off  Look for a copy.');
});
