import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeFractal } from '../helpers/fake-engine.ts';
import type { FakeTerminal } from '../helpers/terminal.ts';

/** As many rows of the list are selected. */
const selected = (count: number) => (lines: readonly string[]) =>
  lines.filter((line) => /^[▌ ]●/.test(line)).length === count;

/** A console on which as many fractals have been queued; the first one runs. */
async function withQueue(count: number, options: Parameters<typeof startConsole>[0] = {}) {
  const engine = new FakeEngine({
    fractals: Array.from({ length: count + 1 }, (_, index) => fakeFractal(index + 1)),
  });
  engine.detached = true;
  const console = startConsole({ engine, ...options });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor(`${count + 1} fractals`);
  await terminal.press(...Array(count).fill(' '));
  await terminal.waitFor(selected(count));
  await terminal.press('a', 'y');
  await terminal.waitFor('Archive fractal-1: started');
  await terminal.press('5');
  await terminal.waitFor(new RegExp(`\\b${count} jobs?\\b`));
  return console;
}

/** The jobs of the list, from top to bottom. */
function order(terminal: FakeTerminal): string[] {
  return [...terminal.text().matchAll(/^[▌ ] +Archive (fractal-\d)/gm)].map(([, name = '']) => name);
}

test('queued archives are listed after the running one in their order, and each starts when the one before has ended', async () => {
  await using console = await withQueue(3);
  const { terminal, engine } = console;
  await terminal.waitFor(/fractal-2 +· queued/);
  await terminal.waitFor(/fractal-3 +· queued/);
  assert.deepEqual(order(terminal), ['fractal-1', 'fractal-2', 'fractal-3']);
  engine.jobs[0]?.fail({ code: 'QUERY_FAILED', message: 'broken' });
  await terminal.waitFor('Archive fractal-2: started');
  await terminal.waitFor(/fractal-2 +\S running/);
  engine.jobs[1]?.done();
  await terminal.waitFor('Archive fractal-3: started');
});

test('K and J move a queued job, and the cursor stays with it; others cannot be moved', async () => {
  await using console = await withQueue(3);
  const { terminal, engine } = console;
  await terminal.press('g', 'K');
  await terminal.waitFor('Cannot move the job: it is not in the queue');
  await terminal.press('G', 'K');
  await terminal.waitFor(() => order(terminal).join() === 'fractal-1,fractal-3,fractal-2');
  assert.match(terminal.line('Archive fractal-3'), /^▌/);
  await terminal.press('J');
  await terminal.waitFor(() => order(terminal).join() === 'fractal-1,fractal-2,fractal-3');
  assert.match(terminal.line('Archive fractal-3'), /^▌/);
  await terminal.press('K');
  await terminal.waitFor(() => order(terminal).join() === 'fractal-1,fractal-3,fractal-2');
  engine.jobs[0]?.done();
  await terminal.waitFor('Archive fractal-3: started');
});

test('x removes a queued job at once, also on its page', async () => {
  await using console = await withQueue(3);
  const { terminal, engine } = console;
  await terminal.press('G', 'x');
  await terminal.waitFor('fractal-3: removed from the queue');
  await terminal.waitFor('2 jobs');
  await terminal.press('G', 'enter');
  await terminal.waitFor(/Position +next/);
  await terminal.press('x');
  await terminal.waitFor('fractal-2: removed from the queue');
  await terminal.waitFor('1 job');
  engine.jobs[0]?.done();
  await terminal.waitFor('Archive fractal-1 done');
  assert.equal(engine.jobs.length, 1);
});

test('the page of a queued job becomes that of the running job', async () => {
  await using console = await withQueue(2);
  const { terminal, engine } = console;
  await terminal.press('G', 'enter');
  await terminal.waitFor(/State +· queued/);
  engine.jobs[0]?.done();
  await terminal.waitFor(/State +\S running/);
  assert.match(terminal.text(), /Jobs › Archive fractal-2/);
});

test('what another console queues is shown, and so is why it cannot start', async () => {
  await using console = await withQueue(1);
  const { terminal, engine } = console;
  await engine.enqueue({ kind: 'archive', fractal_id: 'x', fractal_name: 'other' });
  await terminal.waitFor(/Archive x +· queued/);
  const problem = { code: 'STORAGE_FULL', message: 'No space left', hint: 'Free some.' };
  const queued = engine.queuedJobs.bind(engine);
  engine.queuedJobs = async () => (await queued()).map((job) => ({ ...job, problem }));
  await terminal.press('G');
  await terminal.waitFor(/No space left/);
  await terminal.press('enter');
  await terminal.waitFor('Free some.');
});

test('a fractal that is archived or queued is not queued again', async () => {
  await using console = await withQueue(2);
  const { terminal, engine } = console;
  await terminal.press('2', 'g', 'a');
  await terminal.waitFor('fractal-1 is already being archived');
  await terminal.press('j', 'a');
  await terminal.waitFor('fractal-2 is already queued');
  await terminal.press('j', 'a', 'y');
  await terminal.waitFor('fractal-3 is number 2 in the queue');
  assert.equal(engine.waiting.length, 2);
});

test('an archive that cannot be queued is reported', async () => {
  await using console = await withQueue(1);
  const { terminal, engine } = console;
  engine.enqueue = () => Promise.reject(new Error('no disk'));
  await terminal.press('2', 'G', 'a', 'y');
  await terminal.waitFor(/Cannot queue the archive: .*no disk/);
});

test('the queue outlives the console: q quits at once', async () => {
  await using console = await withQueue(3);
  await console.terminal.press('q');
  assert.deepEqual(await console.left, {});
  assert.deepEqual([console.engine.waiting.length, console.engine.jobs[0]?.cancelRequested], [2, false]);
});
