import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import type { AdoptedArchive, ArchiveResult, Catalog, NewArchive } from '../../src/core/ports/catalog.ts';
import { refuses } from './storage.ts';

const RESULT: ArchiveResult = {
  size_bytes: 5_000_000_000,
  log_count: 7,
  time_range_start: '2026-03-01T00:00:00.001Z',
  time_range_end: '2026-03-01T12:00:00.123456Z',
  checksum: 'ab'.repeat(32),
};

/** What every catalog must do. `fresh` returns one without any records, before each test. */
export function catalogContract(title: string, fresh: () => Promise<Catalog>): void {
  describe(title, () => {
    let catalog: Catalog;
    let fractal_id: string;
    beforeEach(async () => {
      catalog = await fresh();
      fractal_id = await newFractal('web');
    });

    async function newFractal(name: string): Promise<string> {
      const id = randomUUID();
      await catalog.createFractal({ id, name });
      return id;
    }

    async function completed(over: Partial<NewArchive> = {}) {
      const opened = await catalog.openArchive(newArchive(fractal_id, over));
      await catalog.completeArchive(opened.archive_id, RESULT);
      return opened;
    }

    async function archiveOf(archive_id: string) {
      const [archive] = await catalog.archives({ ids: [archive_id] });
      assert.ok(archive, `record ${archive_id}`);
      return archive;
    }

    async function statusOf(archive_id: string) {
      return (await archiveOf(archive_id)).status;
    }

    async function groupOf(group_id: string) {
      const group = (await catalog.groups()).find(({ id }) => id === group_id);
      assert.ok(group, `group ${group_id}`);
      return group;
    }

    const keepFile = async () => undefined;

    test('the version of the server is a number', async () => {
      assert.match(await catalog.serverVersion(), /^\d+\.\d+$/);
    });

    test('a fractal is created with its id and defaults, and never replaces another', async () => {
      const [created, ...others] = await catalog.fractals();
      assert.deepEqual(
        { ...created, created_at: '' },
        {
          id: fractal_id,
          name: 'web',
          description: null,
          is_default: false,
          is_system: false,
          created_at: '',
          log_count: 0,
          size_bytes: 0,
          earliest_log: null,
          latest_log: null,
          retention_days: null,
          archive_schedule: 'never',
          max_archives: null,
          archive_split: 'none',
        },
      );
      assert.deepEqual(others, []);
      const restored_from = {
        fractal_id,
        from: '2026-03-01T00:00:00.001Z',
        to: '2026-03-02T00:00:00.000Z',
      };
      const restored = { id: randomUUID(), name: 'restored' };
      await catalog.createFractal({ ...restored, restored_from });
      const found = (await catalog.fractals()).find(({ id }) => id === restored.id);
      assert.deepEqual([found?.name, found?.retention_days], ['restored', null]);
      await refuses('EXISTS', catalog.createFractal({ id: fractal_id, name: 'x' }));
      await refuses('EXISTS', catalog.createFractal({ id: randomUUID(), name: 'web' }));
    });

    test('an opened archive and its group are in progress and have no creator', async () => {
      const { archive_id, group_id } = await catalog.openArchive(newArchive(fractal_id));
      assert.deepEqual(
        { ...(await archiveOf(archive_id)), created_at: '' },
        {
          ...newArchive(fractal_id),
          id: archive_id,
          fractal_name: 'web',
          size_bytes: 0,
          log_count: 0,
          time_range_start: null,
          time_range_end: null,
          status: 'in_progress',
          error_message: null,
          created_by: null,
          created_at: '',
          format_version: 1,
          checksum: null,
          group_id,
          period_label: null,
        },
      );
      assert.deepEqual(
        { ...(await groupOf(group_id)), created_at: '' },
        {
          id: group_id,
          fractal_id,
          split_granularity: 'none',
          status: 'in_progress',
          error_message: null,
          total_log_count: 0,
          total_size_bytes: 0,
          archive_count: 1,
          completed_count: 0,
          archive_type: 'adhoc',
          created_by: null,
          created_at: '',
        },
      );
    });

    test('the schedule of a fractal is set, and that of a missing one is not', async () => {
      const schedule = { archive_schedule: 'weekly', max_archives: 4, archive_split: 'day' };
      await catalog.setSchedule(fractal_id, schedule);
      const [one] = await catalog.fractals();
      const { archive_schedule, max_archives, archive_split } = one ?? {};
      assert.deepEqual({ archive_schedule, max_archives, archive_split }, schedule);
      await catalog.setSchedule(fractal_id, { ...schedule, archive_schedule: 'never', max_archives: null });
      assert.equal((await catalog.fractals())[0]?.max_archives, null);
      await refuses('NOT_FOUND', catalog.setSchedule(randomUUID(), schedule));
    });

    test('an archive of a missing fractal is not opened', async () => {
      await refuses('NOT_FOUND', catalog.openArchive(newArchive(fractal_id, { fractal_id: randomUUID() })));
      assert.deepEqual([await catalog.archives(), await catalog.groups()], [[], []]);
    });

    test('a fractal has one active operation at a time, and a refused one leaves nothing behind', async () => {
      const done = await completed();
      const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
      await assert.rejects(catalog.openArchive(newArchive(fractal_id)), {
        code: 'BUSY',
        message: new RegExp(`web.*${newArchive(fractal_id).filename}`),
      });
      await refuses('BUSY', catalog.beginRestore(done.archive_id));
      assert.equal((await catalog.groups()).length, 2);
      assert.equal(await statusOf(done.archive_id), 'completed');
      await catalog.completeArchive(archive_id, RESULT);
      await catalog.beginRestore(done.archive_id);
      await assert.rejects(catalog.beginRestore(archive_id), {
        code: 'BUSY',
        message: new RegExp(newArchive(fractal_id).filename),
      });
      await refuses('BUSY', catalog.beginRestore(done.archive_id));
      await refuses('BUSY', catalog.openArchive(newArchive(fractal_id)));
      const other = await newFractal('db');
      await catalog.openArchive(newArchive(fractal_id, { fractal_id: other }));
      await catalog.endRestore({ archive_id: done.archive_id, lines: 1, error: null });
      await catalog.openArchive(newArchive(fractal_id));
    });

    test('only one of several concurrent archives is opened', async () => {
      const outcomes = await Promise.allSettled(
        [1, 2, 3].map(() => catalog.openArchive(newArchive(fractal_id))),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.equal((await catalog.archives()).length, 1);
      assert.equal((await catalog.groups()).length, 1);
    });

    test('a completed archive has the data of its file, and its group is completed', async () => {
      const { archive_id, group_id } = await completed();
      const archive = await archiveOf(archive_id);
      assert.deepEqual({ ...archive, ...RESULT, status: 'completed' }, archive);
      const group = await groupOf(group_id);
      assert.deepEqual(
        [group.status, group.completed_count, group.total_log_count, group.total_size_bytes],
        ['completed', 1, 7, 5_000_000_000],
      );
    });

    test('a failed archive and its group have the error message, and no size', async () => {
      const { archive_id, group_id } = await catalog.openArchive(newArchive(fractal_id));
      await catalog.updateProgress(archive_id, { log_count: 5, size_bytes: 10 });
      await catalog.failArchive(archive_id, 'the disk is full');
      const archive = await archiveOf(archive_id);
      assert.deepEqual(
        [archive.status, archive.error_message, archive.size_bytes, archive.log_count],
        ['failed', 'the disk is full', 0, 0],
      );
      const group = await groupOf(group_id);
      assert.deepEqual(
        [group.status, group.error_message, group.completed_count],
        ['failed', 'the disk is full', 0],
      );
    });

    test('an archive that fails after it was completed keeps its size', async () => {
      const { archive_id } = await completed();
      await catalog.failArchive(archive_id, 'the file is missing');
      const archive = await archiveOf(archive_id);
      assert.deepEqual(
        [archive.status, archive.size_bytes, archive.log_count, archive.checksum],
        ['failed', RESULT.size_bytes, RESULT.log_count, RESULT.checksum],
      );
    });

    test('progress shows in the record of an active archive, and reactivates a failed one with its group', async () => {
      const { archive_id, group_id } = await catalog.openArchive(newArchive(fractal_id));
      await catalog.failArchive(archive_id, 'the server was restarted');
      await catalog.updateProgress(archive_id, { log_count: 3, size_bytes: 4 });
      const archive = await archiveOf(archive_id);
      assert.deepEqual(
        [archive.status, archive.error_message, archive.log_count, archive.size_bytes],
        ['in_progress', null, 3, 4],
      );
      const group = await groupOf(group_id);
      assert.deepEqual([group.status, group.error_message], ['in_progress', null]);
      await catalog.completeArchive(archive_id, RESULT);
      await catalog.updateProgress(archive_id, { log_count: 9, size_bytes: 9 });
      assert.deepEqual(
        [await statusOf(archive_id), (await archiveOf(archive_id)).log_count],
        ['completed', 7],
      );
      await catalog.updateProgress(randomUUID(), { log_count: 1, size_bytes: 1 });
    });

    test('a progress update does not affect another operation that is active by now', async () => {
      const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
      await catalog.failArchive(archive_id, 'no');
      const other = await catalog.openArchive(newArchive(fractal_id));
      await catalog.updateProgress(archive_id, { log_count: 3, size_bytes: 4 });
      const { status, log_count } = await archiveOf(archive_id);
      assert.deepEqual([status, log_count], ['failed', 3]);
      assert.equal(await statusOf(other.archive_id), 'in_progress');
    });

    test('a group collects its periods one after the other and sums up their results', async () => {
      const first = await catalog.openArchive(
        newArchive(fractal_id, { split: 'day', archive_count: 3, period_label: '2026-03-01' }),
      );
      const { group_id } = first;
      const opened = await groupOf(group_id);
      assert.deepEqual([opened.split_granularity, opened.archive_count], ['day', 3]);
      await refuses(
        'BUSY',
        catalog.openArchive(newArchive(fractal_id, { group_id, period_label: '2026-03-02' })),
      );
      await catalog.completeArchive(first.archive_id, RESULT);
      assert.equal((await groupOf(group_id)).status, 'in_progress', 'two periods are missing');
      const id = randomUUID();
      const second = await catalog.openArchive(
        newArchive(fractal_id, { id, group_id, period_label: '2026-03-02' }),
      );
      assert.deepEqual(second, { group_id, archive_id: id });
      assert.equal((await archiveOf(id)).period_label, '2026-03-02');
      await catalog.failArchive(id, 'too many parts');
      assert.equal((await groupOf(group_id)).status, 'in_progress', 'one period is missing');
      await catalog.closeGroup(group_id, { missing: 1, message: 'cancelled' });
      const group = await groupOf(group_id);
      assert.deepEqual(
        [
          group.status,
          group.archive_count,
          group.completed_count,
          group.total_log_count,
          group.error_message,
        ],
        ['partial', 3, 1, 7, 'too many parts'],
      );
      await catalog.deleteArchive(id, keepFile);
      assert.equal((await groupOf(group_id)).status, 'partial', 'a closed group stays closed');
    });

    test('a closed group is completed with all archives, failed with none', async () => {
      const full = await completed({ archive_count: 5 });
      await catalog.closeGroup(full.group_id, { missing: 0, message: null });
      const done = await groupOf(full.group_id);
      assert.deepEqual([done.status, done.archive_count, done.error_message], ['completed', 1, null]);
      const none = await catalog.openArchive(newArchive(fractal_id, { archive_count: 5 }));
      await catalog.failArchive(none.archive_id, 'no');
      await catalog.closeGroup(none.group_id, { missing: null, message: 'cancelled' });
      const failed = await groupOf(none.group_id);
      assert.deepEqual([failed.status, failed.archive_count, failed.error_message], ['failed', 5, 'no']);
      const short = await completed({ archive_count: 5 });
      await catalog.closeGroup(short.group_id, { missing: 1, message: 'cancelled' });
      const partial = await groupOf(short.group_id);
      assert.deepEqual(
        [partial.status, partial.archive_count, partial.error_message],
        ['partial', 2, 'cancelled'],
      );
      await catalog.closeGroup(randomUUID(), { missing: 0, message: null });
    });

    test('a failed archive is reopened once, together with its group', async () => {
      const { archive_id, group_id } = await catalog.openArchive(
        newArchive(fractal_id, { archive_count: 2 }),
      );
      await refuses('BUSY', catalog.reopenArchive(archive_id));
      await catalog.failArchive(archive_id, 'interrupted');
      await catalog.closeGroup(group_id, { missing: null, message: null });
      assert.equal((await groupOf(group_id)).status, 'failed');
      await catalog.reopenArchive(archive_id);
      const archive = await archiveOf(archive_id);
      const group = await groupOf(group_id);
      assert.deepEqual(
        [archive.status, archive.error_message, group.status, group.error_message],
        ['in_progress', null, 'in_progress', null],
      );
      await refuses('BUSY', catalog.reopenArchive(archive_id));
      await catalog.failArchive(archive_id, 'interrupted');
      await catalog.openArchive(newArchive(fractal_id));
      await refuses('BUSY', catalog.reopenArchive(archive_id));
    });

    test('a further archive of a closed group opens the group again', async () => {
      const { archive_id, group_id } = await catalog.openArchive(
        newArchive(fractal_id, { archive_count: 2 }),
      );
      await catalog.failArchive(archive_id, 'interrupted');
      await catalog.closeGroup(group_id, { missing: null, message: null });
      await catalog.openArchive(newArchive(fractal_id, { group_id }));
      const group = await groupOf(group_id);
      assert.deepEqual([group.status, group.error_message], ['in_progress', null]);
    });

    test('an adopted file gets a completed record in its own completed group', async () => {
      const { group_id, archive_id } = await catalog.adoptArchive(adopted());
      const { split: _, ...expected } = adopted();
      assert.deepEqual(await archiveOf(archive_id), {
        ...expected,
        id: archive_id,
        fractal_name: 'web',
        status: 'completed',
        error_message: null,
        created_by: null,
        format_version: 1,
        group_id,
      });
      const group = await groupOf(group_id);
      assert.deepEqual(
        [group.status, group.split_granularity, group.total_log_count, group.total_size_bytes],
        ['completed', 'day', 7, 5_000_000_000],
      );
      assert.deepEqual([group.archive_count, group.completed_count], [1, 1]);
    });

    test('a file is adopted once, and only our own records need no fractal', async () => {
      const results = await Promise.allSettled([1, 2, 3].map(() => catalog.adoptArchive(adopted())));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
      assert.deepEqual(codes, ['EXISTS', 'EXISTS']);
      assert.equal((await catalog.archives()).length, 1);
      assert.equal((await catalog.groups()).length, 1);
      const gone = { fractal_id: randomUUID(), filename: 'gone.bifract-archive' };
      const adopting = catalog.adoptArchive({ ...adopted(), ...gone, fractal_name: 'gone' });
      if ((await catalog.shape()).archives === 'server') return refuses('NOT_FOUND', adopting);
      const { archive_id } = await adopting;
      assert.equal((await archiveOf(archive_id)).fractal_name, 'gone');
      const unnamed = { fractal_id: randomUUID(), filename: 'unnamed.bifract-archive' };
      const other = await catalog.adoptArchive({ ...adopted(), ...unnamed });
      assert.equal((await archiveOf(other.archive_id)).fractal_name, unnamed.fractal_id);
      await catalog.beginRestore(archive_id);
      await catalog.endRestore({ archive_id, lines: 7, error: null });
      assert.equal(await statusOf(archive_id), 'completed');
      assert.equal(await catalog.deleteArchive(archive_id, keepFile), true);
    });

    function adopted(): AdoptedArchive {
      const filename = `${fractal_id}-2026-03-01-20260302-010203.bifract-archive`;
      return {
        ...RESULT,
        fractal_id,
        fractal_name: null,
        filename,
        storage_type: 's3',
        storage_path: `archives/${fractal_id}/${filename}`,
        archive_type: 'adhoc',
        archive_end_ts: '2026-03-01T23:59:59.999Z',
        created_at: '2026-03-02T01:02:03.004Z',
        split: 'day',
        period_label: '2026-03-01',
      };
    }

    test('a dropped archive removes its group unless that has more archives', async () => {
      const single = await catalog.openArchive(newArchive(fractal_id));
      await catalog.dropArchive(single.archive_id);
      assert.deepEqual([await catalog.archives(), await catalog.groups()], [[], []]);
      const { group_id } = await completed({ archive_count: 2 });
      const dropped = await catalog.openArchive(newArchive(fractal_id, { group_id }));
      await catalog.dropArchive(dropped.archive_id);
      const group = await groupOf(group_id);
      assert.deepEqual([group.status, group.archive_count], ['completed', 1]);
    });

    test('deleting an archive removes its file and its group, or nothing', async () => {
      const { archive_id } = await completed();
      const failing = catalog.deleteArchive(archive_id, () => Promise.reject(new Error('disk')));
      await assert.rejects(failing, /disk/);
      assert.equal(await statusOf(archive_id), 'completed');
      const seen: string[] = [];
      const deleted = await catalog.deleteArchive(archive_id, async () => {
        seen.push(await statusOf(archive_id));
      });
      assert.deepEqual(
        [deleted, seen],
        [true, ['completed']],
        'others still see the record while the file is being removed',
      );
      assert.deepEqual([await catalog.archives(), await catalog.groups()], [[], []]);
      const asked = () => Promise.reject(new Error('asked'));
      assert.equal(await catalog.deleteArchive(archive_id, asked), false);
    });

    test('a group with a remaining archive is recounted; a group with archives cannot be deleted', async () => {
      const { archive_id, group_id } = await completed({ archive_count: 2 });
      const other = await catalog.openArchive(newArchive(fractal_id, { group_id }));
      await catalog.completeArchive(other.archive_id, RESULT);
      assert.equal((await groupOf(group_id)).total_log_count, 14);
      await catalog.deleteArchive(archive_id, keepFile);
      const group = await groupOf(group_id);
      assert.deepEqual([group.archive_count, group.total_log_count, group.completed_count], [1, 7, 1]);
      await refuses('BUSY', catalog.deleteGroup(group_id));
      assert.equal(await catalog.deleteGroup(randomUUID()), false);
    });

    test('an active archive cannot be deleted or moved', async () => {
      const location = { storage_type: 's3', storage_path: 'archives/there' } as const;
      const remove = () => Promise.reject(new Error('the file was asked for'));
      const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
      await refuses('BUSY', catalog.deleteArchive(archive_id, remove));
      await refuses('BUSY', catalog.moveArchive(archive_id, location));
      await catalog.completeArchive(archive_id, RESULT);
      await catalog.beginRestore(archive_id);
      await refuses('BUSY', catalog.deleteArchive(archive_id, remove));
      await refuses('BUSY', catalog.moveArchive(archive_id, location));
      await catalog.endRestore({ archive_id, lines: 7, error: null });
      await catalog.moveArchive(archive_id, location);
      const { storage_type, storage_path } = await archiveOf(archive_id);
      assert.deepEqual({ storage_type, storage_path }, location);
    });

    test('a restore sets one archive after the other to restoring, and back to completed', async () => {
      const [one, two] = [(await completed()).archive_id, (await completed()).archive_id];
      await catalog.beginRestore(one);
      await catalog.updateRestore(one, 5);
      assert.equal(await statusOf(one), 'restoring');
      await catalog.beginRestore(two, { archive_id: one, lines: 7, error: null });
      assert.deepEqual([await statusOf(one), await statusOf(two)], ['completed', 'restoring']);
      await catalog.endRestore({ archive_id: two, lines: null, error: 'it broke' });
      assert.equal(await statusOf(two), 'completed');
      await catalog.updateRestore(two, 6);
      assert.equal(await statusOf(two), 'restoring', 'a running restore that the server reset');
    });

    test('the group of an archive that is being restored stays completed', async () => {
      const { archive_id, group_id } = await completed({ archive_count: 2 });
      await catalog.beginRestore(archive_id);
      await catalog.closeGroup(group_id, { missing: 0, message: null });
      assert.equal((await groupOf(group_id)).status, 'completed');
    });

    test('the end of a restore leaves a record alone that has another status by now, or is gone', async () => {
      const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
      await catalog.endRestore({ archive_id, lines: 1, error: null });
      assert.equal(await statusOf(archive_id), 'in_progress');
      await catalog.endRestore({ archive_id: randomUUID(), lines: 1, error: null });
    });

    test('a failed archive cannot be restored or moved', async () => {
      const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
      await catalog.failArchive(archive_id, 'no');
      await refuses('BUSY', catalog.beginRestore(archive_id));
      await refuses('BUSY', catalog.moveArchive(archive_id, { storage_type: 's3', storage_path: 'x' }));
    });

    test('a record that is gone fails with NOT_FOUND', async () => {
      const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
      await catalog.dropArchive(archive_id);
      await refuses('NOT_FOUND', catalog.completeArchive(archive_id, RESULT));
      await refuses('NOT_FOUND', catalog.failArchive(archive_id, 'no'));
      await refuses('NOT_FOUND', catalog.reopenArchive(archive_id));
      await refuses('NOT_FOUND', catalog.beginRestore(archive_id));
      await refuses('NOT_FOUND', catalog.moveArchive(archive_id, { storage_type: 's3', storage_path: 'x' }));
      await catalog.dropArchive(archive_id);
    });

    test('lists newest first, filtered by fractal and by id', async () => {
      const other = await newFractal('db');
      const first = await completed();
      const second = await completed({ fractal_id: other });
      const ids = [first.archive_id, second.archive_id];
      const listed = async (filter?: { fractal_id?: string; ids?: string[] }) =>
        (await catalog.archives(filter)).map(({ id }) => id);
      assert.deepEqual(await listed(), ids.toReversed());
      assert.deepEqual(await listed({ fractal_id: other }), ids.slice(1));
      assert.deepEqual(await listed({ ids: ids.slice(0, 1) }), ids.slice(0, 1));
      assert.deepEqual(await listed({ fractal_id: other, ids: ids.slice(0, 1) }), []);
      assert.deepEqual(await listed({ ids: [] }), []);
      const groups = async (filter?: { fractal_id?: string }) =>
        (await catalog.groups(filter)).map(({ id }) => id);
      assert.deepEqual(await groups(), [second.group_id, first.group_id]);
      assert.deepEqual(await groups({ fractal_id: other }), [second.group_id]);
      const [record] = await catalog.archives({ fractal_id: other });
      assert.equal(record?.fractal_name, 'db');
      const names = (await catalog.fractals()).map(({ name }) => name);
      assert.deepEqual(names, ['db', 'web']);
    });

    test('a record once read does not change', async () => {
      const { archive_id, group_id } = await catalog.openArchive(newArchive(fractal_id));
      const [archive, group] = [await archiveOf(archive_id), await groupOf(group_id)];
      await catalog.completeArchive(archive_id, RESULT);
      await catalog.closeGroup(group_id, { missing: 0, message: null });
      assert.deepEqual([archive.status, group.status], ['in_progress', 'in_progress']);
    });
  });
}

/** An archive to be recorded, with a name and path of its fractal; `over` overrides. */
export function newArchive(fractal_id: string, over: Partial<NewArchive> = {}): NewArchive {
  const filename = `${fractal_id}-20260301-120000.bifract-archive`;
  return {
    fractal_id,
    filename,
    storage_type: 'disk',
    storage_path: `archives/${fractal_id}/${filename}`,
    archive_type: 'adhoc',
    archive_end_ts: '2026-03-01T12:00:00.123Z',
    ...over,
  };
}
