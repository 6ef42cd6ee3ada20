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

/** A console on the orphans given, shown. */
async function openOrphans(
  orphans: Orphan[],
  size: { columns?: number; rows?: number; readOnly?: boolean } = {},
) {
  const engine = new FakeEngine({ orphans });
  const console = startConsole({ engine, ...size });
  await console.terminal.press('7');
  await console.terminal.see(`${orphans.length} orphan`);
  return { console, terminal: console.terminal, engine };
}

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
] as const) {
  test(`orphans are listed with what can be done, at ${columns}x${rows}`, async () => {
    const all = [fakeOrphan('file', 1), fakeOrphan('record', 2), fakeOrphan('leftover', 3)];
    all.push(
      fakeOrphan('leftover', 4, { title: 'Unfinished file, perhaps of another machine', actions: [] }),
    );
    const { console, terminal } = await openOrphans(all, { columns, rows });
    await using _ = console;
    await terminal.see(/file +Archive file without a re.* a adopt/);
    await terminal.see(/record +Record whose file is miss.* c mark failed/);
    await terminal.see(/leftover +Unfinished file of a run.* c remove/);
    await terminal.see(/leftover +Unfinished file, perhaps .* nothing yet/);
    await terminal.press('enter');
    await terminal.see('a gives the file a record');
    await terminal.press('c');
    await terminal.see('Cannot clean: nothing chosen can be cleaned up; files are never deleted here');
  });
}

test('an installation without orphans says so, and is asked only when the screen is shown', async () => {
  const engine = new FakeEngine();
  await using console = startConsole({ engine });
  await console.terminal.see('never: b makes one now');
  const before = engine.queries;
  await console.terminal.press('7');
  await console.terminal.see('Nothing is lost');
  assert.equal(engine.queries, before + 1);
});

test('removing for good wants the word typed, and never takes Enter for yes', async () => {
  const leftovers = [fakeOrphan('leftover', 3), fakeOrphan('leftover', 4)];
  const { console, terminal, engine } = await openOrphans([fakeOrphan('file', 1), ...leftovers]);
  await using _ = console;
  await terminal.press('j', ' ', ' ');
  await terminal.see('2 marked');
  terminal.type('c\r\x19y');
  await terminal.see('Remove 2 leftovers for good?');
  await terminal.see(/remove +28\.6 MiB +3d +archives +f3-2026/);
  await terminal.see(/remove +38\.1 MiB +4d +archives +f4-2026/);
  await terminal.see('Kept: every finished file, 1 file without a record.');
  assert.equal(engine.jobs.length, 0, 'keys behind the one that asked are dropped');
  await terminal.press('\x19', 'c', 'y');
  await terminal.see('to make it possible: cy_');
  await terminal.press('down', 'enter');
  await terminal.see('Remove 2 leftovers for good?');
  await terminal.press('up', 'enter');
  await terminal.miss('for good?');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('c');
  await terminal.see('for good?');
  for (const key of 'remove 2') await terminal.press(key);
  await terminal.see('to make it possible: remove 2_');
  await terminal.press('enter');
  await terminal.see('Nothing was done: Enter takes the safe way');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('c');
  await terminal.see('for good?');
  for (const key of 'remove 2') await terminal.press(key);
  // What is on the screen is what is executed, whatever the list says by then.
  engine.data.orphans = [];
  await terminal.press('\x19');
  await terminal.see('deleting');
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'clean', orphans: leftovers });
  await terminal.miss('marked');
  engine.jobs[0]?.done({ leftovers_removed: 2, records_failed: 0 });
  await terminal.see(/done, 2 leftovers removed, in \d+s/);
  await terminal.see('Nothing is lost');
});

test('a record is marked as failed by its own key only; nothing is removed by that', async () => {
  const record = fakeOrphan('record', 2);
  const { console, terminal, engine } = await openOrphans([record]);
  await using _ = console;
  await terminal.press('c');
  await terminal.see('Mark 1 record as failed?');
  await terminal.see('no file is touched by that');
  await terminal.press('c', 'enter');
  await terminal.miss('as failed?');
  assert.equal(engine.jobs.length, 0);
  await terminal.press('c');
  await terminal.see('Mark 1 record');
  await terminal.press('y');
  await terminal.see('being marked');
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'clean', orphans: [record] });
});

test('a long list of targets can be scrolled, all of it', async () => {
  const many = Array.from({ length: 40 }, (_, index) => fakeOrphan('leftover', index + 1));
  const { console, terminal } = await openOrphans(many);
  await using _ = console;
  for (let row = 0; row < 40; row++) await terminal.press(' ');
  await terminal.see('40 marked');
  await terminal.press('c');
  await terminal.see('Remove 40 leftovers for good?');
  await terminal.see(/1 to \d+ of 40: PgUp and PgDn/);
  const names = () => [...terminal.text().matchAll(/ f\d+-2026/g)].map(([name]) => name);
  const seen = new Set(names());
  for (let top = 0; seen.size < 40; ) {
    assert.ok(top < 40, 'the end is reached');
    await terminal.press('pgdn');
    await terminal.miss(` ${top + 1} to `);
    top = Number(/(\d+) to \d+ of 40/.exec(terminal.text())?.[1]) - 1;
    for (const name of names()) seen.add(name);
  }
  await terminal.see('to 40 of 40');
});

test('on a terminal too small to show the targets, the question cannot be answered', async () => {
  const { console, terminal, engine } = await openOrphans([fakeOrphan('record', 2)]);
  await using _ = console;
  await terminal.press('c');
  await terminal.see('Mark 1 record');
  terminal.resize(40, 8);
  await terminal.see('Too small to show');
  await terminal.press('y', 'esc');
  await terminal.see('have 40x8');
  assert.equal(engine.jobs.length, 0);
});

test('adopting shows the plan first, and executes the very plan that was shown', async () => {
  const [one, two] = [fakeOrphan('file', 1), fakeOrphan('file', 2)];
  const { console, terminal, engine } = await openOrphans([one, two], { columns: 120, rows: 40 });
  await using _ = console;
  const lost = adoptItem(two, { fractal_known: false, action: 'skip', reason: 'Its fractal is gone' });
  const plan = { items: [adoptItem(one), lost] };
  engine.data.adoptable = plan;
  await terminal.press(' ', ' ', 'a');
  await terminal.see('Give 1 file a record?');
  await terminal.see(/✓ fractal-1 .* 1\.2k rows +2026-02-01 to 2026-03-01/);
  await terminal.see(/✗ fractal-2 .* f2-2026/);
  await terminal.see(/not adopted: Its fractal is gone/);
  await terminal.press('a', 'enter');
  await terminal.miss('a record?');
  assert.equal(engine.jobs.length, 0);

  await terminal.press('a');
  await terminal.see('f  Plan again, making the missing fractals anew');
  const anew = { items: [adoptItem(one), { ...lost, action: 'adopt' as const, create_fractal: true }] };
  engine.data.adoptable = anew;
  await terminal.press('f');
  await terminal.see('Give 2 files a record?');
  await terminal.see('Made anew: fractal fractal-2.');
  assert.deepEqual(
    engine.adoptCalls.map(({ create_fractals }) => create_fractals),
    [false, false, true],
  );
  assert.deepEqual(engine.adoptCalls[2]?.files, [one.id, two.id]);
  await terminal.press('y');
  await terminal.see('being adopted');
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'adopt', plan: anew });
  engine.data.orphans = [];
  engine.jobs[0]?.done({ adopted: [{}, {}], skipped: 0, fractals_created: ['f'] });
  await terminal.see('done, 2 files adopted');
  await terminal.see('Nothing is lost');
});

test('the plan of who has gone elsewhere does not interrupt', async () => {
  const { console, terminal, engine } = await openOrphans([fakeOrphan('file', 1)]);
  await using _ = console;
  const gate = Promise.withResolvers<void>();
  engine.gate = gate.promise;
  await terminal.press('a', '1');
  await terminal.see('Protection');
  gate.resolve();
  await terminal.see('The adoption was not begun');
  assert.doesNotMatch(terminal.text(), /a record\?/);
});

test('the rows of a file without a record can be read', async () => {
  const orphan = fakeOrphan('file', 1);
  const { console, terminal, engine } = await openOrphans([orphan]);
  await using _ = console;
  engine.data.browsable[orphan.id] = new FakeArchive({ count: 10 });
  await terminal.press('o');
  await terminal.see('row 1 of 10');
});

test('a read-only console shows orphans and touches none', async () => {
  const { console, terminal, engine } = await openOrphans(
    [fakeOrphan('file', 1), fakeOrphan('leftover', 2)],
    {
      readOnly: true,
    },
  );
  await using _ = console;
  await terminal.press('a');
  await terminal.see('Cannot adopt: this console is read-only');
  await terminal.press('c');
  await terminal.see('Cannot clean: this console is read-only');
  assert.doesNotMatch(terminal.text(), /c remove/);
  assert.equal(engine.jobs.length, 0);
});
