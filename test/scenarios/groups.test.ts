import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../helpers/fake-engine.ts';
import { fakeGroup } from '../helpers/fake-group.ts';
import { fakeDeleteItem, fakeDeletePlan } from '../helpers/fake-plans.ts';

const WEB = fakeFractal(1, { name: 'web', archive_split: 'day' });
const DNS = fakeFractal(2, { name: 'dns' });

/** An engine with one archive of a fractal, and a group of three hours of another. */
function engineWithGroup(): FakeEngine {
  const { group, parts } = fakeGroup(WEB, 3);
  return new FakeEngine({ fractals: [WEB, DNS], archives: [...parts, fakeArchive(1, DNS)], groups: [group] });
}

for (const [columns, rows] of [
  [80, 24],
  [140, 40],
] as const) {
  test(`archives of one request are one line, and open as a list, at ${columns}x${rows}`, async () => {
    const engine = engineWithGroup();
    await using console = startConsole({ engine, columns, rows });
    const { terminal } = console;
    await terminal.press('3');
    await terminal.see('2 archives');
    await terminal.see(/web +✓ 3 of 3 +3\.0 MiB +3\.0k .*3 files, 2026-03-01/);
    await terminal.press('/', ...'web', 'enter', 'enter');
    await terminal.see('Archives › web, 2026-03-02 00:00');
    await terminal.see('3 archives');
    await terminal.see(/2026-03-01 00:00 +✓ Completed[\s\S]*2026-03-01 02:00 +✓ Completed/);
    await terminal.press('j', 'enter');
    await terminal.see(/Period +2026-03-01 01:00/);
    await terminal.press('esc');
    await terminal.see('3 archives');
  });
}

test('a group says how far it is, what failed and why, also where it holds nothing', async () => {
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
  await terminal.see(/web +! 2 of 4 .*1 of 4 failed: no/);
  await terminal.see(/dns +· Empty/);
  engine.data.groups = [{ ...group, status: 'in_progress', archive_count: 24 }];
  engine.data.archives = parts;
  await terminal.press('r');
  await terminal.see(/web +\S 3 of 24/);
});

test('what is done with a group is done with all of it: verify, delete, restore', async () => {
  const engine = engineWithGroup();
  const [first, second, third] = engine.data.archives;
  assert.ok(first && second && third);
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('3');
  await terminal.see('2 archives');
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
  await terminal.see('Delete 3 items for good?');
  assert.equal(terminal.text().match(/No archive of web is left/g)?.length, 1, 'it is said once');
  assert.deepEqual(engine.deleteCalls, [[{ kind: 'group', id: first.group_id }]]);
  for (const key of 'delete 3') await terminal.press(key);
  await terminal.press('\x19');
  await terminal.see(/web +\S deleting/);
  await terminal.press('R');
  await terminal.see('Cannot restore: there is no backup and no complete archive here');
  await terminal.press('enter');
  await terminal.see(/01:00 +\S deleting/);
  engine.jobs[1]?.fail({ code: 'PARTLY_DONE', message: '1 of 3 could not be deleted' });
  await terminal.see('✓ Completed');
  await terminal.press('esc', 'R');
  await terminal.see('Step 1 of 5: the archive');
  await terminal.see('3 whole archives');
});

test('A asks into what an archive is cut, a starts with what is set', async () => {
  const engine = new FakeEngine({ fractals: [WEB, DNS] });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('2 fractals');
  await terminal.press('G', 'A');
  await terminal.see('Archive web: how?');
  await terminal.see('d  A file for each day, as it is set');
  await terminal.press('h');
  await terminal.miss('how?');
  const { id, name } = WEB;
  assert.deepEqual(engine.jobs[0]?.request, {
    kind: 'archive',
    fractal_id: id,
    fractal_name: name,
    split: 'hour',
  });
  engine.jobs[0]?.done();
  await terminal.press('A');
  await terminal.see('how?');
  await terminal.press('enter');
  await terminal.miss('how?');
  assert.deepEqual(engine.jobs[1]?.request, {
    kind: 'archive',
    fractal_id: id,
    fractal_name: name,
    split: 'day',
  });
  engine.jobs[1]?.done();
  await terminal.press('A');
  await terminal.see('how?');
  await terminal.press('esc');
  await terminal.miss('how?');
  await terminal.press('a');
  assert.deepEqual(engine.jobs[2]?.request, { kind: 'archive', fractal_id: id, fractal_name: name });
});
