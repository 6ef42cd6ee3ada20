import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../../../src/core/adapters/memory-storage.ts';
import type { DeletePlan, DeleteTarget } from '../../../src/core/deletion.ts';
import { BifractError, cancelled } from '../../../src/core/errors.ts';
import { writeBackup } from '../../../src/core/format/index.ts';
import { deletePlanned } from '../../../src/core/jobs/delete.ts';
import { planDelete } from '../../../src/core/jobs/plan-delete.ts';
import { recover } from '../../../src/core/jobs/recover.ts';
import { backupName } from '../../../src/core/policy/names.ts';
import type { ArchiveRestoreJournal } from '../../../src/core/ports/archive-restore-journal.ts';
import type { ArchiveRecord } from '../../../src/core/ports/catalog.ts';
import { refuses } from '../../contracts/storage.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, fractal, jobContext } from '../../helpers/fake-ports.ts';
import { KEY, OTHER_KEY } from '../../helpers/sealed.ts';
import { inPieces } from '../../helpers/streams.ts';
import { recordOf } from '../../helpers/targets.ts';

const MANIFEST = { version: '1', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: {} };
const NOTE = { id: 'job-9', started_at: '2026-03-01T00:00:00Z' };

type SetUp = ReturnType<typeof setUp>;

function setUp() {
  const archives = new MemoryStorage();
  const backups = new MemoryStorage();
  const catalog = new FakeCatalog();
  const state = new FakeState();
  const storages = {
    backups: async () => backups,
    archives: async () => archives,
    stored: async () => undefined,
  };
  const deps = {
    storages,
    catalog: async () => catalog,
    keys: async () => [KEY],
    state,
    now: new Date('2026-03-31T12:00:00Z'),
    id: 'plan-1',
  };
  return { archives, backups, catalog, state, deps };
}

/** A record and its file. */
async function addArchive(
  { archives, catalog }: SetUp,
  day: number,
  given: Partial<ArchiveRecord> = {},
): Promise<ArchiveRecord> {
  const filename = `${FRACTAL_ID}-202603${String(day).padStart(2, '0')}-120000.bifract-archive`;
  const record = recordOf({
    id: `aaaaaaaa-0000-4000-8000-0000000000${String(day).padStart(2, '0')}`,
    filename,
    storage_path: `archives/${FRACTAL_ID}/${filename}`,
    ...given,
  });
  catalog.records.set(record.id, record);
  await archives.put(record.storage_path, inPieces(Buffer.from('whatever it holds'), 100));
  return record;
}

async function addBackup(
  { backups }: SetUp,
  day: number,
  { key = KEY, reason }: { key?: typeof KEY; reason?: string } = {},
): Promise<string> {
  const name = backupName(new Date(Date.UTC(2026, 2, day)));
  const dump = inPieces(Buffer.from('PGDMP'), 5);
  await backups.put(name, writeBackup(MANIFEST, dump, { key, head: { tool: 'test', reason } }).bytes);
  return name;
}

function plan({ deps }: SetUp, kind: DeleteTarget['kind'], ids: string[], options = {}): Promise<DeletePlan> {
  const targets = ids.map((id) => ({ kind, id }));
  return planDelete(deps, targets, options);
}

function fates({ items }: DeletePlan) {
  return items.map(({ id, action, refusal }) => [id, action, refusal?.code]);
}

async function names(storage: MemoryStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
}

test('an archive goes with its record, and the plan says what is left', async () => {
  const under = setUp();
  const [first, second] = [await addArchive(under, 1), await addArchive(under, 2)];
  const planned = await plan(under, 'archive', [first.id]);
  assert.deepEqual(fates(planned), [[first.id, 'delete', undefined]]);
  assert.equal(planned.freed_bytes, 17);
  assert.ok(Object.isFrozen(planned) && Object.isFrozen(planned.items[0]));
  const summary = await deletePlanned(under.deps, planned, jobContext());
  assert.deepEqual([summary.deleted, summary.freed_bytes], [1, 17]);
  assert.deepEqual([...under.catalog.records.keys()], [second.id]);
  assert.deepEqual(await names(under.archives), [second.storage_path]);
  assert.equal(under.state.notes.size, 0);
  const last = await plan(under, 'archive', [second.id]);
  assert.match(last.items[0]?.notes.join() ?? '', /No archive of web-prod is left/);
});

test('what retention has removed from ClickHouse is told to be the only copy', async () => {
  const under = setUp();
  under.catalog.all[0] = fractal({ earliest_log: '2026-03-20T00:00:00Z' });
  const range = { time_range_start: '2026-03-01T00:00:00Z', time_range_end: '2026-03-02T00:00:00Z' };
  const { id } = await addArchive(under, 1, range);
  const [item] = (await plan(under, 'archive', [id])).items;
  assert.match(item?.notes.join() ?? '', /may be the only copy/);
});

test('an archive that is written or restored, or that a job works on, stays', async () => {
  const under = setUp();
  const writing = await addArchive(under, 1, { status: 'in_progress' });
  const restoring = await addArchive(under, 2, { status: 'restoring' });
  const read = await addArchive(under, 3);
  await under.state.note({ ...NOTE, kind: 'verify', object: read.storage_path });
  const planned = await plan(under, 'archive', [writing.id, restoring.id, read.id]);
  assert.deepEqual(
    planned.items.map(({ refusal }) => refusal?.code),
    ['BUSY', 'BUSY', 'BUSY'],
  );
  await refuses('BUSY', deletePlanned(under.deps, planned, jobContext()));
  assert.equal((await names(under.archives)).length, 3);
  assert.equal(under.catalog.records.size, 3);
});

test('no file of a restore under way goes, though only one record says that it is restored', async () => {
  const under = setUp();
  const [one, two, other] = [
    await addArchive(under, 1),
    await addArchive(under, 2),
    await addArchive(under, 3),
  ];
  const files = [one, two].map(({ filename }) => ({ name: filename }));
  const restoring = { phase: 'staging', plan: { files } } as unknown as ArchiveRestoreJournal;
  await under.state.note({ ...NOTE, kind: 'restore-archive', restoring });
  const planned = await plan(under, 'archive', [one.id, two.id, other.id]);
  assert.deepEqual(
    planned.items.map(({ refusal }) => refusal?.code),
    ['BUSY', 'BUSY', undefined],
  );
  await under.state.note({ ...NOTE, kind: 'restore-archive', restoring: { ...restoring, phase: 'ended' } });
  assert.equal((await plan(under, 'archive', [one.id])).items[0]?.action, 'delete');
});

test('what became busy after the plan stays too', async () => {
  const under = setUp();
  const record = await addArchive(under, 1);
  const planned = await plan(under, 'archive', [record.id]);
  under.catalog.records.set(record.id, { ...record, status: 'restoring' });
  await refuses('BUSY', deletePlanned(under.deps, planned, jobContext()));
  assert.deepEqual(await names(under.archives), [record.storage_path]);
  assert.equal(under.catalog.records.size, 1);
  assert.equal(under.state.notes.size, 0, 'nothing is open');
});

test('a file that was replaced after the plan stays, with its record', async () => {
  const under = setUp();
  const record = await addArchive(under, 1);
  const planned = await plan(under, 'archive', [record.id]);
  await under.archives.delete(record.storage_path);
  await under.archives.put(record.storage_path, inPieces(Buffer.from('another'), 9));
  await refuses('BUSY', deletePlanned(under.deps, planned, jobContext()));
  assert.deepEqual(await names(under.archives), [record.storage_path]);
  assert.equal(under.catalog.records.size, 1);
});

test('a file that cannot be deleted keeps its record', async () => {
  const under = setUp();
  const record = await addArchive(under, 1);
  const planned = await plan(under, 'archive', [record.id]);
  under.archives.delete = () => Promise.reject(new BifractError('STORAGE_DENIED', 'no'));
  await refuses('STORAGE_DENIED', deletePlanned(under.deps, planned, jobContext()));
  assert.equal(under.catalog.records.get(record.id)?.status, 'completed');
  assert.equal(under.state.notes.size, 0);
});

test('a record that stays although its file went is removed at once, or by the next job', async () => {
  const under = setUp();
  const record = await addArchive(under, 1);
  const lost = () => new BifractError('POSTGRES_UNREACHABLE', 'lost at the commit');
  under.catalog.failures.push(lost());
  await deletePlanned(under.deps, await plan(under, 'archive', [record.id]), jobContext());
  assert.equal(under.catalog.records.size, 0, 'a second try');

  const other = await addArchive(under, 2);
  under.catalog.failures.push(lost(), lost());
  const planned = await plan(under, 'archive', [other.id]);
  await refuses('POSTGRES_UNREACHABLE', deletePlanned(under.deps, planned, jobContext()));
  const [note] = under.state.notes.values();
  assert.deepEqual(note?.deleting, [{ archive_id: other.id }]);
  if (note) under.state.deadNotes = [note];
  const [said] = await recovered(under);
  assert.match(said ?? '', /its record is gone now too/);
  assert.equal(under.catalog.records.size, 0);
});

function recovered({ deps, state }: SetUp): Promise<string[]> {
  const never = () => Promise.reject(new Error('not asked'));
  const { storages, catalog } = deps;
  return recover({ ...storages, state, catalog, key: async () => KEY, server: never, app: never });
}

test('a death before anything went leaves file and record', async () => {
  const under = setUp();
  const record = await addArchive(under, 1);
  under.state.deadNotes = [{ ...NOTE, kind: 'delete', deleting: [{ archive_id: record.id }] }];
  const [said] = await recovered(under);
  assert.match(said ?? '', /both still there/);
  assert.equal(under.catalog.records.size, 1);
});

test('a death after which storage shows nothing at all removes no record', async () => {
  const under = setUp();
  const [one] = [await addArchive(under, 1), await addArchive(under, 2)];
  for (const name of await names(under.archives)) await under.archives.delete(name);
  under.state.deadNotes = [{ ...NOTE, kind: 'delete', deleting: [{ archive_id: one.id }] }];
  assert.deepEqual(await recovered(under), []);
  assert.equal(under.catalog.records.size, 2);
  assert.equal(under.state.deadNotes.length, 1, 'it is tried again when the storage is there');
});

test('a record without its file goes, and one named by its file is the same item', async () => {
  const under = setUp();
  const record = await addArchive(under, 1);
  await under.archives.delete(record.storage_path);
  const planned = await plan(under, 'archive', [record.id, record.filename, record.storage_path]);
  assert.equal(planned.items.length, 1);
  assert.match(planned.items[0]?.notes[0] ?? '', /Its file is missing/);
  await deletePlanned(under.deps, planned, jobContext());
  assert.equal(under.catalog.records.size, 0);
});

test('a file without a record goes by its name, and names that are not ours are refused', async () => {
  const under = setUp();
  const { id, storage_path } = await addArchive(under, 1);
  under.catalog.records.delete(id);
  const planned = await plan(under, 'archive', [storage_path, '../etc/passwd', `${id.slice(0, -1)}f`]);
  assert.deepEqual(fates(planned), [
    [storage_path, 'delete', undefined],
    ['../etc/passwd', 'keep', 'USAGE'],
    [`${id.slice(0, -1)}f`, 'keep', 'NOT_FOUND'],
  ]);
  await assert.rejects(
    deletePlanned(under.deps, planned, jobContext()),
    (error: BifractError) => error.code === 'PARTLY_DONE' && error.message.includes('passwd'),
  );
  assert.deepEqual(await names(under.archives), []);
});

test('a group goes with all its archives; an empty one by itself', async () => {
  const under = setUp();
  const group_id = 'bbbbbbbb-0000-4000-8000-000000000001';
  const group = { id: group_id, fractal_id: FRACTAL_ID, created_at: '2026-03-01T00:00:00Z' };
  under.catalog.allGroups.push(group as (typeof under.catalog.allGroups)[number]);
  const ours = [await addArchive(under, 1, { group_id }), await addArchive(under, 2, { group_id })];
  const other = await addArchive(under, 3);
  const planned = await plan(under, 'group', [group_id]);
  assert.deepEqual(
    planned.items.map(({ id }) => id),
    ours.map(({ id }) => id),
  );
  assert.match(planned.items[0]?.notes.join() ?? '', /Its group goes with it/);
  await deletePlanned(under.deps, planned, jobContext());
  assert.deepEqual([...under.catalog.records.keys()], [other.id]);
  await deletePlanned(under.deps, await plan(under, 'group', [group_id]), jobContext());
  assert.deepEqual(under.catalog.allGroups, []);
});

test('of backups, the newest that can be read stays unless that is asked for in so many words', async () => {
  const under = setUp();
  const [old, good] = [await addBackup(under, 1), await addBackup(under, 2)];
  const foreign = await addBackup(under, 3, { key: OTHER_KEY });
  const planned = await plan(under, 'backup', [old, good]);
  assert.deepEqual(fates(planned), [
    [old, 'delete', undefined],
    [good, 'keep', 'LAST_BACKUP'],
  ]);
  assert.deepEqual(planned.backups_left, { count: 2, newest_whole: good });
  const consented = await plan(under, 'backup', [old, good], { last_backup: true });
  assert.deepEqual(
    fates(consented).map(([, action]) => action),
    ['delete', 'delete'],
  );
  assert.match(consented.items[1]?.notes.join() ?? '', /nothing will be left to restore from/);
  const [item] = (await plan(under, 'backup', [foreign])).items;
  assert.deepEqual([item?.action, /of a key that/.test(item?.notes.join() ?? '')], ['delete', true]);
  await deletePlanned(under.deps, consented, jobContext());
  assert.deepEqual(await names(under.backups), [foreign]);
});

test('a backup that is damaged in its middle is none that stays in the place of a good one', async () => {
  const under = setUp();
  const [good, bad] = [await addBackup(under, 1), await addBackup(under, 2)];
  const bytes = await under.backups.read(bad, 0, 1e6);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await under.backups.delete(bad);
  await under.backups.put(bad, inPieces(bytes, 100));
  const planned = await plan(under, 'backup', [good]);
  assert.deepEqual(fates(planned), [[good, 'keep', 'LAST_BACKUP']]);
  assert.equal(planned.backups_left?.newest_whole, good);
});

test('a safety backup says that it is one, and a running restore holds all backups', async () => {
  const under = setUp();
  await addBackup(under, 2);
  const safety = await addBackup(under, 1, { reason: 'before restore of x' });
  const planned = await plan(under, 'backup', [safety]);
  assert.match(planned.items[0]?.notes[0] ?? '', /before a restore/);
  await under.state.note({ ...NOTE, kind: 'restore' });
  assert.equal((await plan(under, 'backup', [safety])).items[0]?.refusal?.code, 'BUSY');
  await refuses('BUSY', deletePlanned(under.deps, planned, jobContext()));
  assert.equal((await names(under.backups)).length, 2);
});

test('a cancel between two files leaves the second', async () => {
  const under = setUp();
  const [one, two] = [await addArchive(under, 1), await addArchive(under, 2)];
  const planned = await plan(under, 'archive', [one.id, two.id]);
  const controller = new AbortController();
  const context = jobContext(controller.signal);
  const cut = {
    ...context,
    emit: ((event, payload) => {
      if (event === 'job:item') controller.abort(cancelled());
      context.emit(event, payload);
    }) as typeof context.emit,
  };
  await refuses('CANCELLED', deletePlanned(under.deps, planned, cut));
  assert.deepEqual([...under.catalog.records.keys()], [two.id]);
  assert.deepEqual(await names(under.archives), [two.storage_path]);
  assert.equal(under.state.notes.size, 0);
});
