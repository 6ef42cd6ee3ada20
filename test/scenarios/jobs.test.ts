import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackup, startConsole } from '../helpers/console.ts';
import { busyEngine, FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';
import { until } from '../helpers/until.ts';

function only<T>(items: readonly T[]): T {
  assert.equal(items.length, 1);
  return items[0] as T;
}

/** As many rows of the list are selected. */
const selected = (count: number) => (lines: readonly string[]) =>
  lines.filter((line) => /^[▌ ]●/.test(line)).length === count;

test('b starts a backup on any screen; progress is live, and the list is reloaded at the end', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.waitFor('0 backups');
  await startBackup(terminal);
  await terminal.waitFor('Backup: started');
  const job = only(engine.jobs);
  job.phase('Dumping');
  job.emit('job:progress', {
    item: 'public.alerts',
    bytes_in: 40 * 2 ** 20,
    total_bytes: 80 * 2 ** 20,
    bytes_out: 5 * 2 ** 20,
  });
  await terminal.press('5');
  await terminal.waitFor('█████░░░░░  50%');
  await terminal.press('enter');
  await terminal.waitFor(/40\.0 MiB of .*80\.0 MiB/);
  await terminal.waitFor('8.0:1');
  await terminal.waitFor('public.alerts');
  engine.data.backups = [fakeBackup(0)];
  job.done({ name: 'bifract-backup-now.bifract-backup', size_bytes: 5 * 2 ** 20 });
  await terminal.waitFor(/Backup done: 5\.0 MiB/);
  await terminal.press('4');
  await terminal.waitFor('1 backup');
});

test('rate and time left follow the progress; without a total there is no time left', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await startBackup(terminal);
  await terminal.press('5', 'enter');
  const job = only(engine.jobs);
  const start = Date.now();
  job.emit('job:progress', { rows: 0 }, start);
  job.emit('job:progress', { rows: 2_000_000 }, start + 1_000);
  await terminal.waitFor(/2,000,000 rows/);
  assert.doesNotMatch(terminal.text(), /\d%|\ds left/);
  job.emit('job:progress', { rows: 4_000_000, total_rows: 10_000_000 }, start + 2_000);
  await terminal.waitFor('2.0M rows/s');
  await terminal.waitFor(/\b3s left/);
  await terminal.waitFor('40%');
});

test('a archives the fractal under the cursor and shows progress in the list', async () => {
  const fractal = fakeFractal(1, { name: 'web' });
  const engine = new FakeEngine({ fractals: [fractal] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('1 fractal');
  engine.onStart = () => {
    engine.data.archives = [
      fakeArchive(1, fractal, {
        status: 'in_progress',
        checksum: null,
        created_at: new Date().toISOString(),
      }),
    ];
  };
  await terminal.press('a', 'y');
  const job = only(engine.jobs);
  assert.deepEqual(job.request, { kind: 'archive', fractal_id: fractal.id, fractal_name: 'web' });
  job.emit('job:progress', { rows: 30, total_rows: 100 });
  await terminal.waitFor(/archiving 30%/i);
  await terminal.press('enter');
  await terminal.waitFor(/archiving 30%/i);
  engine.data.archives = [fakeArchive(1, fractal)];
  job.done({ log_count: 100, size_bytes: 1024 });
  await terminal.waitFor('✓ Completed');
  await terminal.waitFor('100 rows, 1.0 KiB');
});

test('a failure is shown with reason and hint, also in the log', async () => {
  await using console = startConsole({ columns: 120, rows: 40 });
  const { terminal, engine } = console;
  await startBackup(terminal);
  only(engine.jobs).fail({
    code: 'DUMP_FAILED',
    message: 'pg_dump: out of memory',
    hint: 'Give the container more memory.',
  });
  await terminal.waitFor(/Backup failed: pg_dump: out of memory +Give the container more memory\./);
  await terminal.press('5', 'enter');
  await terminal.waitFor(/\w +pg_dump: out of memory/);
  await terminal.waitFor(/\w +Give the container/);
  await terminal.press('6');
  await terminal.waitFor(/error .*Backup failed/);
  await terminal.press('enter');
  await terminal.waitFor(/\w +Give the container/);
});

test('a long error ends with an ellipsis on the status line', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  // The overview has a line for the failed job too.
  await terminal.press('4');
  await startBackup(terminal);
  const message = Array.from({ length: 100 }, (_, index) => `word${index}`).join(' ');
  only(engine.jobs).fail({ code: 'DUMP_FAILED', message, hint: message });
  await terminal.waitFor(/^ ✗ Backup failed: word0.*$/m);
  assert.equal(terminal.text().match(/word\d* ?…/g)?.length, 2);
});

test('a conflict is shown: of this console before the start, of another one when the job fails', async () => {
  const engine = new FakeEngine({ fractals: [fakeFractal(1, { name: 'web' })] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('1 fractal');
  await terminal.press('a', 'y');
  await terminal.waitFor('archiving');
  await terminal.press('a');
  await terminal.waitFor('web is already being archived');
  const job = only(engine.jobs);
  job.fail({ code: 'BUSY', message: 'Another operation is active on web', hint: 'Wait for it to end.' });
  await terminal.waitFor('Archive web failed: Another operation is active');
});

test('selected fractals are archived one after another', async () => {
  const engine = new FakeEngine({ fractals: [1, 2, 3].map((seed) => fakeFractal(seed)) });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('3 fractals');
  await terminal.press(' ', ' ');
  await terminal.waitFor(selected(2));
  await terminal.press('a', 'y');
  await terminal.waitFor('Archive fractal-1: started');
  assert.equal(engine.jobs.length, 1);
  engine.jobs[0]?.done();
  await terminal.waitFor('Archive fractal-2: started');
  engine.jobs[1]?.done();
  await terminal.waitFor('Archive fractal-2 done');
  assert.equal(engine.jobs.length, 2);
  await terminal.waitFor(selected(0));
});

test('retries and warnings are shown', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await startBackup(terminal);
  await terminal.press('5', 'enter');
  const job = only(engine.jobs);
  job.emit('job:retry', { attempt: 2, wait_ms: 60_000, reason: 'connection refused' });
  await terminal.waitFor(/attempt 3 .*(59s|1m 00s): connection refused/);
  await terminal.waitFor(/State +! /);
  job.emit('job:warning', { message: 'A line is longer than 10 MiB' });
  await terminal.waitFor('1 warning');
  await terminal.waitFor(/\d\d:\d\d:\d\d +A line is longer/);
});

test('x asks; only y cancels the job, not Enter, a second x or keys typed ahead', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  engine.onCancel = () => {};
  await startBackup(terminal);
  await terminal.press('5');
  await terminal.waitFor('1 job');
  const job = only(engine.jobs);
  terminal.type('xy');
  await terminal.waitFor('Cancel this job?');
  await terminal.press('x');
  await terminal.waitFor('Cancel this job?');
  assert.match(terminal.line('n  Keep running'), /│/);
  await terminal.press('enter');
  await terminal.waitUntilGone('Cancel this job?');
  await terminal.press('x');
  await terminal.waitFor('Cancel this job?');
  await terminal.press('down', 'enter');
  await terminal.waitFor('Cancel this job?');
  assert.equal(job.cancelRequested, false);
  await terminal.press('y');
  await terminal.waitFor('cancelling');
  assert.equal(job.cancelRequested, true);
  await terminal.press('x');
  await terminal.waitFor('Cannot cancel');
  job.cancelled();
  await terminal.waitFor('Backup cancelled');
});

test('q quits at once if no job is running', async () => {
  await using console = startConsole();
  await console.terminal.waitFor('q quit');
  assert.equal(console.terminal.alternate, true);
  await console.terminal.press('q');
  assert.deepEqual(await console.left, {});
  await console.terminal.settle();
  assert.equal(console.terminal.alternate, false);
  assert.equal(console.terminal.raw, false);
});

test('q asks while a job is running: Enter stays, y cancels it and quits', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await startBackup(terminal);
  await terminal.waitFor('Backup: started');
  terminal.type('qy');
  await terminal.waitFor('Quit and cancel 1 running job?');
  await terminal.press('enter');
  await terminal.waitUntilGone('Quit and cancel');
  assert.equal(only(engine.jobs).cancelRequested, false);
  await terminal.press('q');
  await terminal.waitFor('Quit and cancel');
  await terminal.press('y');
  assert.deepEqual(await console.left, {});
  assert.equal(only(engine.jobs).cancelRequested, true);
});

test('Ctrl-C asks like q, and quits the second time', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await startBackup(terminal);
  await terminal.waitFor('Backup: started');
  terminal.type('\x03\x03');
  await terminal.waitFor('Quit and cancel');
  assert.equal(only(engine.jobs).cancelRequested, false);
  await terminal.press('ctrl-c');
  assert.deepEqual(await console.left, {});
  assert.equal(only(engine.jobs).cancelRequested, true);
});

test('a flood of events does not flood the terminal', async () => {
  await using console = startConsole({ engine: busyEngine() });
  const { terminal, engine } = console;
  await startBackup(terminal);
  await terminal.press('5');
  await terminal.waitFor('1 job');
  const job = only(engine.jobs);
  const before = terminal.written.length;
  for (let rows = 1; rows <= 50_000; rows++) job.emit('job:progress', { rows, total_rows: 50_000 });
  await terminal.waitFor('100%');
  assert.ok(terminal.written.length - before < 20_000, `${terminal.written.length - before} bytes`);
});

test('q quits at once if the running jobs outlive the console, and cancels none of them', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  engine.detached = true;
  await startBackup(terminal);
  await terminal.waitFor('Backup: started');
  await terminal.press('q');
  assert.deepEqual(await console.left, {});
  assert.equal(only(engine.jobs).cancelRequested, false);
});

test('events from before the console was opened are on the job page, but not in the log', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  engine.start({ kind: 'backup' });
  const job = only(engine.jobs);
  const earlier = Date.now() - 600_000;
  const by = { user: 'root', sudo_user: 'eve', host: 'logs-1', pid: 4711, from: 'cron' };
  job.emit('job:started', { kind: 'backup', title: 'Backup of old', by }, earlier);
  job.emit('job:warning', { message: 'an old warning' }, earlier);
  await terminal.press('5', 'enter');
  await terminal.waitFor(/eve .*root.*cron.* 4711 .*logs-1/);
  await terminal.waitFor('an old warning');
  job.emit(
    'job:failed',
    { error: { code: 'JOB_DIED', message: 'Its process is gone', hint: 'Again.' } },
    earlier,
  );
  await terminal.waitFor('Its process is gone');
  await terminal.press('6');
  await terminal.waitUntilGone('an old warning');
  await terminal.waitUntilGone('Its process is gone');
});

const DIED = { error: { code: 'JOB_DIED', message: 'Its process is gone', hint: 'Press c.' } } as const;

test('c resumes a crashed job in a new job, and shows it', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const request = { kind: 'archive', fractal_id: 'f1', fractal_name: 'web', split: 'day' } as const;
  const first = engine.start(request);
  only(engine.jobs).emit('job:failed', DIED);
  engine.interrupted.set(first.id, request);
  await terminal.press('5');
  await terminal.waitFor('c resume');
  await terminal.press('c', 'y');
  await terminal.waitFor('Jobs › Archive f1');
  await terminal.waitFor(/State +.*running/);
  assert.deepEqual(
    engine.jobs.map((job) => job.request),
    [request, request],
  );
});

test('c reports why a job cannot be resumed: it is running, completed, or left no data', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await startBackup(terminal);
  await terminal.press('5', 'c');
  await terminal.waitFor('Cannot resume: the job is still running');
  const isGone = async () => {
    await terminal.press('Z');
    return !terminal.text().includes('Cannot resume');
  };
  await until(isGone, 6_000, 'a key without a command clears a message that was read');
  const job = only(engine.jobs);
  job.done({ name: 'x.bifract-backup', size_bytes: 1 });
  await terminal.press('c');
  await terminal.waitFor('Cannot resume: the job has completed');
  engine.start({ kind: 'archive', fractal_id: 'f1', fractal_name: 'web' });
  engine.jobs[1]?.emit('job:failed', DIED);
  await terminal.press('g', 'c');
  await terminal.waitFor('Cannot resume: nothing is left of it');
  assert.equal(engine.jobs.length, 2);
});

test('c resumes an interrupted group and its archives, but not a complete or a cancelled archive', async () => {
  const fractal = fakeFractal(1, { name: 'web' });
  const part = { group_id: 'g1' };
  const failed = { status: 'failed', error_message: 'Interrupted: the process ended' } as const;
  const cancelled = { ...failed, error_message: 'Cancelled by the user' };
  const engine = new FakeEngine({
    fractals: [fractal],
    archives: [
      fakeArchive(1, fractal, { ...part, period_label: '2026-03-01' }),
      fakeArchive(2, fractal, { ...part, period_label: '2026-03-02', ...failed }),
      fakeArchive(3, fractal, { group_id: 'g2', ...cancelled }),
    ],
  });
  const request = { kind: 'archive', fractal_id: fractal.id, fractal_name: 'web' } as const;
  engine.interrupted.set('g1', request);
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('Cancelled by the');
  await terminal.press('/', ...'cancelled', 'enter', 'c');
  await terminal.waitFor('Cannot resume: nothing is left of it');
  assert.doesNotMatch(terminal.text(), /c resume/);
  await terminal.press('esc', '/', ...'interrupted', 'enter');
  await terminal.waitFor('c resume');
  await terminal.press('enter', 'enter', 'c');
  await terminal.waitFor('Cannot resume: the archive is complete');
  await terminal.press('esc', 'c', 'y');
  await terminal.waitFor('Jobs › Archive');
  assert.deepEqual(only(engine.jobs).request, request);
});
