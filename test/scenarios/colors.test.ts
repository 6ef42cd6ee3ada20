import assert from 'node:assert/strict';
import { test } from 'node:test';

// Ink's color library decides when it is loaded, and finds no terminal here.
process.env.FORCE_COLOR = '1';
const { startBackup, startConsole } = await import('../helpers/console.ts');

/** The parameters of all SGR sequences in the output. */
function styles(written: string): Set<string> {
  return new Set(Array.from(written.matchAll(/\x1b\[([\d;]*)m/g), (match) => match[1] ?? ''));
}

async function visitScreens(color: boolean): Promise<string> {
  await using console = startConsole({ color });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await startBackup(terminal);
  await terminal.press('5');
  await terminal.waitFor('1 job');
  await terminal.press('?');
  await terminal.waitFor(/Cancel the job/);
  return terminal.written;
}

test('only the 16 colors of the terminal are used, and the row under the cursor is inverse', async () => {
  const used = styles(await visitScreens(true));
  assert.ok(used.has('7') && used.has('36') && used.has('32'), [...used].join(' '));
  const extended = [...used].filter((style) => style.includes(';') || /^(38|48)/.test(style));
  assert.deepEqual(extended, []);
});

test('without colors there are no styles, and the cursor is still visible', async () => {
  const written = await visitScreens(false);
  assert.deepEqual([...styles(written)], []);
  assert.match(written, /▌/);
});
