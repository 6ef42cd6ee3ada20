import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeFractal } from '../helpers/fake-engine.ts';

const cursorOn = (name: string) => (lines: readonly string[]) =>
  lines.some((line) => line.startsWith('▌') && line.includes(name));

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`every screen is reached by its number and fills ${columns}x${rows} exactly`, async () => {
    await using console = startConsole({ columns, rows });
    const { terminal } = console;
    for (const [key, sight] of [
      ['2', 'Last archive'],
      ['3', 'Reason or range'],
      ['4', 'bifract-backup-'],
      ['5', 'Nothing has run in this session'],
      ['6', 'Nothing has been said yet'],
      ['1', 'Protection'],
    ] as const) {
      await terminal.press(key);
      await terminal.see(sight);
      assert.match(terminal.lines()[0] ?? '', /bifract {2}\/opt\/bifract/);
      const footer = terminal.lines().at(-1) ?? '';
      assert.match(footer, /\? help/, 'the footer stands on the last line');
      assert.doesNotMatch(footer, /…/, 'no hint is cut');
    }
  });
}

test('the first frame is whole before any data has come, and asks for nothing', async () => {
  const engine = new FakeEngine();
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  await using console = startConsole({ engine });
  assert.equal(engine.queries, 0);
  await console.terminal.see('asking…');
  await console.terminal.see('q quit');
  gate.resolve();
  await console.terminal.see('never: b makes one now');
});

test('three characters in one chunk move three rows', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see(cursorOn('a-name-that'));
  terminal.type('jjj');
  await terminal.see(cursorOn('empty'));
  terminal.type('\x1b[A\x1b[A');
  await terminal.see(cursorOn('default'));
  await terminal.press('G');
  await terminal.see(cursorOn('日本語'));
  await terminal.press('g');
  await terminal.see(cursorOn('a-name-that'));
});

test('an arrow key torn from its escape is still an arrow', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see(cursorOn('a-name-that'));
  terminal.type('\x1b');
  await new Promise((resolve) => setTimeout(resolve, 30));
  terminal.type('[B');
  await terminal.see(cursorOn('default'));
  await terminal.see('Last archive');
});

test('Enter opens, breadcrumbs tell the way, Esc goes back to the same row', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see(cursorOn('a-name-that'));
  await terminal.press('/');
  terminal.type('web-st\r');
  await terminal.see('1 of 10 fractals');
  await terminal.press('enter');
  await terminal.see('Fractals › web-staging');
  await terminal.see(/memory limit exceeded/);
  await terminal.press('enter');
  await terminal.see('SHA-256');
  await terminal.press('esc');
  await terminal.see('3 archives');
  await terminal.press('esc');
  await terminal.see('/web-st');
  await terminal.press('esc');
  await terminal.see('10 fractals');
  await terminal.see(cursorOn('web-staging'));
});

test('while a filter is typed, hotkeys are letters', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('3');
  await terminal.see('17 archives');
  await terminal.press('/');
  terminal.type('qb');
  await terminal.see('/qb_');
  await terminal.see('No row holds “qb”');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('backspace', 'backspace');
  await terminal.see('17 archives');
  await terminal.press('esc');
  await terminal.miss('/_');
});

test('cursor and marks belong to rows: a refresh in another order moves neither', async () => {
  const engine = new FakeEngine({ fractals: [3, 4, 5].map((seed) => fakeFractal(seed)) });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('3 fractals');
  await terminal.press('j', ' ');
  await terminal.see('1 marked');
  await terminal.see(cursorOn('fractal-5'));
  engine.data.fractals = [fakeFractal(1), fakeFractal(2), fakeFractal(5), fakeFractal(4), fakeFractal(3)];
  await terminal.press('r');
  await terminal.see('5 fractals');
  assert.ok(cursorOn('fractal-5')(terminal.lines()));
  assert.match(terminal.line('fractal-4'), /^ ●/);
  await terminal.press('/');
  terminal.type('fractal-5\r');
  await terminal.see('1 marked, 1 of them hidden');
});

test('sorting goes through the columns and is remembered', async () => {
  const kept = new Map<string, unknown>();
  const preferences = {
    get: (key: string) => kept.get(key),
    set: (key: string, value: unknown) => void kept.set(key, value),
  };
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('Fractal↑');
  await terminal.press('s');
  await terminal.see('Logs↓');
  await terminal.see((lines) => lines[4]?.includes('web-prod') === true);
  await terminal.press('S');
  await terminal.see('Logs↑');
  await using again = startConsole({ preferences: async () => preferences });
  await again.terminal.press('2');
  await again.terminal.see('Logs↑');
});

test('a list longer than the screen is a window that follows the cursor', async () => {
  const fractals = Array.from({ length: 5_000 }, (_, index) =>
    fakeFractal(index + 1, { name: `f${String(index).padStart(4, '0')}` }),
  );
  await using console = startConsole({ engine: new FakeEngine({ fractals }) });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('5,000 fractals');
  await terminal.press('G');
  await terminal.see(cursorOn('f4999'));
  await terminal.press('pgup');
  await terminal.see((lines) => lines.some((line) => line.startsWith('▌ f49') && !line.includes('f4999')));
  await terminal.press('home');
  await terminal.see(cursorOn('f0000'));
});
