import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { startConsole } from '../helpers/console.ts';
import type { FakeEngine } from '../helpers/fake-engine.ts';
import { fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';
import type { FakeTerminal } from '../helpers/terminal.ts';

const cursorOn = (name: string) => (lines: readonly string[]) =>
  lines.some((line) => line.startsWith('▌') && line.includes(name));

/** Sends a press and a release on a text of the screen, at the left if there are more. */
async function click(terminal: FakeTerminal, text: string, button = 0): Promise<void> {
  const lines = terminal.lines();
  const columns = lines.map((line) => line.indexOf(text)).filter((column) => column >= 0);
  const column = Math.min(...columns);
  const row = lines.findIndex((line) => line.indexOf(text) === column);
  assert.ok(row >= 0, `${text} is on the screen:\n${terminal.text()}`);
  const place = `${button};${column + 1};${row + 1}`;
  await terminal.press(`\x1b[<${place}M`, `\x1b[<${place}m`);
}

const WHEEL = { up: '\x1b[<64;5;10M', down: '\x1b[<65;5;10M' };

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 50],
] as const) {
  test(`at ${columns}x${rows}, clicks open tabs, select rows, and open a row that is clicked again`, async () => {
    await using console = startConsole({ columns, rows });
    const { terminal } = console;
    await terminal.waitFor(/(PG|PostgreSQL) ✓/);
    await click(terminal, '2 Fractals');
    await terminal.waitFor('10 fractals');
    await click(terminal, 'firewall');
    await terminal.waitFor(cursorOn('firewall'));
    await click(terminal, 'dns');
    await terminal.waitFor(cursorOn('dns'));
    await terminal.waitFor('10 fractals');
    await click(terminal, 'dns');
    await terminal.waitFor('Fractals › dns');
    await click(terminal, 'Esc back');
    await terminal.waitFor('10 fractals');
  });
}

test('the wheel moves through lists, pages, help and dialogs', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await terminal.press(WHEEL.down);
  await terminal.waitFor(cursorOn('empty'));
  await terminal.press(WHEEL.up);
  await terminal.waitFor(cursorOn('a-name-that'));
  await terminal.press('?');
  await terminal.waitFor('On this screen');
  await terminal.press(WHEEL.down, WHEEL.down);
  await terminal.waitUntilGone('On this screen');
});

/** A console with the question whether to delete a backup, its confirmation typed. */
async function withDeletion(terminal: FakeTerminal, engine: FakeEngine): Promise<void> {
  const [backup] = engine.data.backups;
  assert.ok(backup);
  engine.data.deletion = fakeDeletePlan([fakeDeleteItem(backup)]);
  await terminal.press('4');
  await terminal.waitFor('6 backups');
  await click(terminal, 'D delete');
  await terminal.waitFor('to confirm');
}

test('a click never answers a dialog: neither its options nor what is below it', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await withDeletion(terminal, engine);
  const wanted = /Type "(.*)" to confirm/.exec(terminal.text())?.[1] ?? '';
  await terminal.press(...wanted);
  await terminal.waitFor(`to confirm: ${wanted}`);
  for (let row = 1; row < 24; row++)
    for (let column = 1; column <= 80; column += 3)
      terminal.type(`\x1b[<0;${column};${row}M\x1b[<0;${column};${row}m`);
  await terminal.press(WHEEL.down);
  await terminal.waitFor(`to confirm: ${wanted}`);
  assert.deepEqual(engine.jobs, []);
  await click(terminal, 'Esc close');
  await terminal.waitUntilGone('to confirm');
  assert.deepEqual(engine.jobs, []);
});

test('other buttons, modified clicks, and clicks on nothing do nothing', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor(cursorOn('a-name-that'));
  for (const button of [1, 2, 4, 8, 16, 32, 35]) await click(terminal, 'firewall', button);
  await terminal.press('\x1b[<0;1;20M', '\x1b[<0;999;999M', '\x1b[<0;0;0M', '\x1b[<0;79;2M', '\x1b[<0;3;1M');
  await terminal.waitFor(cursorOn('a-name-that'));
  await terminal.waitFor('10 fractals');
});

test('clicks are ignored if the mouse is turned off, even if the terminal still sends them', async () => {
  const preferences = noPreferences();
  preferences.set('settings.mouse', false);
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.press(',');
  await terminal.waitFor(/Mouse +off/);
  await terminal.press('2');
  await terminal.waitFor(cursorOn('a-name-that'));
  await click(terminal, '3 Archives');
  await click(terminal, 'firewall');
  await terminal.press('j');
  await terminal.waitFor(cursorOn('default'));
});
