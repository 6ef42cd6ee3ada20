import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJobStore, type JobEvent, type KnownJob } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine } from '../helpers/fake-engine.ts';

const DAY = 86_400_000;

/** A job that ended some days ago: it took 100 seconds, twice as fast in the second half. */
function endedJob(id: string, days: number, more: JobEvent[] = []): KnownJob {
  const store = createJobStore({ interval_ms: 0 });
  const from = Date.now() - days * DAY;
  const at = (seconds: number) => ({ job: id, time: new Date(from + seconds * 1_000).toISOString() });
  store.apply({ event: 'job:started', ...at(0), kind: 'archive', title: `Archive of ${id}` });
  store.apply({ event: 'job:phase', ...at(1), phase: 'Archiving' });
  for (let seconds = 0; seconds <= 100; seconds++) {
    const rows = seconds * 1_000 + Math.max(0, seconds - 50) * 1_000;
    store.apply({ event: 'job:progress', ...at(seconds), rows, total_rows: 150_000 });
  }
  for (const event of more) store.apply({ ...event, ...at(90) });
  store.apply({ event: 'job:warning', ...at(99), message: 'A line was long' });
  store.apply({ event: 'job:done', ...at(100), result: { log_count: 150_000, size_bytes: 2_048 } });
  return { ...(store.snapshot()[0] ?? assert.fail()), live: false, unsettled: false };
}

function item(count: number, ok = true): JobEvent {
  const error = ok ? {} : { error: { code: 'DAMAGED', message: 'damaged', hint: 'Copy it.' } as const };
  return {
    event: 'job:item',
    job: '',
    time: '',
    item: `file-${count}`,
    ok,
    message: `message ${count}`,
    ...error,
  };
}

test('jobs of earlier days are listed below those of this console, with duration, average rate and age', async () => {
  const engine = new FakeEngine();
  engine.history = [endedJob('older', 60), endedJob('old', 3)];
  await using console = startConsole({ engine });
  const { terminal } = console;
  engine.start({ kind: 'backup' });
  await terminal.press('5');
  await terminal.waitFor('3 jobs');
  await terminal.waitFor(/old +✓ done +1m 40s [▁-█]+ +1\.5k rows\/s {2,}2d ago/);
  const lines = terminal.text().split('\n');
  const at = (text: string) => lines.findIndex((line) => line.includes(text));
  assert.ok(at('Backup') < at('Archive of old ') && at('Archive of old ') < at('Archive of older'));
});

test('the page of a job shows its average rate and its rate over time, its newest items on a line each, and its log', async () => {
  const engine = new FakeEngine();
  engine.history = [endedJob('old', 3, [item(1), item(2, false), item(3)])];
  await using console = startConsole({ engine, rows: 50 });
  const { terminal } = console;
  await terminal.press('5');
  await terminal.waitFor('1 job');
  await terminal.press('enter');
  await terminal.waitFor(/Average +1\.5k rows\/s +[▁-█]{20,}/);
  const [, bars = ''] = /Average.* ([▁-█]+)/.exec(terminal.text()) ?? [];
  const height = (bar: string | undefined) => '▁▂▃▄▅▆▇█'.indexOf(bar ?? '');
  assert.equal(height(bars.at(-2)), 7);
  assert.ok(height(bars[2]) >= 3 && height(bars[2]) <= 4, bars);
  await terminal.waitFor(/took 1m 40s, ended \d{4}-\d\d-\d\d \d\d:\d\d/);
  const items = [...terminal.text().matchAll(/(\S) file-(\d) +message \2/g)].map(
    ([, mark, name]) => `${mark}${name}`,
  );
  assert.deepEqual(items, ['✓3', '✗2', '✓1']);
  await terminal.waitFor(/What to do +Copy it\./);
  await terminal.waitFor(/\d\d:\d\d:\d\d +Archiving/);
  await terminal.waitFor(/\d\d:\d\d:\d\d +A line was long/);
  await terminal.waitFor(/\d\d:\d\d:\d\d +Done/);
});

test('the items of a job are one line of the message log, and a failure is also shown at once', async () => {
  await using console = startConsole({ columns: 118 });
  const { terminal, engine } = console;
  engine.start({ kind: 'verify', targets: 'all' });
  const [job] = engine.jobs;
  const emit = (one: JobEvent) => {
    const { job: _, time: __, ...payload } = one as Extract<JobEvent, { event: 'job:item' }>;
    job?.emit('job:item', payload);
  };
  for (let count = 1; count <= 30; count++) emit(item(count));
  emit(item(31, false));
  await terminal.waitFor(/1 of 31 items failed: message 31 \(file-31\) +Copy it/);
  emit(item(32));
  await terminal.press('6');
  await terminal.waitFor(/error +Verification of all files, 1 of 32 items failed; newest: message 32/);
  const lines = terminal.text().split('\n');
  assert.equal(lines.filter((line) => /^[▌ ] \d\d:\d\d:\d\d .*message/.test(line)).length, 1);
});
