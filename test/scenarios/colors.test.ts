import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ColorLevel, rgbOf, type ThemeChoice } from '../../src/components/text/colors.ts';
import { PALETTES } from '../../src/components/ui/theme.ts';
import { until } from '../helpers/until.ts';

// Ink's color library decides when it is loaded, and finds no terminal here.
process.env.FORCE_COLOR = '3';
const { startBackup, startConsole } = await import('../helpers/console.ts');

/** The parameters of all SGR sequences in the output. */
function styles(written: string): Set<string> {
  const sequences = Array.from(written.matchAll(/\x1b\[([\d;]*)m/g), (match) => match[1] ?? '');
  return new Set(sequences.flatMap((one) => one.match(/[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+/g) ?? []));
}

async function visitScreens(colors: ColorLevel, theme?: ThemeChoice): Promise<Set<string>> {
  await using console = startConsole({ colors, theme });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  await startBackup(terminal);
  await terminal.press('5');
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

const QUERY = '\x1b]11;?\x1b\\\x1b[c';
const ATTRIBUTES = '\x1b[?62;22c';

test('the theme follows the background that the terminal reports', async () => {
  for (const [color, theme] of [
    ['rgb:ffff/ffff/ffff', 'light'],
    ['rgb:1e/1e/2e', 'dark'],
  ] as const) {
    await using console = startConsole({ colors: 'truecolor' });
    const { terminal } = console;
    await until(() => terminal.written.includes(QUERY), 5_000, 'the terminal is asked');
    const before = terminal.written.length;
    terminal.type(`\x1b]11;${color}\x1b\\${ATTRIBUTES}`);
    const [red, green, blue] = rgbOf(PALETTES[theme].info);
    const drawn = () => terminal.written.slice(before).includes(`38;2;${red};${green};${blue}`);
    await until(drawn, 5_000, `${theme} is drawn`);
    assert.ok(terminal.line('1 Overview').includes('▌1'));
  }
});

test('the terminal is asked only if its background matters', async () => {
  for (const options of [
    { colors: 'none' },
    { colors: '16' },
    { colors: 'truecolor', theme: 'light' },
  ] as const) {
    await using console = startConsole(options);
    await console.terminal.press('2');
    await console.terminal.waitFor('10 fractals');
    assert.equal(console.terminal.written.includes('\x1b]11;'), false);
  }
});

test('the console keeps the keyboard until the terminal has answered', async () => {
  const { terminal, left } = startConsole({ colors: '256' });
  await until(() => terminal.written.includes(QUERY), 5_000, 'the terminal is asked');
  await terminal.press('q');
  assert.equal(terminal.raw, true);
  terminal.type(`\x1b]11;rgb:0/0/0\x1b\\${ATTRIBUTES}`);
  assert.deepEqual(await left, {});
  assert.equal(terminal.raw, false);
  terminal.dispose();
});

test('a terminal that does not answer cannot keep the console open', async () => {
  const { terminal, left } = startConsole({ colors: '256' });
  await until(() => terminal.written.includes(QUERY), 5_000, 'the terminal is asked');
  await terminal.press('q');
  assert.deepEqual(await left, {});
  terminal.dispose();
});
