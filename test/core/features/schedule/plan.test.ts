import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDue } from '../../../../src/core/features/schedule/plan.ts';
import type { ArchiveRecord, Fractal } from '../../../../src/core/ports/catalog.ts';
import { archiveParts } from '../../../helpers/archive-parts.ts';
import { FRACTAL_ID, fractal } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { addScheduledArchive, SIZE } from '../../../helpers/scheduled-archives.ts';

/** An installation in memory, with a scheduled archive for each entry of `archives`. */
async function setUp(
  overrides: Partial<Fractal>,
  archives: { day: string; record?: Partial<ArchiveRecord>; file?: boolean }[],
) {
  const { parts } = archiveParts(0);
  const { catalog, logs } = parts;
  catalog.all.splice(0, 1, fractal({ archive_schedule: 'daily', ...overrides }));
  const ids: string[] = [];
  for (const one of archives) ids.push((await addScheduledArchive(parts, FRACTAL_ID, one)).id);
  const plan = (now: string, mode?: 'full' | 'incremental') =>
    planDue(fakeServices({ ...parts, now: new Date(now) }), { mode });
  return { plan, catalog, logs, ids };
}

test('schedules depend on records of scheduled archives only', async () => {
  const { plan, catalog } = await setUp({ archive_split: 'day' }, [{ day: '03-01' }]);
  const [item] = await plan('2026-03-01T12:00:00Z');
  assert.deepEqual([item?.action, item?.next], ['skip', '2026-03-02T00:00:00.000Z']);
  const [due] = await plan('2026-03-02T12:00:00Z');
  assert.deepEqual(
    [due?.action, due?.mode, due?.to, due?.split],
    ['archive', 'incremental', '2026-03-02T00:00:00.000Z', 'day'],
  );
  const [full] = await plan('2026-03-02T12:00:00Z', 'full');
  assert.deepEqual([full?.mode, full?.to], ['full', null]);
  for (const record of catalog.records.values()) record.archive_type = 'adhoc';
  assert.equal((await plan('2026-03-01T12:00:00Z'))[0]?.action, 'archive', 'manual archives do not count');
});

test('a fractal without a schedule is listed only if it has archives in excess', async () => {
  const archives = [{ day: '03-01' }, { day: '03-02' }];
  assert.deepEqual(
    await (await setUp({ archive_schedule: 'never' }, archives)).plan('2026-03-03T12:00:00Z'),
    [],
  );
  const limited = await setUp({ archive_schedule: 'never', max_archives: 1 }, archives);
  const [item] = await limited.plan('2026-03-03T12:00:00Z');
  assert.deepEqual([item?.action, item?.surplus.map(({ id }) => id)], ['skip', limited.ids.slice(0, 1)]);
});

test('with max_archives, the default mode is full', async () => {
  const { plan } = await setUp({ max_archives: 2 }, []);
  assert.equal((await plan('2026-03-03T12:00:00Z'))[0]?.mode, 'full');
  assert.equal((await plan('2026-03-03T12:00:00Z', 'incremental'))[0]?.mode, 'incremental');
});

test('an archive whose file is missing or has another size does not count', async () => {
  const days = (last: object) => [{ day: '03-01' }, { day: '03-02' }, { day: '03-03', ...last }];
  const excessIds = async (last: object) => {
    const { plan, ids } = await setUp({ max_archives: 2 }, days(last));
    return (await plan('2026-03-04T12:00:00Z'))[0]?.surplus.map(({ id }) => ids.indexOf(id));
  };
  assert.deepEqual(await excessIds({}), [0]);
  assert.deepEqual(await excessIds({ file: false }), []);
  assert.deepEqual(await excessIds({ record: { size_bytes: SIZE + 1 } }), []);
  assert.deepEqual(await excessIds({ record: { status: 'failed' } }), []);
});

test('an archive that alone protects rows in ClickHouse is kept, with the reason', async () => {
  const narrower = { time_range_start: '2026-03-02T00:00:00Z' };
  const { plan, logs } = await setUp({ max_archives: 1 }, [
    { day: '03-01' },
    { day: '03-02', record: narrower },
  ]);
  const [expired] = await plan('2026-03-04T12:00:00Z');
  assert.deepEqual(
    expired?.surplus.map(({ action }) => action),
    ['delete'],
    'its rows have expired',
  );
  logs.counts = [5];
  const [item] = await plan('2026-03-04T12:00:00Z');
  assert.deepEqual(
    item?.surplus.map(({ action, reason }) => [action, /\b5\b/.test(reason ?? '')]),
    [['keep', true]],
  );
});
