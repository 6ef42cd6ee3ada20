import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';
import { fakeGroup } from '../helpers/fake-group.ts';
import { fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';

const WEB = fakeFractal(1, { name: 'web', archive_split: 'day' });
const DNS = fakeFractal(2, { name: 'dns' });

/** An engine with an archive of one fractal and a group of three hourly archives of another. */
function engineWithGroup(): FakeEngine {
  const { group, parts } = fakeGroup(WEB, 3);
  return new FakeEngine({ fractals: [WEB, DNS], archives: [...parts, fakeArchive(1, DNS)], groups: [group] });
}

for (const [columns, rows] of [
  [80, 24],
  [140, 40],
] as const) {
  test(`a group is one row and opens as a list, at ${columns}x${rows}`, async () => {
    const engine = engineWithGroup();
    await using console = startConsole({ engine, columns, rows });
    const { terminal } = console;
    await terminal.press('3');
    await terminal.waitFor('2 archives');
    await terminal.waitFor(/web +✓ 3 of 3 +3\.0 MiB +3\.0k .*03-01/);
    await terminal.press('/', ...'web', 'enter', 'enter');
    await terminal.waitFor('Archives › web, 2026-03-02 00:00');
    await terminal.waitFor('3 archives');
    await terminal.waitFor(/2026-03-01 00:00 +✓ Completed[\s\S]*2026-03-01 02:00 +✓ Completed/);
    await terminal.press('j', 'enter');
    await terminal.waitFor(/Period +2026-03-01 01:00/);
    await terminal.press('esc');
    await terminal.waitFor('3 archives');
  });
}

test('a group shows its progress, its failure, or that it is empty', async () => {
  const engine = engineWithGroup();
  const { group, parts } = fakeGroup(WEB, 3, {
    status: 'partial',
    error_message: '1 of 4 failed: no memory',
  });
  const failed = parts.map((part, index) =>
    index === 1 ? { ...part, status: 'failed' as const, error_message: 'no memory' } : part,
  );
  const empty = fakeGroup(DNS, 0, { id: '00000000-0000-4000-8000-00000000bbbb' }).group;
  engine.data.archives = failed;
  engine.data.groups = [{ ...group, archive_count: 4 }, empty];
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor(/web +! 2 of 4 .*1 of 4 failed: no/);
  await terminal.waitFor(/dns +· Empty/);
  engine.data.groups = [{ ...group, status: 'in_progress', archive_count: 24 }];
  engine.data.archives = parts;
  await terminal.press('r');
  await terminal.waitFor(/web +\S 3 of 24/);
});

test('verify, delete and restore apply to all archives of a group', async () => {
  const engine = engineWithGroup();
  const [first, second, third] = engine.data.archives;
  assert.ok(first && second && third);
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.waitFor('2 archives');
  await terminal.press('/', ...'web', 'enter', 'v');
  assert.deepEqual(engine.jobs[0]?.request, { kind: 'verify', targets: [first.id, second.id, third.id] });
  engine.jobs[0]?.done({ files: 3, proven: 3, size_bytes: 1, quick: false });

  engine.data.deletion = fakeDeletePlan(
    [first, second, third].map(({ id }) =>
      fakeDeleteItem(fakeBackup(1), {
        kind: 'archive',
        id,
        archive_id: id,
        title: 'Archive of web',
        notes: ['No archive of web is left.'],
      }),
    ),
  );
  await terminal.press('D');
  await terminal.waitFor('Delete 3 archives');
  assert.equal(
    terminal.text().match(/No archive of web is left/g)?.length,
    1,
    'a note of all items is shown once',
  );
  assert.deepEqual(engine.deleteCalls, [[{ kind: 'group', id: first.group_id }]]);
  for (const key of 'delete 3') await terminal.press(key);
  await terminal.press('\x19');
  await terminal.waitFor(/web +\S deleting/);
  await terminal.press('R');
  await terminal.waitFor('Cannot restore');
  await terminal.press('enter');
  await terminal.waitFor(/01:00 +\S deleting/);
  engine.jobs[1]?.fail({ code: 'PARTLY_DONE', message: '1 of 3 could not be deleted' });
  await terminal.waitFor('✓ Completed');
  await terminal.press('esc', 'R');
  await terminal.waitFor('Step 1 of 5');
  await terminal.waitFor(/\b3 .*archives/);
});

test('A asks how to split an archive, a uses the configured split', async () => {
  const engine = new FakeEngine({ fractals: [WEB, DNS] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('2 fractals');
  await terminal.press('G', 'A');
  await terminal.waitFor('Archive "web" as');
  await terminal.waitFor('d  One file per day (current setting)');
  await terminal.press('h');
  await terminal.waitUntilGone('Archive "web" as');
  const { id, name } = WEB;
  assert.deepEqual(engine.jobs[0]?.request, {
    kind: 'archive',
    fractal_id: id,
    fractal_name: name,
    split: 'hour',
  });
  engine.jobs[0]?.done();
  await terminal.press('A');
  await terminal.waitFor('Archive "web" as');
  await terminal.press('enter');
  await terminal.waitUntilGone('Archive "web" as');
  assert.deepEqual(engine.jobs[1]?.request, {
    kind: 'archive',
    fractal_id: id,
    fractal_name: name,
    split: 'day',
  });
  engine.jobs[1]?.done();
  await terminal.press('A');
  await terminal.waitFor('Archive "web" as');
  await terminal.press('esc');
  await terminal.waitUntilGone('Archive "web" as');
  await terminal.press('a');
  assert.deepEqual(engine.jobs[2]?.request, { kind: 'archive', fractal_id: id, fractal_name: name });
});
