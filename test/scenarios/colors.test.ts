import assert from 'node:assert/strict';
import { test } from 'node:test';

// Ink's colour library decides when it is loaded, and would find no terminal here.
process.env.FORCE_COLOR = '1';
const { startConsole } = await import('../helpers/console.ts');

/** The parameters of every SGR sequence in what was written. */
function styles(written: string): Set<string> {
  return new Set(Array.from(written.matchAll(/\x1b\[([\d;]*)m/g), (match) => match[1] ?? ''));
}

async function lookAround(color: boolean): Promise<string> {
  await using console = startConsole({ color });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('10 fractals');
  await terminal.press('b', '5');
  await terminal.see('1 job');
  await terminal.press('?');
  await terminal.see('On this screen');
  return terminal.written;
}

test('colours are the sixteen of the terminal, and the row under the cursor is drawn in reverse', async () => {
  const used = styles(await lookAround(true));
  assert.ok(used.has('7') && used.has('36') && used.has('32'), [...used].join(' '));
  const extended = [...used].filter((style) => style.includes(';') || /^(38|48)/.test(style));
  assert.deepEqual(extended, []);
});

test('without colours there is no style of any kind, and the cursor can still be seen', async () => {
  const written = await lookAround(false);
  assert.deepEqual([...styles(written)], []);
  assert.match(written, /▌/);
});
