import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeFractal } from '../helpers/fake-engine.ts';

const web = () => fakeFractal(1, { name: 'web', archive_schedule: 'never', archive_split: 'none' });
const dns = () =>
  fakeFractal(2, { name: 'dns', archive_schedule: 'weekly', archive_split: 'day', max_archives: 4 });

const scheduleOf = (engine: FakeEngine, name: string) => {
  const found = engine.data.fractals.find((one) => one.name === name);
  return [found?.archive_schedule, found?.archive_split, found?.max_archives];
};

test('the schedule of a fractal is set in three steps, each with the current setting', async () => {
  const engine = new FakeEngine({ fractals: [dns()] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('1 fractal');
  await terminal.press('e');
  await terminal.waitFor(/Weekly.*\(current setting\)/);
  await terminal.press('m');
  await terminal.waitFor(/per day \(current setting\)/);
  await terminal.press('h');
  await terminal.waitFor(/keep.*4/);
  await terminal.press('\u0015');
  await terminal.type('0');
  await terminal.press('enter');
  await terminal.waitFor(/999999/);
  await terminal.press('\u0015');
  await terminal.type('12');
  assert.deepEqual(scheduleOf(engine, 'dns'), ['weekly', 'day', 4], 'nothing is set before the last step');
  await terminal.press('enter');
  await terminal.waitFor(/monthly/);
  assert.deepEqual(scheduleOf(engine, 'dns'), ['monthly', 'hour', 12]);
  await terminal.press('d');
  await terminal.waitFor(/Schedule +monthly/);
  await terminal.waitFor(/Kept +.*12/);
  await terminal.press('e');
  await terminal.waitFor(/Monthly.*\(current setting\)/);
  await terminal.press('esc');
  await terminal.waitUntilGone('current setting');
  await terminal.press('e');
  await terminal.waitFor(/Monthly.*\(current setting\)/);
  await terminal.press('n');
  await terminal.waitFor(/Schedule +never/);
  assert.deepEqual(scheduleOf(engine, 'dns'), ['never', 'hour', 12]);
});

test('several fractals that are never archived keep their other settings', async () => {
  const engine = new FakeEngine({ fractals: [dns(), web()] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('2 fractals');
  await terminal.press(' ', 'down', ' ', 'e');
  await terminal.waitFor(/2 fractals.*archived/);
  assert.doesNotMatch(terminal.text(), /current setting/, 'they differ');
  await terminal.press('n');
  await terminal.waitFor(/: never/);
  assert.deepEqual(scheduleOf(engine, 'dns'), ['never', 'day', 4]);
  assert.deepEqual(scheduleOf(engine, 'web'), ['never', 'none', 7]);
});

test('several selected fractals get the same schedule; an empty number keeps all archives', async () => {
  const engine = new FakeEngine({ fractals: [dns(), web()] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('2 fractals');
  await terminal.press(' ', 'down', ' ', 'e');
  await terminal.waitFor(/2 fractals.*archived/);
  await terminal.press('d');
  await terminal.waitFor(/One file per week/);
  await terminal.press('n');
  await terminal.waitFor(/keep/);
  await terminal.press('\u0015', 'enter');
  await terminal.waitFor(/: daily/);
  for (const name of ['dns', 'web']) assert.deepEqual(scheduleOf(engine, name), ['daily', 'none', null]);
});

test('a schedule that cannot be set is an error, and a read-only console does not offer it', async () => {
  const engine = new FakeEngine({ fractals: [web()] });
  engine.setSchedule = async () => {
    throw new BifractError('QUERY_FAILED', 'permission denied for database x');
  };
  {
    await using console = startConsole({ engine });
    const { terminal } = console;
    await terminal.press('2');
    await terminal.waitFor('1 fractal');
    await terminal.press('e');
    await terminal.waitFor(/Never.*\(current setting\)/);
    await terminal.press('n');
    await terminal.waitFor('permission denied');
  }
  await using console = startConsole({ engine, readOnly: true });
  await console.terminal.press('2');
  await console.terminal.waitFor('1 fractal');
  await console.terminal.press('e');
  await console.terminal.waitFor('read-only');
});
