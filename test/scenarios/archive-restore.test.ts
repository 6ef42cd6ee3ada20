import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { fakeReport } from '../helpers/fake-archive.ts';
import { FakeEngine, fakeArchive, fakeArchiveRestorePlan, fakeFractal } from '../helpers/fake-engine.ts';
import type { FakeTerminal } from '../helpers/terminal.ts';

const WEB = fakeFractal(1, { name: 'web' });
const DNS = fakeFractal(2, { name: 'dns' });
const RECORD = fakeArchive(1, WEB, {
  time_range_start: '2026-02-01T00:00:00.000Z',
  time_range_end: '2026-03-01T00:00:00.000Z',
});
const CTRL_Y = '\x19';

/** A console at the first page of the restore of the only archive. */
async function openRestore(size: { columns?: number; rows?: number } = {}) {
  const engine = new FakeEngine({
    fractals: [DNS, WEB],
    archives: [RECORD],
    files: [fakeReport(RECORD)],
    archiveRestore: fakeArchiveRestorePlan({ into: { id: WEB.id, name: 'web' } }),
  });
  const console = startConsole({ engine, ...size });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('1 archive');
  await terminal.press('R');
  await terminal.waitFor('Step 1 of 5');
  await terminal.waitFor(/\bchanged\b/);
  return { console, terminal, engine };
}

async function toRows(terminal: FakeTerminal) {
  await terminal.press('enter');
  await terminal.waitFor('Step 2 of 5');
  await terminal.waitFor(/\bweb\b/);
  await terminal.press('enter');
  await terminal.waitFor('Step 3 of 5');
}

test('the chosen fractal stays chosen when the user goes back', async () => {
  const { console, terminal } = await openRestore();
  await using _ = console;
  await terminal.press('enter');
  await terminal.waitFor('Step 2 of 5');
  await terminal.press('down', 'enter');
  await terminal.waitFor('Step 3 of 5');
  await terminal.press('esc');
  await terminal.waitFor(/\( \) web/);
  await terminal.waitFor(/\(\*\) dns/);
  await terminal.press('esc');
  await terminal.waitFor('Step 1 of 5');
  await terminal.press('enter');
  await terminal.waitFor(/▌ \(\*\) dns/);
});

for (const [columns, rows] of [
  [80, 24],
  [140, 40],
] as const) {
  test(`adding rows takes five steps and Ctrl-Y, never Enter, at ${columns}x${rows}`, async () => {
    const { console, terminal, engine } = await openRestore({ columns, rows });
    await using _ = console;
    await toRows(terminal);
    await terminal.waitFor(/2026-02-01T00:00:00Z\s+\S+\s+2026-03-01T00:00:00Z/);
    await terminal.press('enter');
    await terminal.waitFor('Step 4 of 5');
    await terminal.waitFor(/\(\*\) .*ClickHouse/);
    await terminal.press('enter');
    await terminal.waitFor(/Step 5 of 5[\s\S]*\n▌ /);
    await terminal.waitFor(/\bchanged\b/);
    await terminal.press('enter');
    await terminal.waitFor('Add rows to web?');
    await terminal.press('y', 'enter');
    await terminal.waitUntilGone('Add rows to web?');
    assert.equal(engine.jobs.length, 0);
    await terminal.press('enter');
    await terminal.waitFor('Add rows to web?');
    await terminal.press(CTRL_Y);
    await terminal.waitFor('Jobs › Restore into web');
    const [job] = engine.jobs;
    assert.ok(job?.request.kind === 'restore-archive');
    const { into, from, to, replace, via } = job.request.plan;
    assert.deepEqual(
      { into: into.id, from, to, replace, via },
      { into: WEB.id, from: null, to: null, replace: false, via: 'direct' },
    );
    await terminal.press('2');
    await terminal.waitFor(/web .*\S restoring/);
    await terminal.press('5', 'enter');
    await terminal.waitFor('Restore into web');
    job.done({
      into,
      via,
      files: 1,
      rows_read: 1_000,
      rows_added: 900,
      rows_there: 100,
      rows_removed: 0,
      duration_ms: 5,
    });
    await terminal.waitFor(/Restored +900 rows/);
    await terminal.waitFor(/Already there +100 rows/);
  });
}

test('the plan has the chosen time range, fractal, method and replace; replacing needs the typed name', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  await terminal.press('enter');
  await terminal.waitFor('Step 2 of 5');
  await terminal.press('down', 'enter');
  await terminal.waitFor('Step 3 of 5');
  await terminal.press('down', 'enter', ...'12:00', 'enter');
  await terminal.waitFor(/From.* 2026-02-01T12:00:00Z/);
  await terminal.press('down', 'down', 'enter', ...'2026-01-31', 'enter');
  await terminal.waitFor('The end must be later');
  await terminal.press('\x15', ...'+2h', 'enter');
  await terminal.waitFor(/Until.* 2026-02-01T14:00:00Z/);
  await terminal.press('enter');
  await terminal.waitFor('Step 4 of 5');
  await terminal.press('up', ' ', 'up', ' ');
  await terminal.waitFor(/\[✓\] Replace/);
  await terminal.waitFor(/\(\*\) .*ingest/i);
  await terminal.press('down', 'down', 'enter');
  await terminal.waitFor(/Step 5 of 5[\s\S]*\n▌ /);
  await terminal.press('enter');
  await terminal.waitFor('Replace rows of dns?');
  await terminal.press(CTRL_Y);
  for (const key of 'dns') await terminal.press(key);
  await terminal.press(CTRL_Y);
  await terminal.waitFor('Jobs › Restore into');
  const request = engine.jobs[0]?.request;
  assert.ok(request?.kind === 'restore-archive');
  assert.equal(request.plan.from, '2026-02-01T12:00:00Z');
  assert.equal(request.plan.to, '2026-02-01T14:00:00.000Z');
  assert.equal(request.plan.via, 'ingest');
  assert.equal(request.plan.replace, true);
});

test('an obstacle blocks the plan', async () => {
  const { console, terminal, engine } = await openRestore();
  await using _ = console;
  engine.data.archiveRestore = fakeArchiveRestorePlan({
    obstacles: [{ code: 'BUSY', message: 'The fractal is being archived', hint: 'Wait until it ends.' }],
    notes: ['The archive has no parsed fields.'],
  });
  await toRows(terminal);
  await terminal.press('enter');
  await terminal.waitFor('Step 4 of 5');
  await terminal.press('enter');
  await terminal.waitFor(/✗ .*The fractal is being archived/);
  await terminal.waitFor(/\w +Wait until it ends\./);
  await terminal.waitFor(/! .*The archive has no parsed fields/);
  await terminal.press('enter');
  await terminal.waitFor('Cannot continue: The fractal is being archived');
  assert.equal(engine.jobs.length, 0);
  for (const step of ['Step 4', 'Step 3', 'Step 2', 'Step 1']) {
    await terminal.press('esc');
    await terminal.waitFor(step);
  }
  await terminal.press('esc');
  await terminal.waitFor('1 archive');
});
