// cspell:ignore wbtst
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { FakeArchive } from '../helpers/fake-archive.ts';
import { FakeEngine, fakeArchive, fakeFractal } from '../helpers/fake-engine.ts';

const NAMES = ['web-prod', 'web-test', 'db-prod', 'auth', 'mail'];

function engine(): FakeEngine {
  const fractals = NAMES.map((name, index) =>
    fakeFractal(index + 1, { name, log_count: 1_000 * (index + 1) }),
  );
  const archives = fractals.map((fractal, index) =>
    fakeArchive(index + 1, fractal, {
      group_id: null,
      size_bytes: (index + 1) * 1024 ** 3,
      ...(index === 4 ? { status: 'failed' as const, error_message: 'Disk is full' } : {}),
    }),
  );
  return new FakeEngine({ fractals, archives });
}

const rowsOf = (lines: readonly string[]) =>
  NAMES.filter((name) => lines.some((line) => line.slice(2).startsWith(name))).join();
const shows =
  (...names: string[]) =>
  (lines: readonly string[]) =>
    rowsOf(lines) === names.join();

test('a filter matches every visible cell as it is shown, and nothing else', async () => {
  await using console = startConsole({ engine: engine() });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('5 archives');
  for (const [filter, names] of [
    ['2.0 gib', ['web-test']],
    ['failed', ['mail']],
    ['disk is', ['mail']],
    ['!completed', ['mail']],
    ['prod !web', ['db-prod']],
    ['/^web-.*t$', ['web-test']],
    ['Prod', []],
    ['ab12', []],
    ['wbtst', ['web-test']],
  ] as const) {
    await terminal.press('/');
    terminal.type(`${filter}\r`);
    await terminal.waitFor(`/${filter}`);
    await terminal.waitFor(shows(...names));
    await terminal.press('esc');
    await terminal.waitFor(shows(...NAMES));
  }
  await terminal.press('/');
  terminal.type('wbtst');
  await terminal.waitFor('no exact match: similar rows');
  terminal.type('\x15/((/');
  await terminal.waitFor('Invalid regular expression');
  await terminal.waitFor(shows(...NAMES));
});

test('a filter is edited at any place, and older ones are recalled in every list and console', async () => {
  const saved = new Map<string, unknown>();
  const preferences = async () => ({
    get: (key: string) => saved.get(key),
    set: (key: string, value: unknown) => void saved.set(key, value),
  });
  await using console = startConsole({ engine: engine(), preferences });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('5 archives');
  await terminal.press('/');
  terminal.type('prod');
  await terminal.press('home');
  await terminal.waitFor('/|prod');
  terminal.type('web-');
  await terminal.waitFor('/web-|prod');
  await terminal.press('enter');
  await terminal.waitFor(shows('web-prod'));
  await terminal.press('2', '/');
  terminal.type('au');
  await terminal.press('up');
  await terminal.waitFor('/web-prod_');
  await terminal.waitFor(shows('web-prod'));
  await terminal.press('down');
  await terminal.waitFor('/au_');
  await using again = startConsole({ engine: engine(), preferences });
  await again.terminal.press('3');
  await again.terminal.waitFor('5 archives');
  await again.terminal.press('/', 'up');
  await again.terminal.waitFor('/web-prod_');
});

test('all rows that are shown are selected, inverted, and selected from one to another', async () => {
  await using console = startConsole({ engine: engine() });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('5 fractals');
  await terminal.press('/');
  terminal.type('prod\r');
  await terminal.waitFor(shows('web-prod', 'db-prod'));
  terminal.type('\x01');
  await terminal.waitFor('2 selected');
  await terminal.press('esc', 'i');
  await terminal.waitFor('3 selected');
  for (const name of ['web-test', 'auth', 'mail']) assert.match(terminal.line(name), /^[▌ ]●/);
  await terminal.press('esc');
  await terminal.waitUntilGone('selected');
  await terminal.press('m');
  await terminal.waitFor('Cannot select a range');
  await terminal.press('g', 'j', ' ', 'j', 'm');
  await terminal.waitFor('3 selected');
  assert.match(terminal.line('auth'), /^ {2}/);
  await terminal.press('esc', 'G', ' ', 'k', 'k', 'm');
  await terminal.waitFor('3 selected');
});

test('a list is sorted by any visible column with two keys', async () => {
  await using console = startConsole({ engine: engine() });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('Age↓');
  await terminal.press('s');
  await terminal.waitFor('Sort by');
  assert.ok(!terminal.text().includes('Created'));
  await terminal.press('3');
  await terminal.waitFor('Size↓');
  await terminal.waitFor((lines) => lines[4]?.includes('mail') === true);
  await terminal.press('s');
  await terminal.waitFor('3  Size (reverse the order)');
  await terminal.press('3');
  await terminal.waitFor('Size↑');
  await terminal.waitFor((lines) => lines[4]?.includes('web-prod') === true);
});

/** Keeps exports in memory. */
function fileWriter() {
  const files = new Map<string, string>();
  const aborted: string[] = [];
  return {
    files,
    aborted,
    async writeFile(name: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal) {
      const parts: Uint8Array[] = [];
      try {
        for await (const part of content) {
          signal.throwIfAborted();
          parts.push(part);
        }
      } catch (error) {
        aborted.push(name);
        throw error;
      }
      files.set(name, Buffer.concat(parts).toString());
      return name;
    },
  };
}

test('the rows that are shown, or those that are selected, are exported, also by a read-only console', async () => {
  const { files, writeFile } = fileWriter();
  await using console = startConsole({ engine: engine(), readOnly: true, writeFile });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('5 archives');
  await terminal.press('/');
  terminal.type('prod\r');
  await terminal.waitFor(shows('web-prod', 'db-prod'));
  await terminal.press('E');
  await terminal.waitFor('export to ~/bifract-archives-');
  terminal.type('\x15a.txt\r');
  await terminal.waitFor('must end with');
  terminal.type('\x15a.ndjson\r');
  await terminal.waitFor('Exported 2 rows to a.ndjson');
  const records = files
    .get('a.ndjson')
    ?.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records?.map(({ fractal_name, size_bytes }) => [fractal_name, size_bytes]),
    [
      ['web-prod', 1024 ** 3],
      ['db-prod', 3 * 1024 ** 3],
    ],
  );
  await terminal.press('esc', 'g', ' ', 'E');
  terminal.type('\x15b.csv\r');
  await terminal.waitFor('Exported 1 row to b.csv');
  const [head, row, end] = files.get('b.csv')?.split('\r\n') ?? [];
  assert.match(head ?? '', /^id,fractal_id,fractal_name,/);
  assert.match(row ?? '', /,web-prod,/);
  assert.equal(end, '');
});

test('all matches of a search are exported; Esc stops that, and an error is reported', async () => {
  const { files, aborted, writeFile } = fileWriter();
  const fractal = fakeFractal(1);
  const record = fakeArchive(1, fractal);
  const archive = new FakeArchive({ count: 90_000 });
  const fake = new FakeEngine({
    fractals: [fractal],
    archives: [record],
    browsable: { [record.id]: archive },
  });
  await using console = startConsole({ engine: fake, writeFile });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('1 archive');
  await terminal.press('o');
  await terminal.waitFor('row 1 of');
  await terminal.press('E');
  await terminal.waitFor('Cannot export matches');
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('of 90 ');
  await terminal.press('E');
  terminal.type('\x15rows.csv\r');
  await terminal.waitFor('Exported 90 rows to rows.csv');
  const lines = files.get('rows.csv')?.trimEnd().split('\r\n') ?? [];
  assert.equal(lines.length, 91);
  assert.equal(lines[0], 'ts,id,its,fid,raw,fields,cols');
  assert.match(
    lines[1] ?? '',
    /^2026-03-01T00:16:39\.000Z,id-999,,,web-5 nginx.*504.*,"\{""host"":""web-5""/,
  );

  archive.countGate = new Promise(() => {});
  await terminal.press('E');
  terminal.type('\x15stopped.ndjson\r');
  await terminal.waitFor('Exporting ERROR');
  await terminal.press('esc');
  await terminal.waitUntilGone('Exporting');
  archive.countGate = Promise.resolve();
  archive.failure = new Error('Chunk 7 does not verify');
  await terminal.press('E');
  terminal.type('\x15broken.ndjson\r');
  await terminal.waitFor('Nothing was exported: Chunk 7 does not verify');
  assert.deepEqual([...files.keys()], ['rows.csv']);
  assert.deepEqual(aborted, ['stopped.ndjson', 'broken.ndjson']);
});
