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
  test(`every screen is reached by its number and fills ${columns}x${rows}`, async () => {
    await using console = startConsole({ columns, rows });
    const { terminal } = console;
    for (const [key, shown] of [
      ['2', 'Last archive'],
      ['3', '17 archives'],
      ['4', 'bifract-backup-'],
      ['5', '0 jobs'],
      ['6', ' Log '],
      ['1', 'Last backup'],
    ] as const) {
      await terminal.press(key);
      await terminal.waitFor(shown);
      assert.match(terminal.lines()[0] ?? '', /bifract {2}\/opt\/bifract/);
      const footer = terminal.lines().at(-1) ?? '';
      assert.match(footer, /\? help/, 'the footer is the last line');
      assert.doesNotMatch(footer, /…/, 'no key label is cut');
    }
  });
}

test('the first frame is complete before the engine is called', async () => {
  const engine = new FakeEngine();
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  await using console = startConsole({ engine });
  assert.equal(engine.queries, 0);
  await console.terminal.waitFor('q quit');
  await console.terminal.waitFor('Last backup');
  assert.doesNotMatch(console.terminal.text(), /✓/);
  gate.resolve();
  await console.terminal.waitFor('✓');
});

test('three characters in one chunk move three rows', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor(cursorOn('a-name-that'));
  terminal.type('jjj');
  await terminal.waitFor(cursorOn('empty'));
  terminal.type('\x1b[A\x1b[A');
  await terminal.waitFor(cursorOn('default'));
  await terminal.press('G');
  await terminal.waitFor(cursorOn('日本語'));
  await terminal.press('g');
  await terminal.waitFor(cursorOn('a-name-that'));
});

test('an arrow key whose escape arrives earlier is still an arrow key', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor(cursorOn('a-name-that'));
  terminal.type('\x1b');
  await new Promise((resolve) => setTimeout(resolve, 30));
  terminal.type('[B');
  await terminal.waitFor(cursorOn('default'));
  await terminal.waitFor('Last archive');
});

test('Enter opens a row, the title shows the path, Esc returns to the same row', async () => {
  await using console = startConsole();
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor(cursorOn('a-name-that'));
  await terminal.press('/');
  terminal.type('web-st\r');
  await terminal.waitFor('1 of 10 fractals');
  await terminal.press('enter');
  await terminal.waitFor('Fractals › web-staging');
  await terminal.waitFor(/memory limit exceeded/);
  await terminal.press('enter');
  await terminal.waitFor('SHA-256');
  await terminal.press('esc');
  await terminal.waitFor('3 archives');
  await terminal.press('esc');
  await terminal.waitFor('/web-st');
  await terminal.press('esc');
  await terminal.waitFor('10 fractals');
  await terminal.waitFor(cursorOn('web-staging'));
});

test('while a filter is typed, hotkeys are letters', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('3');
  await terminal.waitFor('17 archives');
  await terminal.press('/');
  terminal.type('qb');
  await terminal.waitFor('/qb_');
  await terminal.waitFor('“qb”');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('backspace', 'backspace');
  await terminal.waitFor('17 archives');
  await terminal.press('esc');
  await terminal.waitUntilGone('/_');
});

test('cursor and selection belong to rows: a refresh in another order moves neither', async () => {
  const engine = new FakeEngine({ fractals: [3, 4, 5].map((seed) => fakeFractal(seed)) });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('3 fractals');
  await terminal.press('j', ' ');
  await terminal.waitFor(/^ ● *fractal-4/m);
  await terminal.waitFor(cursorOn('fractal-5'));
  engine.data.fractals = [fakeFractal(1), fakeFractal(2), fakeFractal(5), fakeFractal(4), fakeFractal(3)];
  await terminal.press('r');
  await terminal.waitFor('5 fractals');
  assert.ok(cursorOn('fractal-5')(terminal.lines()));
  assert.match(terminal.line('fractal-4'), /^ ●/);
  await terminal.press('/');
  terminal.type('fractal-5\r');
  await terminal.waitFor(/\b1 .*\b1 .*hidden/);
});

test('s offers the visible columns, the next one first, and the order is saved', async () => {
  const saved = new Map<string, unknown>();
  const preferences = {
    get: (key: string) => saved.get(key),
    set: (key: string, value: unknown) => void saved.set(key, value),
  };
  await using console = startConsole({ preferences: async () => preferences });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('Fractal↑');
  await terminal.press('s');
  await terminal.waitFor('1  Fractal (reverse the order)');
  await terminal.press('enter');
  await terminal.waitFor('Rows↓');
  await terminal.waitFor((lines) => lines[4]?.includes('web-prod') === true);
  await terminal.press('S');
  await terminal.waitFor('Rows↑');
  await using again = startConsole({ preferences: async () => preferences });
  await again.terminal.press('2');
  await again.terminal.waitFor('Rows↑');
});

test('a list longer than the screen is a window that follows the cursor', async () => {
  const fractals = Array.from({ length: 5_000 }, (_, index) =>
    fakeFractal(index + 1, { name: `f${String(index).padStart(4, '0')}` }),
  );
  await using console = startConsole({ engine: new FakeEngine({ fractals }) });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('5,000 fractals');
  await terminal.press('G');
  await terminal.waitFor(cursorOn('f4999'));
  await terminal.press('pgup');
  await terminal.waitFor((lines) =>
    lines.some((line) => line.startsWith('▌ f49') && !line.includes('f4999')),
  );
  await terminal.press('home');
  await terminal.waitFor(cursorOn('f0000'));
});
