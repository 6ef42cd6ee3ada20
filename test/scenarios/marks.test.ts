import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { busyEngine, fakeFractal } from '../helpers/fake-engine.ts';

for (const utf8 of [true, false]) {
  const mark = utf8 ? '▌' : '>';

  test(`a mark shows the active tab and the current row without colors, in ${utf8 ? 'UTF-8' : 'ASCII'}`, async () => {
    await using console = startConsole({ utf8 });
    const { terminal } = console;
    await terminal.press('2');
    await terminal.waitFor(`${mark}2 Fractals`);
    await terminal.press('3');
    await terminal.waitFor(`${mark}3 Archives`);
    assert.equal(terminal.line('2 Fractals').includes(`${mark}2`), false);
    assert.equal(
      terminal
        .lines()
        .slice(3)
        .filter((line) => line.startsWith(mark)).length,
      1,
    );
  });

  test(`a mark shows what Enter will do in the palette and in questions, in ${utf8 ? 'UTF-8' : 'ASCII'}`, async () => {
    await using console = startConsole({ utf8 });
    const { terminal } = console;
    const marked = () =>
      terminal
        .lines()
        .filter((line) => line.slice(1).includes(mark))
        .at(-1);
    await terminal.press('2');
    await terminal.waitFor('10 fractals');
    for (const key of [':', 'A']) {
      await terminal.press(key);
      await terminal.waitFor(utf8 ? '╭' : '+-');
      const before = marked();
      await terminal.press('down');
      await terminal.waitFor(() => marked() !== before);
      await terminal.press('esc');
      await terminal.waitUntilGone(utf8 ? '╭' : '+-');
    }
  });
}

test('the cursor stays with its row if the data changes before the first key', async () => {
  const engine = busyEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const current = () =>
    terminal
      .lines()
      .slice(4)
      .find((line) => line.startsWith('▌'));
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  const before = current();
  assert.ok(before);
  engine.data.fractals = [fakeFractal(99, { name: '0-new' }), ...engine.data.fractals];
  await terminal.press('r');
  await terminal.waitFor('0-new');
  assert.equal(current(), before);
});

test('the cursor stays with its choice if fractals are added while one is chosen as a target', async () => {
  const engine = busyEngine();
  await using console = startConsole({ engine, rows: 40 });
  const { terminal } = console;
  const current = () => terminal.lines().find((line) => line.startsWith('▌ ('));
  await terminal.press('3', 'down', 'R');
  await terminal.waitFor('Step 1 of 5');
  await terminal.press('enter');
  await terminal.waitFor('Step 2 of 5');
  await terminal.press('down', 'down');
  await terminal.waitFor(() => current()?.includes('dns') === true);
  engine.data.fractals = [fakeFractal(99, { name: '0-new' }), ...engine.data.fractals];
  await terminal.press('r');
  await terminal.waitFor('0-new');
  assert.match(current() ?? '', /dns/);
});
