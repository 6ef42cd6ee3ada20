import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColorLevel, ThemeChoice } from '../../src/components/text/colors.ts';

// Ink's color library decides when it is loaded, and finds no terminal here.
process.env.FORCE_COLOR = '3';
const { startConsole } = await import('../helpers/console.ts');

/** The parameters of all SGR sequences in the output. */
function styles(written: string): Set<string> {
  return new Set(Array.from(written.matchAll(/\x1b\[([\d;]*)m/g), (match) => match[1] ?? ''));
}

async function visitScreens(colors: ColorLevel, theme?: ThemeChoice): Promise<Set<string>> {
  await using console = startConsole({ colors, theme });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await terminal.press('b', '5');
  await terminal.waitFor('1 job');
  await terminal.press('?');
  await terminal.waitFor(/Cancel the job/);
  return styles(terminal.written);
}

const SIXTEEN = /^(?:3[0-7]|9[0-7]|39|4[0-7]|10[0-7]|49)$/;
const EXTENDED = /^[34]8;/;

test('a terminal with 16 colors gets only those, and the row under the cursor is inverse', async () => {
  const used = await visitScreens('16', 'light');
  assert.ok(used.has('7') && used.has('36') && used.has('32'), [...used].join(' '));
  assert.deepEqual(
    [...used].filter((style) => EXTENDED.test(style)),
    [],
  );
});

test('dark and light draw their own colors, as many as the terminal has', async () => {
  for (const [colors, start] of [
    ['256', '38;5;'],
    ['truecolor', '38;2;'],
  ] as const) {
    for (const theme of ['dark', 'light'] as const) {
      const used = [...(await visitScreens(colors, theme))];
      const drawn = used.filter((style) => EXTENDED.test(style));
      assert.ok(drawn.length > 3 && drawn.every((style) => style.startsWith(start)), used.join(' '));
      assert.deepEqual(
        used.filter((style) => SIXTEEN.test(style) && style !== '39'),
        [],
      );
      assert.ok(used.includes('7'));
    }
  }
});

test('without colors there are attributes only', async () => {
  for (const used of [await visitScreens('none', 'dark'), await visitScreens('truecolor', 'none')]) {
    assert.ok(used.has('7'));
    assert.deepEqual(
      [...used].filter((style) => SIXTEEN.test(style) || EXTENDED.test(style)),
      [],
    );
  }
});
