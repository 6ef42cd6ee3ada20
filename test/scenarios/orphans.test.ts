import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdoptItem, Orphan } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeArchive, fakeOrphan } from '../helpers/fake-archive.ts';
import { FakeEngine } from '../helpers/fake-engine.ts';

function adoptItem(orphan: Orphan, given: Partial<AdoptItem> = {}): AdoptItem {
  return {
    path: orphan.id,
    size_bytes: orphan.size_bytes,
    fractal: { id: 'f', name: orphan.fractal_name },
    fractal_known: true,
    create_fractal: false,
    archive_id: null,
    rows: 1_234,
    first: '2026-02-01T00:00:00Z',
    last: '2026-03-01T00:00:00Z',
    period: null,
    split: 'none',
    created_at: '2026-03-01T00:00:00Z',
    action: 'adopt',
    reason: '',
    ...given,
  };
}

/** A console that shows the orphans. */
async function openOrphans(
  orphans: Orphan[],
  size: { columns?: number; rows?: number; readOnly?: boolean } = {},
) {
  const engine = new FakeEngine({ orphans });
  const console = startConsole({ engine, ...size });
  await console.terminal.press('7');
  await console.terminal.waitFor(`${orphans.length} orphan`);
  return { console, terminal: console.terminal, engine };
}

/** As many rows of the list are selected. */
const selected = (count: number) => (lines: readonly string[]) =>
  lines.filter((line) => /^[▌ ]●/.test(line)).length === count;

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`orphans are listed with their actions, at ${columns}x${rows}`, async () => {
    const all = [fakeOrphan('file', 1), fakeOrphan('record', 2), fakeOrphan('leftover', 3)];
    all.push(
      fakeOrphan('leftover', 4, { title: 'Unfinished file, perhaps of another machine', actions: [] }),
    );
    const { console, terminal } = await openOrphans(all, { columns, rows });
    await using _ = console;
    await terminal.waitFor(/file .* 9\.5 MiB .* adopt/);
    await terminal.waitFor(/record .* 19\.1 MiB .* mark/);
    await terminal.waitFor(/ 28\.6 MiB .* delete/);
    assert.doesNotMatch(terminal.line('38.1 MiB'), / (adopt|mark as failed|delete)/);
    await terminal.press('enter');
    await terminal.waitFor(/› f1-2026/);
    await terminal.press('c');
    await terminal.waitFor('Cannot clean up');
  });
}

test('orphans are loaded only when their screen is shown', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  await console.terminal.waitFor('✓');
  const before = engine.queries;
  await console.terminal.press('7');
  await console.terminal.waitFor('0 orphans');
  assert.equal(engine.queries, before + 1);
});

test('deleting unfinished files needs the typed word and Ctrl-Y, never Enter', async () => {
  const leftovers = [fakeOrphan('leftover', 3), fakeOrphan('leftover', 4)];
  const { console, terminal, engine } = await openOrphans([fakeOrphan('file', 1), ...leftovers]);
  await using _ = console;
  await terminal.press('j', ' ', ' ');
  await terminal.waitFor(selected(2));
  terminal.type('c\r\x19y');
  await terminal.waitFor('Delete 2 unfinished files?');
  await terminal.waitFor(/ 28\.6 MiB +3d .*f3-2026/);
  await terminal.waitFor(/ 38\.1 MiB +4d .*f4-2026/);
  await terminal.waitFor(/Kept: .*\b1 file\b/);
  assert.equal(engine.jobs.length, 0, 'keys typed before the dialog are dropped');
  await terminal.press('\x19', 'c', 'y');
  await terminal.waitFor(/: cy_/);
  await terminal.press('down', 'enter');
  await terminal.waitFor('Delete 2 unfinished files?');
  await terminal.press('up', 'enter');
  await terminal.waitUntilGone('unfinished files?');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('c');
  await terminal.waitFor('unfinished files?');
  for (const key of 'delete 2') await terminal.press(key);
  await terminal.waitFor(': delete 2_');
  await terminal.press('enter');
  await terminal.waitFor('Cancelled. To confirm');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('c');
  await terminal.waitFor('unfinished files?');
  for (const key of 'delete 2') await terminal.press(key);
  // The items of the dialog are executed, even if the list has changed.
  engine.data.orphans = [];
  await terminal.press('\x19');
  await terminal.waitFor(/\S deleting/);
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'clean', orphans: leftovers });
  await terminal.waitFor(selected(0));
  engine.jobs[0]?.done({ leftovers_removed: 2, records_failed: 0 });
  await terminal.waitFor(/done: 2 .* in (<1|\d+)s/);
  await terminal.waitFor('0 orphans');
});

test('marking a record as failed needs its own key, and deletes nothing', async () => {
  const record = fakeOrphan('record', 2);
  const { console, terminal, engine } = await openOrphans([record]);
  await using _ = console;
  await terminal.press('c');
  await terminal.waitFor('Mark 1 record as failed?');
  await terminal.press('c', 'enter');
  await terminal.waitUntilGone('as failed?');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('c');
  await terminal.waitFor('Mark 1 record');
  await terminal.press('y');
  await terminal.waitFor(/\S marking/);
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'clean', orphans: [record] });
});

test('a long list of targets can be scrolled to its end', async () => {
  const many = Array.from({ length: 40 }, (_, index) => fakeOrphan('leftover', index + 1));
  const { console, terminal } = await openOrphans(many);
  await using _ = console;
  for (let row = 0; row < 40; row++) await terminal.press(' ');
  await terminal.waitFor(/\b40 [a-z]+ed\b/);
  await terminal.press('c');
  await terminal.waitFor('Delete 40 unfinished files?');
  await terminal.waitFor(/ 1\D+\d+ of 40/);
  const names = () => [...terminal.text().matchAll(/ f\d+-2026/g)].map(([name]) => name);
  const seen = new Set(names());
  for (let page = 0; seen.size < 40; page++) {
    assert.ok(page < 40, `only ${seen.size} of 40 targets were shown`);
    const before = String(names());
    await terminal.press('pgdn');
    await terminal.waitFor(() => String(names()) !== before);
    for (const name of names()) seen.add(name);
  }
  await terminal.waitFor('40 of 40');
});

test('a dialog cannot be confirmed on a terminal too small to show its items', async () => {
  const { console, terminal, engine } = await openOrphans([fakeOrphan('record', 2)]);
  await using _ = console;
  await terminal.press('c');
  await terminal.waitFor('Mark 1 record');
  terminal.resize(40, 8);
  await terminal.waitFor(/small/i);
  await terminal.press('y', 'esc');
  await terminal.waitFor('40x8');
  assert.equal(engine.jobs.length, 0);
});

test('adopting shows the plan first, and executes exactly that plan', async () => {
  const [one, two] = [fakeOrphan('file', 1), fakeOrphan('file', 2)];
  const { console, terminal, engine } = await openOrphans([one, two], { columns: 120, rows: 40 });
  await using _ = console;
  const lost = adoptItem(two, {
    fractal_known: false,
    action: 'skip',
    reason: 'Its fractal '.concat('is not in the database and '.repeat(5), 'no such fractal'),
  });
  const plan = { items: [adoptItem(one), lost] };
  engine.data.adoptable = plan;
  await terminal.press(' ', ' ', 'a');
  await terminal.waitFor('Create the record of 1 file?');
  await terminal.waitFor(/✓ fractal-1 .* 1\.2k rows +2026-02-01 .*2026-03-01/);
  await terminal.waitFor(/✗ fractal-2 .* f2-2026/);
  await terminal.waitFor('no such fractal');
  await terminal.press('a', 'enter');
  await terminal.waitUntilGone('Create the record');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('a');
  await terminal.waitFor('f  Plan again');
  const replanned = { items: [adoptItem(one), { ...lost, action: 'adopt' as const, create_fractal: true }] };
  engine.data.adoptable = replanned;
  await terminal.press('f');
  await terminal.waitFor('Create the records of 2 files?');
  await terminal.waitFor('fractal fractal-2');
  assert.deepEqual(
    engine.adoptCalls.map(({ create_fractals }) => create_fractals),
    [false, false, true],
  );
  assert.deepEqual(engine.adoptCalls[2]?.files, [one.id, two.id]);
  await terminal.press('y');
  await terminal.waitFor(/\S adopting/);
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'adopt', plan: replanned });
  engine.data.orphans = [];
  engine.jobs[0]?.done({ adopted: [{}, {}], skipped: 0, fractals_created: ['f'] });
  await terminal.waitFor(/done: 2 files/);
  await terminal.waitFor('0 orphans');
});

test('a plan does not open its dialog after the user has left the screen', async () => {
  const { console, terminal, engine } = await openOrphans([fakeOrphan('file', 1)]);
  await using _ = console;
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  await terminal.press('a', '1');
  await terminal.waitFor('Last backup');
  gate.resolve();
  await terminal.waitFor('Adoption not started');
  assert.doesNotMatch(terminal.text(), /Create the record/);
});

test('the rows of a file without a record can be browsed', async () => {
  const orphan = fakeOrphan('file', 1);
  const { console, terminal, engine } = await openOrphans([orphan]);
  await using _ = console;
  engine.data.browsable[orphan.id] = new FakeArchive({ count: 10 });
  await terminal.press('o');
  await terminal.waitFor('row 1 of 10');
});

test('a read-only console shows orphans without their actions', async () => {
  const { console, terminal, engine } = await openOrphans(
    [fakeOrphan('file', 1), fakeOrphan('leftover', 2)],
    {
      readOnly: true,
    },
  );
  await using _ = console;
  await terminal.press('a');
  await terminal.waitFor('Cannot adopt: the console is read-only');
  await terminal.press('c');
  await terminal.waitFor('Cannot clean up: the console is read-only');
  assert.doesNotMatch(terminal.text(), / (adopt|mark as failed|delete)/);
  assert.equal(engine.jobs.length, 0);
});
