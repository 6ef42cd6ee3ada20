import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { busyEngine } from '../helpers/fake-engine.ts';
import { until } from '../helpers/until.ts';

test('from 120 columns on a list has details of the row under the cursor next to it', async () => {
  await using console = startConsole({ columns: 119, rows: 60 });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('10 fractals');
  assert.equal(terminal.text().includes('│'), false);
  terminal.resize(120, 60);
  await terminal.waitFor('│ Fractal a-name');
  await terminal.press('down');
  await terminal.waitFor('│ Fractal default ─');
  await terminal.press('3', 'down');
  await terminal.waitFor('│ Archive of default, ');
  await terminal.waitFor(/│ {2}Key fingerprint/);
  await terminal.press('4');
  await terminal.waitFor('│ Backup ─');
  await terminal.press('p');
  await terminal.waitUntilGone('│');
  await terminal.press('p');
  await terminal.waitFor('│ Backup ─');
});

test('from 160 columns on the timeline or the output of the running job is next to it', async () => {
  const engine = busyEngine();
  await using console = startConsole({ engine, columns: 160, rows: 40 });
  const { terminal } = console;
  await terminal.press('2', 'down');
  await terminal.waitFor('│ Fractal default ─');
  await terminal.waitFor(/│ Timeline of default ─.*$/m);
  await terminal.waitFor(/ {4}1 {3}5 {3}10/);
  await terminal.press('a');
  await until(() => engine.jobs.length === 1, 5_000, 'the job has started');
  engine.jobs[0]?.phase('Writing rows');
  engine.jobs[0]?.emit('job:progress', { rows: 500, total_rows: 1_000 });
  await terminal.waitFor(/│ Archive default ─.*$/m);
  await terminal.waitFor('500 of 1,000 rows');
  await terminal.waitFor(/\d\d:\d\d:\d\d {2}Writing rows/);
});

test('while the cursor moves no file is read and nothing is counted', async () => {
  const engine = busyEngine();
  const shown: string[] = [];
  const show = engine.show.bind(engine);
  engine.show = (target) => {
    shown.push(target);
    return show(target);
  };
  await using console = startConsole({ engine, columns: 160, rows: 60 });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('17 archives');
  terminal.type('jjjjjjjjjj');
  await until(() => shown.length > 0, 5_000, 'a file is read');
  await terminal.waitFor(/│ {2}Key fingerprint/);
  assert.ok(shown.length <= 2, `${shown.length} files read`);
});

test('the screen is exactly as tall as the terminal, with all panes', async () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [200, 50],
  ] as const) {
    await using console = startConsole({ columns, rows });
    const { terminal } = console;
    for (const key of ['2', '3', '4', '5', '6', '7']) {
      await terminal.press(key);
      await terminal.waitFor(`▌${key} `);
      const lines = terminal.lines();
      assert.match(lines[0] ?? '', /bifract/);
      assert.match(lines[rows - 1] ?? '', /\? help/, `${columns}x${rows}, screen ${key}`);
    }
  }
});
