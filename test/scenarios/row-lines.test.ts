import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPreferences } from '../../src/components/state/preferences.ts';
import { openRows } from '../helpers/open-rows.ts';

/** Columns for a line at 80 columns, next to the margins and the time. */
const ROOM = 80 - 22;
const PART = '<10.00>'.length;

/** A line whose parts say where they are: `<10.00><10.01>…`. That of row 10 is short. */
function ruler(index: number): string {
  const parts = index === 0 ? 2 : 60;
  const part = (at: number) => `<${10 + index}.${String(at).padStart(2, '0')}>`;
  return Array.from({ length: parts }, (_, at) => part(at)).join('');
}

async function openRuler(preferences = noPreferences()) {
  const opened = await openRows({ count: 40, raw: ruler }, { preferences: async () => preferences });
  await opened.terminal.waitFor('<10.00>');
  return opened;
}

const cursorLines = (lines: readonly string[]) => lines.slice(4).filter((line) => line.startsWith('▌'));

test('lines are scrolled by half of their width, to the end of the longest one and back', async () => {
  const { console, terminal } = await openRuler();
  await using _ = console;
  await terminal.press('right');
  await terminal.waitUntilGone('<11.00>');
  const first = Math.ceil(ROOM / 2 / PART);
  await terminal.waitFor(`<11.0${first}>`);
  for (let press = 0; press < 30; press++) await terminal.press('l');
  await terminal.waitFor('<11.59>');
  assert.match(terminal.line('<11.59>'), /…/);
  await terminal.press('h');
  await terminal.waitUntilGone('<11.59>');
  for (let press = 0; press < 30; press++) await terminal.press('left');
  await terminal.waitFor('<11.00>');
  await terminal.press('esc');
  await terminal.waitFor('1 archive');
});

test('wrapped lines are complete, and the choice is remembered', async () => {
  const saved = noPreferences();
  {
    const { console, terminal } = await openRuler(saved);
    await using _ = console;
    await terminal.press('w');
    await terminal.waitFor('<11.59>');
    for (let part = 0; part < 60; part++) {
      const joined = terminal
        .lines()
        .map((line) => line.slice(22))
        .join('');
      assert.ok(joined.includes(`<11.${String(part).padStart(2, '0')}>`), String(part));
    }
    await terminal.press('right');
    await terminal.waitFor(/press w/);
  }
  const { console, terminal } = await openRuler(saved);
  await using _ = console;
  await terminal.waitFor('<11.59>');
  await terminal.press('w');
  await terminal.waitUntilGone('<11.59>');
});

test('the row under the cursor is always complete on the screen, wrapped or not', async () => {
  const { console, terminal } = await openRuler();
  await using _ = console;
  await terminal.press('w');
  const lines = Math.ceil((60 * PART) / ROOM);
  for (const [keys, row] of [
    [['j'], 11],
    [['j', 'j'], 13],
    [['j'], 14],
    [['k'], 13],
    [['pgdn'], undefined],
    [['G'], 49],
    [['pgup'], undefined],
    [['g', 'j'], 11],
  ] as const) {
    await terminal.press(...keys);
    await terminal.waitFor((shown) => cursorLines(shown).length === lines);
    if (row !== undefined)
      await terminal.waitFor((shown) => cursorLines(shown)[0]?.includes(`<${row}.00>`) === true);
    assert.match(cursorLines(terminal.lines()).at(-1) ?? '', /\.59>/);
  }
});

test('a match in a wrapped line is in view', async () => {
  const { console, terminal } = await openRuler();
  await using _ = console;
  await terminal.press('w', '/');
  terminal.type('<45.58>\r');
  await terminal.waitFor((shown) => cursorLines(shown).join('').includes('<45.58>'));
});
