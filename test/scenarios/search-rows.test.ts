import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRows } from '../helpers/open-rows.ts';

/** A console on the rows of its only archive. */
async function openedRows(given: Parameters<typeof openRows>[0]) {
  const opened = await openRows(given, { columns: 80, rows: 24 });
  await opened.terminal.waitFor('row 1 of');
  return opened;
}

const cursorLine = (lines: readonly string[]) => lines.find((line) => line.startsWith('▌')) ?? '';

test('matches are counted, and the one under the cursor has its number', async () => {
  const { console, terminal } = await openedRows({ count: 57_500 });
  await using _ = console;
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('match 1 of 57 ');
  await terminal.press('n', 'n');
  await terminal.waitFor('match 3 of 57 ');
  await terminal.press('N');
  await terminal.waitFor('match 2 of 57 ');
  await terminal.press('j');
  await terminal.waitFor(/ 57 matches /);
  await terminal.press('esc');
  await terminal.waitUntilGone('57 matches');
});

test('while rows are still being searched, the number of matches is a minimum', async () => {
  const { console, terminal, archive } = await openedRows({ count: 100_000 });
  await using _ = console;
  const gate = Promise.withResolvers<void>();
  archive.countGate = gate.promise;
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('row 1,000 of');
  archive.countGate = new Promise(() => {});
  gate.resolve();
  await terminal.waitFor('match 1 of 20+');
  // The next match is beyond what was counted.
  await terminal.press('G', 'k', 'N');
  await terminal.waitFor('row 99,000 of');
  await terminal.waitFor('20+ matches');
});

test('a search of counted rows does not read the archive again', async () => {
  const { console, terminal, archive } = await openedRows({ count: 10_000 });
  await using _ = console;
  await terminal.press('/');
  terminal.type('ERROR\r');
  await terminal.waitFor('match 1 of 10 ');
  archive.workGate = new Promise(() => {});
  await terminal.press('n', 'n');
  await terminal.waitFor('match 3 of 10 ');
  await terminal.press('N');
  await terminal.waitFor('match 2 of 10 ');
});

test('a match far to the right is brought into view', async () => {
  const raw = (index: number) => `${index} ${'x'.repeat(index * 400)} NEEDLE and more ${'y'.repeat(300)}`;
  const { console, terminal } = await openedRows({ count: 10, raw });
  await using _ = console;
  await terminal.press('/');
  terminal.type('NEEDLE\r');
  for (let row = 0; row < 10; row++) {
    await terminal.waitFor((lines) => cursorLine(lines).includes('NEEDLE and'));
    await terminal.waitFor(`match ${row + 1} of 10`);
    assert.equal(cursorLine(terminal.lines()).includes('…x'), row > 0);
    await terminal.press('n');
  }
});

test('an endless regular expression neither blocks the screen nor a following search', async () => {
  const { console, terminal } = await openedRows({
    count: 40,
    raw: (index) => `${index} ${'word '.repeat(12)}ZZ${index === 7 ? '' : ' at the end'}`,
  });
  await using _ = console;
  await terminal.press('/');
  // The fake archive would search it here; a search for text shows that drawing the matches is what could block.
  terminal.type('/^7 (\\S+\\s?)+ZZ$/\r');
  await terminal.waitFor('row 8 of 40');
  await terminal.press('/');
  terminal.type('\x15at the end\r');
  await terminal.waitFor('match 8 of 39');
});
