import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackup, startConsole } from '../helpers/console.ts';
import { fakeBackupReport } from '../helpers/fake-archive.ts';
import { busyEngine, FakeEngine, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';
import { openRows } from '../helpers/open-rows.ts';

test('b asks before it starts a backup, and starts no second one while it runs', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  terminal.type('bbbb');
  await terminal.waitFor('Back up the PostgreSQL database?');
  await terminal.press('b', 'enter');
  await terminal.waitUntilGone('Back up the PostgreSQL database?');
  assert.equal(engine.jobs.length, 0);
  await startBackup(terminal);
  await terminal.waitFor('Backup: started');
  await terminal.press('b');
  await terminal.waitFor('A backup is already running');
  assert.equal(engine.jobs.length, 1);
});

test('q leaves pages one after another, and quits on the first screen', async () => {
  const engine = busyEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await terminal.press('enter');
  await terminal.waitFor(/Fractals › .*archive/);
  await terminal.press('/');
  terminal.type('2026\r');
  await terminal.press('q');
  await terminal.waitFor('10 fractals');
  await terminal.press('d');
  await terminal.waitFor(/Fractals › /);
  await terminal.press('q');
  await terminal.waitFor('10 fractals');
  await terminal.press('q');
  assert.deepEqual(await console.left, {});
});

const BACKUP = fakeBackup(3);

test('q keeps a restore that is being prepared, and quitting asks before its plan is lost', async () => {
  const engine = new FakeEngine({ backups: [BACKUP], files: [fakeBackupReport(BACKUP)], restore: {} });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor('1 backup');
  await terminal.press('R');
  await terminal.waitFor('Step 1 of 3');
  await terminal.press('enter');
  await terminal.waitFor('Step 2 of 3');
  await terminal.press('enter');
  await terminal.waitFor(/Step 3 of 3[\s\S]*\n▌ /);
  await terminal.press('q');
  await terminal.waitFor('1 backup');
  await terminal.waitFor('This restore is kept');
  await terminal.press('R');
  await terminal.waitFor(/Step 3 of 3[\s\S]*\n▌ /);
  assert.equal(engine.restoreCalls.length, 1, 'the plan is the same');
  await terminal.press('q');
  await terminal.waitFor('1 backup');
  await terminal.press('q');
  await terminal.waitFor('Quit? The plan of a restore will be lost');
  await terminal.press('enter');
  await terminal.waitUntilGone('Quit?');
  await terminal.press('ctrl-c');
  await terminal.waitFor('Quit?');
  await terminal.press('y');
  assert.deepEqual(await console.left, {});
});

/** Rows of a page on a screen of 24 rows, one of which is also on the next page. */
const PAGE = 17;

test('Ctrl-C after the digits of a row number leaves, and in a prompt that was opened closes it', async () => {
  const { console, terminal } = await openRows({ count: 1_000 });
  await terminal.waitFor('row 1');
  await terminal.press('/');
  await terminal.waitFor('Esc close');
  await terminal.press('ctrl-c');
  await terminal.waitUntilGone('Esc close');
  await terminal.press('1', '2');
  await terminal.waitFor('row 12_');
  await terminal.press('ctrl-c');
  assert.deepEqual(await console.left, {});
  terminal.dispose();
});

test('rows have the paging keys of less and vi', async () => {
  const { console, terminal, engine } = await openRows({ count: 1_000 });
  await using _ = console;
  await terminal.waitFor('row 1');
  let row = 1;
  const press = async (key: string, by: number) => {
    row += by;
    await terminal.press(key);
    await terminal.waitFor(`row ${row} of 1,000`);
  };
  for (const key of [' ', 'f', '\x06', 'pgdn']) await press(key, PAGE);
  for (const key of ['b', '\x02', 'pgup']) await press(key, -PAGE);
  const half = Math.round(PAGE / 2);
  for (const key of ['d', '\x04']) await press(key, half);
  await press('u', -Math.floor(PAGE / 2));
  await press('\x15', -Math.floor(PAGE / 2));
  for (const key of ['j', 'down']) await press(key, 1);
  await terminal.press('G');
  await terminal.waitFor('row 1,000 of');
  await terminal.press('g');
  await terminal.waitFor('row 1 of');
  assert.equal(engine.jobs.length, 0);
});

test('a row has the paging keys of less as well, and keeps its other keys', async () => {
  const raw = (index: number) => `row-${index} ${'word '.repeat(2_000)}end`;
  const { console, terminal, engine } = await openRows({ count: 3, raw, fields: () => null });
  await using _ = console;
  await terminal.waitFor('row 1');
  await terminal.press('enter');
  await terminal.waitFor('row-0 word');
  await terminal.press(' ');
  await terminal.waitUntilGone('row-0 word');
  await terminal.press('b');
  await terminal.waitFor('row-0 word');
  await terminal.press('J');
  await terminal.waitFor('row-1 word');
  assert.equal(engine.jobs.length, 0);
});

for (const sealed of [true, false]) {
  const kind = sealed ? 'a known' : 'an unknown';
  test(`in rows a number goes to a row or a percentage, of ${kind} number of rows`, async () => {
    const { console, terminal } = await openRows({ count: 2_000, sealed });
    await using _ = console;
    await terminal.waitFor('row 1');
    for (const [typed, row] of [
      ['150g', '150'],
      ['7\r', '7'],
      ['1500G', '1,500'],
      ['25%', '501'],
      ['100%', '2,000'],
      ['1\x7f2\r', '2'],
      ['9999g', '2,000'],
    ] as const) {
      terminal.type(typed);
      await terminal.waitFor(new RegExp(`row ${row} of`));
    }
    await terminal.waitFor('There are only 2,000 rows');
    terminal.type('5x\r');
    await terminal.waitFor('Type a number');
    await terminal.press('esc', 'q');
    await terminal.waitFor('1 archive');
    await terminal.press('2');
    await terminal.waitFor('1 fractal');
  });
}

test('Shift-Tab moves back between answers', async () => {
  const engine = new FakeEngine({ fractals: [fakeFractal(1, { archive_split: 'none' })] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('1 fractal');
  await terminal.press('A');
  await terminal.waitFor('One file per hour');
  await terminal.press('tab', 'tab', '\x1b[Z', 'enter', 'y');
  await terminal.waitFor(/Archive fractal-1.*: started/);
  const request = engine.jobs[0]?.request;
  assert.equal(request?.kind === 'archive' && request.split, 'hour');
});
