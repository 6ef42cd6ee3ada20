import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../../../../src/core/adapters/storage/memory.ts';
import { buildDuePlan } from '../../../../src/core/features/schedule/plan.ts';
import { archiveName, archivePath } from '../../../../src/core/policy/names.ts';
import type { ArchiveRecord, Fractal } from '../../../../src/core/ports/catalog.ts';
import { FakeCatalog, FakeLogs, FRACTAL_ID, fractal } from '../../../helpers/fake-ports.ts';

const SIZE = 3;

/** An installation in memory: each entry of `archives` is an unsplit scheduled archive of that day. */
async function setUp(
  overrides: Partial<Fractal>,
  archives: { day: string; record?: Partial<ArchiveRecord>; file?: boolean }[],
) {
  const catalog = new FakeCatalog();
  catalog.all.splice(0, 1, fractal({ archive_schedule: 'daily', ...overrides }));
  const storage = new MemoryStorage();
  for (const [index, { day, record = {}, file = true }] of archives.entries()) {
    const created_at = `2026-${day}T02:00:00Z`;
    const filename = archiveName(FRACTAL_ID, new Date(created_at));
    const storage_path = archivePath(FRACTAL_ID, filename);
    const archive: ArchiveRecord = {
      id: `archive-${index}`,
      fractal_id: FRACTAL_ID,
      fractal_name: 'web-prod',
      filename,
      storage_type: 'disk',
      storage_path,
      size_bytes: SIZE,
      log_count: 10,
      time_range_start: '2026-01-01T00:00:00Z',
      time_range_end: created_at,
      status: 'completed',
      error_message: null,
      created_by: null,
      created_at,
      archive_type: 'scheduled',
      format_version: 1,
      archive_end_ts: created_at,
      checksum: 'ab',
      group_id: null,
      period_label: null,
      ...record,
    };
    catalog.records.set(archive.id, archive);
    if (file)
      await storage.put(
        storage_path,
        (async function* () {
          yield Buffer.alloc(SIZE);
        })(),
      );
  }
  const logs = new FakeLogs(0);
  const storages = {
    backups: async () => storage,
    archives: async () => storage,
    storageOf: async () => undefined,
  };
  const plan = (now: string, mode?: 'full' | 'incremental') =>
    buildDuePlan({ catalog, logs, storages, now: new Date(now) }, { mode });
  return { plan, catalog, logs };
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
  assert.deepEqual([item?.action, item?.surplus.map(({ id }) => id)], ['skip', ['archive-0']]);
});

test('with max_archives, the default mode is full', async () => {
  const { plan } = await setUp({ max_archives: 2 }, []);
  assert.equal((await plan('2026-03-03T12:00:00Z'))[0]?.mode, 'full');
  assert.equal((await plan('2026-03-03T12:00:00Z', 'incremental'))[0]?.mode, 'incremental');
});

test('an archive whose file is missing or has another size does not count', async () => {
  const days = (last: object) => [{ day: '03-01' }, { day: '03-02' }, { day: '03-03', ...last }];
  const excessIds = async (last: object) => {
    const { plan } = await setUp({ max_archives: 2 }, days(last));
    return (await plan('2026-03-04T12:00:00Z'))[0]?.surplus.map(({ id }) => id);
  };
  assert.deepEqual(await excessIds({}), ['archive-0']);
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
