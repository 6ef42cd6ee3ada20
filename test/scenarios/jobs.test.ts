import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { busyEngine, FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';

function only<T>(items: readonly T[]): T {
  assert.equal(items.length, 1);
  return items[0] as T;
}

test('b backs up from anywhere; progress is shown live, the end refreshes the list', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('4');
  await terminal.see('There is no backup yet. Press b');
  await terminal.press('b');
  await terminal.see('Backup: started');
  const job = only(engine.jobs);
  job.phase('Dumping');
  job.emit('job:progress', {
    item: 'public.alerts',
    bytes_in: 40 * 2 ** 20,
    total_bytes: 80 * 2 ** 20,
    bytes_out: 5 * 2 ** 20,
  });
  await terminal.press('5');
  await terminal.see('█████░░░░░  50%');
  await terminal.press('enter');
  await terminal.see('40.0 MiB of about 80.0 MiB');
  await terminal.see('ratio 8.0:1');
  await terminal.see('public.alerts');
  engine.data.backups = [fakeBackup(0)];
  job.done({ name: 'bifract-backup-now.bifract-backup', size_bytes: 5 * 2 ** 20 });
  await terminal.see('Backup: done, bifract-backup-now.bifract-backup, 5.0 MiB');
  await terminal.press('4');
  await terminal.see('1 backup');
});

test('rate and time left follow the progress; an unknown total is said to be unknown', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('b', '5', 'enter');
  const job = only(engine.jobs);
  const start = Date.now();
  job.emit('job:progress', { rows: 0 }, start);
  job.emit('job:progress', { rows: 2_000_000 }, start + 1_000);
  await terminal.see('2,000,000 rows, total unknown');
  await terminal.see('time left not known');
  job.emit('job:progress', { rows: 4_000_000, total_rows: 10_000_000 }, start + 2_000);
  await terminal.see('2.0M rows/s');
  await terminal.see('about 3s left');
  await terminal.see('40%');
});

test('a archives the fractal under the cursor, its archive is shown live', async () => {
  const fractal = fakeFractal(1, { name: 'web' });
  const engine = new FakeEngine({ fractals: [fractal] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('1 fractal');
  engine.onStart = () => {
    engine.data.archives = [
      fakeArchive(1, fractal, {
        status: 'in_progress',
        checksum: null,
        created_at: new Date().toISOString(),
      }),
    ];
  };
  await terminal.press('a');
  const job = only(engine.jobs);
  assert.deepEqual(job.request, { kind: 'archive', fractal_id: fractal.id, fractal_name: 'web' });
  job.emit('job:progress', { rows: 30, total_rows: 100 });
  await terminal.see('archiving 30%');
  await terminal.press('enter');
  await terminal.see('Archiving 30%');
  engine.data.archives = [fakeArchive(1, fractal)];
  job.done({ log_count: 100, size_bytes: 1024 });
  await terminal.see('✓ Completed');
  await terminal.see('100 rows, 1.0 KiB');
});

test('a failure says what, why and what to do, and the log keeps it', async () => {
  await using console = startConsole({ columns: 120, rows: 40 });
  const { terminal, engine } = console;
  await terminal.press('b');
  only(engine.jobs).fail({
    code: 'DUMP_FAILED',
    message: 'pg_dump: out of memory',
    hint: 'Give the container more memory.',
  });
  await terminal.see('Backup: failed: pg_dump: out of memory  Give the container more memory.');
  await terminal.press('5', 'enter');
  await terminal.see(/Why +pg_dump: out of memory/);
  await terminal.see(/What to do +Give the container/);
  await terminal.press('6');
  await terminal.see(/error +Backup: failed/);
  await terminal.press('enter');
  await terminal.see(/What to do +Give the container/);
});

test('a conflict is shown: ours before it starts, another’s when it fails', async () => {
  const engine = new FakeEngine({ fractals: [fakeFractal(1, { name: 'web' })] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('1 fractal');
  await terminal.press('a');
  await terminal.see('archiving');
  await terminal.press('a');
  await terminal.see('web is being archived already');
  const job = only(engine.jobs);
  job.fail({ code: 'BUSY', message: 'Another operation is active on web', hint: 'Wait for it to end.' });
  await terminal.see('Archive web: failed: Another operation is active');
});

test('marked fractals are archived one after another', async () => {
  const engine = new FakeEngine({ fractals: [1, 2, 3].map((seed) => fakeFractal(seed)) });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('3 fractals');
  await terminal.press(' ', ' ');
  await terminal.see('2 marked');
  await terminal.press('a');
  await terminal.see('Archive fractal-1: started');
  assert.equal(engine.jobs.length, 1);
  engine.jobs[0]?.done();
  await terminal.see('Archive fractal-2: started');
  engine.jobs[1]?.done();
  await terminal.see('Archive fractal-2: done');
  assert.equal(engine.jobs.length, 2);
  await terminal.miss('marked');
});

test('retries and warnings are said in words', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('b', '5', 'enter');
  const job = only(engine.jobs);
  job.emit('job:retry', { attempt: 2, wait_ms: 60_000, reason: 'connection refused' });
  await terminal.see(/attempt 2 begins in (59s|1m 00s): connection refused/);
  await terminal.see('! waiting');
  job.emit('job:warning', { message: 'A line is longer than 10 MiB' });
  await terminal.see('1 warning');
  await terminal.see(/! +A line is longer/);
});

test('x asks; neither Enter nor a second x nor keys behind it cancel the job, y does', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  engine.onCancel = () => {};
  await terminal.press('b', '5');
  await terminal.see('1 job');
  const job = only(engine.jobs);
  terminal.type('xy');
  await terminal.see('Cancel this job?');
  await terminal.press('x');
  await terminal.see('Cancel this job?');
  assert.match(terminal.line('n  Keep it running'), /│/);
  await terminal.press('enter');
  await terminal.miss('Cancel this job?');
  await terminal.press('x');
  await terminal.see('Cancel this job?');
  await terminal.press('down', 'enter');
  await terminal.see('Cancel this job?');
  assert.equal(job.cancelAsked, false);
  await terminal.press('y');
  await terminal.see('cancelling');
  assert.equal(job.cancelAsked, true);
  await terminal.press('x');
  await terminal.see('Cannot cancel: it is being cancelled already');
  job.cancelled();
  await terminal.see('Backup: cancelled');
});

test('q leaves at once when nothing runs', async () => {
  await using console = startConsole();
  await console.terminal.see('q quit');
  assert.equal(console.terminal.alternate, true);
  await console.terminal.press('q');
  assert.deepEqual(await console.left, {});
  await console.terminal.settle();
  assert.equal(console.terminal.alternate, false);
  assert.equal(console.terminal.raw, false);
});

test('q asks while a job runs: Enter stays, y cancels and leaves', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('b');
  await terminal.see('Backup: started');
  terminal.type('qy');
  await terminal.see('Quit and cancel 1 running job?');
  await terminal.press('enter');
  await terminal.miss('Quit and cancel');
  assert.equal(only(engine.jobs).cancelAsked, false);
  await terminal.press('q');
  await terminal.see('Quit and cancel');
  await terminal.press('y');
  assert.deepEqual(await console.left, {});
  assert.equal(only(engine.jobs).cancelAsked, true);
});

test('Ctrl-C asks as q does, and means it the second time', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  await terminal.press('b');
  await terminal.see('Backup: started');
  terminal.type('\x03\x03');
  await terminal.see('Quit and cancel');
  assert.equal(only(engine.jobs).cancelAsked, false);
  await terminal.press('ctrl-c');
  assert.deepEqual(await console.left, {});
  assert.equal(only(engine.jobs).cancelAsked, true);
});

test('a flood of events does not flood the terminal', async () => {
  await using console = startConsole({ engine: busyEngine() });
  const { terminal, engine } = console;
  await terminal.press('b', '5');
  await terminal.see('1 job');
  const job = only(engine.jobs);
  const before = terminal.written.length;
  for (let rows = 1; rows <= 50_000; rows++) job.emit('job:progress', { rows, total_rows: 50_000 });
  await terminal.see('100%');
  assert.ok(terminal.written.length - before < 20_000, `${terminal.written.length - before} bytes`);
});

test('leaving while marked fractals wait for their turn starts none of them', async () => {
  const engine = new FakeEngine({ fractals: [1, 2, 3].map((seed) => fakeFractal(seed)) });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('3 fractals');
  await terminal.press(' ', ' ', ' ');
  await terminal.see('3 marked');
  await terminal.press('a');
  await terminal.see('Archive fractal-1: started');
  await terminal.press('q');
  await terminal.see('Quit and cancel');
  await terminal.press('y');
  await console.left;
  assert.equal((await only(engine.jobs).handle.outcome).event, 'job:cancelled');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(engine.jobs.length, 1);
});

test('q leaves at once where the running jobs outlive the console, and cancels none of them', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  engine.lasting = true;
  await terminal.press('b');
  await terminal.see('Backup: started');
  await terminal.press('q');
  assert.deepEqual(await console.left, {});
  assert.equal(only(engine.jobs).cancelAsked, false);
});

test('fractals that wait for their turn would be forgotten: q says so, and what goes on', async () => {
  const engine = new FakeEngine({ fractals: [1, 2].map((seed) => fakeFractal(seed)) });
  engine.lasting = true;
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('2 fractals');
  await terminal.press(' ', ' ');
  await terminal.see('2 marked');
  await terminal.press('a');
  await terminal.see('Archive fractal-1: started');
  await terminal.press('q');
  await terminal.see('Quit, though 1 fractal waits?');
  await terminal.see('1 running job will go on');
  await terminal.press('y');
  await console.left;
  assert.equal(only(engine.jobs).cancelAsked, false);
});

test('what jobs said before the console was opened is shown, and is no news', async () => {
  await using console = startConsole();
  const { terminal, engine } = console;
  engine.start({ kind: 'backup' });
  const job = only(engine.jobs);
  const long = Date.now() - 600_000;
  const by = { user: 'root', sudo_user: 'eve', host: 'logs-1', pid: 4711, from: 'cron' };
  job.emit('job:started', { kind: 'backup', title: 'Backup of old', by }, long);
  job.emit('job:warning', { message: 'an old warning' }, long);
  await terminal.press('5', 'enter');
  await terminal.see(/By +eve as root, cron; process 4711 on logs-1/);
  await terminal.see('an old warning');
  job.emit('job:failed', { error: { code: 'JOB_DIED', message: 'It is gone', hint: 'Again.' } }, long);
  await terminal.see(/died/);
  await terminal.press('6');
  await terminal.miss('an old warning');
  await terminal.miss('It is gone');
});

const DIED = { error: { code: 'JOB_DIED', message: 'It is gone', hint: 'Press c.' } } as const;

test('c goes on with what a dead job left, and shows the job that does', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  const request = { kind: 'archive', fractal_id: 'f1', fractal_name: 'web', split: 'day' } as const;
  const first = engine.start(request);
  only(engine.jobs).emit('job:failed', DIED);
  engine.interrupted.set(first.id, request);
  await terminal.press('5');
  await terminal.see('c continue');
  await terminal.press('c');
  await terminal.see('Jobs › Archive f1');
  await terminal.see(/State +.*running|Phase +starting/);
  assert.deepEqual(
    engine.jobs.map((job) => job.request),
    [request, request],
  );
});

test('c says why it does not go on: the job runs, has ended well, or nothing is left of it', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('b', '5', 'c');
  await terminal.see('Cannot continue: the job has not ended');
  const job = only(engine.jobs);
  job.done({ name: 'x.bifract-backup', size_bytes: 1 });
  await terminal.press('c');
  await terminal.see('Cannot continue: the job ended as it was to');
  engine.start({ kind: 'archive', fractal_id: 'f1', fractal_name: 'web' });
  engine.jobs[1]?.emit('job:failed', DIED);
  await terminal.press('g', 'c');
  await terminal.see('Not gone on with: Nothing is left of it to go on with');
  assert.equal(engine.jobs.length, 2);
});

test('c goes on with an interrupted group and with an archive of it, and not with a whole one', async () => {
  const fractal = fakeFractal(1, { name: 'web' });
  const part = { group_id: 'g1' };
  const engine = new FakeEngine({
    fractals: [fractal],
    archives: [
      fakeArchive(1, fractal, { ...part, period_label: '2026-03-01' }),
      fakeArchive(2, fractal, { ...part, period_label: '2026-03-02', status: 'failed' }),
    ],
  });
  const request = { kind: 'archive', fractal_id: fractal.id, fractal_name: 'web' } as const;
  engine.interrupted.set('g1', request);
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.see('c continue');
  await terminal.press('enter', 'enter', 'c');
  await terminal.see('Cannot continue: the archive is complete');
  await terminal.press('esc', 'c');
  await terminal.see('Jobs › Archive');
  assert.deepEqual(only(engine.jobs).request, request);
});
