import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError, cancelled } from '../../../../src/core/contract/errors.ts';
import { recover } from '../../../../src/core/engine/recovery.ts';
import type { ArchiveRestoreCheckpoint } from '../../../../src/core/features/archive-restore/checkpoint.ts';
import type { DeletePlan, DeleteTarget } from '../../../../src/core/features/delete/contract.ts';
import { deletePlanned, refusalOf } from '../../../../src/core/features/delete/delete.ts';
import { planDelete } from '../../../../src/core/features/delete/plan.ts';
import { pathOf } from '../../../../src/core/features/files/target.ts';
import { writeBackup } from '../../../../src/core/format/index.ts';
import type { JobContext } from '../../../../src/core/job/context.ts';
import { backupName } from '../../../../src/core/policy/names.ts';
import type { ArchiveRecord } from '../../../../src/core/ports/catalog.ts';
import type { Services } from '../../../../src/core/ports/services.ts';
import { refuses } from '../../../contracts/storage.ts';
import { fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, fractal, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { KEY, OTHER_KEY } from '../../../helpers/sealed.ts';
import { inPieces } from '../../../helpers/streams.ts';
import { archiveRecord, numberedLines, sealedArchive } from '../../../helpers/targets.ts';

const MANIFEST = { version: '1', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: {} };
const BYTES = await sealedArchive(numberedLines(3));
const BASE = { id: 'job-9', started_at: '2026-03-01T00:00:00Z' };

interface SetUp {
  archives: MemoryStorage;
  backups: MemoryStorage;
  catalog: FakeCatalog;
  state: FakeState;
  services: Services;
}

function setUp(): SetUp {
  const archives = new MemoryStorage();
  const backups = new MemoryStorage();
  const catalog = new FakeCatalog();
  const state = new FakeState();
  const parts = { archives, backups, catalog, state };
  return { ...parts, services: fakeServices(partsOf(parts)) };
}

function partsOf({ archives, backups, catalog, state }: Omit<SetUp, 'services'>) {
  return {
    archives,
    backups,
    storageOf: async () => undefined,
    catalog,
    state,
    key: KEY,
    keys: [KEY],
    now: new Date('2026-03-31T12:00:00Z'),
  };
}

/** A record and its file. */
async function addArchive(
  { archives, catalog }: SetUp,
  day: number,
  given: Partial<ArchiveRecord> = {},
): Promise<ArchiveRecord> {
  const filename = `${FRACTAL_ID}-202603${String(day).padStart(2, '0')}-120000.bifract-archive`;
  const record = archiveRecord({
    id: `aaaaaaaa-0000-4000-8000-0000000000${String(day).padStart(2, '0')}`,
    filename,
    storage_path: `archives/${FRACTAL_ID}/${filename}`,
    size_bytes: BYTES.length,
    log_count: 3,
    ...given,
  });
  catalog.records.set(record.id, record);
  await archives.put(record.storage_path, inPieces(BYTES, 100));
  return record;
}

async function addBackup(
  { backups }: SetUp,
  day: number,
  { key = KEY, reason }: { key?: typeof KEY; reason?: string } = {},
): Promise<string> {
  const time = new Date(Date.UTC(2026, 2, day));
  const name = backupName(time);
  const dump = inPieces(fakeDump(), 5);
  await backups.put(
    name,
    writeBackup(MANIFEST, dump, { key, head: { tool: 'test', reason, created: time.toISOString() } }).bytes,
  );
  return name;
}

function plan(
  { services }: SetUp,
  kind: DeleteTarget['kind'],
  ids: string[],
  options = {},
): Promise<DeletePlan> {
  const targets = ids.map((id) => ({ kind, id }));
  return planDelete(services, targets, options);
}

function run({ services }: SetUp, planned: DeletePlan, context: JobContext = jobContext()) {
  return deletePlanned(services, { kind: 'delete', plan: planned }, context);
}

function actions({ items }: DeletePlan) {
  return items.map(({ id, action, refusal }) => [id, action, refusal?.code]);
}

async function names(storage: MemoryStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
}

test('an archive is deleted with its record, and the plan notes what is left', async () => {
  const setup = setUp();
  const [first, second] = [await addArchive(setup, 1), await addArchive(setup, 2)];
  const planned = await plan(setup, 'archive', [first.id]);
  assert.deepEqual(actions(planned), [[first.id, 'delete', undefined]]);
  assert.equal(planned.freed_bytes, BYTES.length);
  assert.ok(Object.isFrozen(planned) && Object.isFrozen(planned.items[0]));
  const summary = await run(setup, planned);
  assert.deepEqual([summary.deleted, summary.freed_bytes], [1, BYTES.length]);
  assert.deepEqual([...setup.catalog.records.keys()], [second.id]);
  assert.deepEqual(await names(setup.archives), [second.storage_path]);
  assert.equal(setup.state.records.size, 0);
  const last = await plan(setup, 'archive', [second.id]);
  assert.match(last.items[0]?.notes.join() ?? '', /web-prod/);
  assert.deepEqual(planned.items[0]?.notes, []);
});

test('an archive whose rows retention has removed from ClickHouse gets a warning', async () => {
  const setup = setUp();
  setup.catalog.all[0] = fractal({ earliest_log: '2026-03-20T00:00:00Z' });
  const notesOf = async (from: number, to: number) => {
    const [time_range_start, time_range_end] = [from, to].map((day) => `2026-03-${day}T00:00:00Z`);
    const { id } = await addArchive(setup, from, { time_range_start, time_range_end });
    return (await plan(setup, 'archive', [id])).items[0]?.notes ?? [];
  };
  await addArchive(setup, 1);
  const [removed, partly, present] = [await notesOf(10, 12), await notesOf(15, 25), await notesOf(21, 25)];
  assert.deepEqual([removed.length, partly.length, present.length], [1, 1, 0]);
  assert.match(partly.join(), /2026-03-20/);
  assert.notDeepEqual(removed, partly);
});

test('an archive being written, restored or used by a job is kept', async () => {
  const setup = setUp();
  const writing = await addArchive(setup, 1, { status: 'in_progress' });
  const restoring = await addArchive(setup, 2, { status: 'restoring' });
  const read = await addArchive(setup, 3);
  await setup.state.save({ ...BASE, kind: 'verify', object: read.storage_path });
  const planned = await plan(setup, 'archive', [writing.id, restoring.id, read.id]);
  assert.deepEqual(
    planned.items.map(({ refusal }) => refusal?.code),
    ['BUSY', 'BUSY', 'BUSY'],
  );
  await refuses('BUSY', run(setup, planned));
  assert.equal((await names(setup.archives)).length, 3);
  assert.equal(setup.catalog.records.size, 3);
});

test('no file of a running restore is deleted, even if only one record is marked as restoring', async () => {
  const setup = setUp();
  const [one, two, other] = [
    await addArchive(setup, 1),
    await addArchive(setup, 2),
    await addArchive(setup, 3),
  ];
  const files = [one, two].map(({ filename }) => ({ name: filename }));
  const restoring = { phase: 'staging', plan: { files } } as unknown as ArchiveRestoreCheckpoint;
  await setup.state.save({ ...BASE, kind: 'restore-archive', restoring });
  const planned = await plan(setup, 'archive', [one.id, two.id, other.id]);
  assert.deepEqual(
    planned.items.map(({ refusal }) => refusal?.code),
    ['BUSY', 'BUSY', undefined],
  );
  await setup.state.save({ ...BASE, kind: 'restore-archive', restoring: { ...restoring, phase: 'ended' } });
  assert.equal((await plan(setup, 'archive', [one.id])).items[0]?.action, 'delete');
});

test('an archive that became busy after the plan is kept', async () => {
  const setup = setUp();
  const record = await addArchive(setup, 1);
  const planned = await plan(setup, 'archive', [record.id]);
  setup.catalog.records.set(record.id, { ...record, status: 'restoring' });
  await refuses('BUSY', run(setup, planned));
  assert.deepEqual(await names(setup.archives), [record.storage_path]);
  assert.equal(setup.catalog.records.size, 1);
  assert.equal(setup.state.records.size, 0, 'nothing is pending');
});

test('a file replaced after the plan is kept, with its record', async () => {
  const setup = setUp();
  const record = await addArchive(setup, 1);
  const planned = await plan(setup, 'archive', [record.id]);
  await setup.archives.delete(record.storage_path);
  await setup.archives.put(record.storage_path, inPieces(Buffer.from('another'), 9));
  await refuses('BUSY', run(setup, planned));
  assert.deepEqual(await names(setup.archives), [record.storage_path]);
  assert.equal(setup.catalog.records.size, 1);
});

test('a file that cannot be deleted keeps its record', async () => {
  const setup = setUp();
  const record = await addArchive(setup, 1);
  const planned = await plan(setup, 'archive', [record.id]);
  setup.archives.delete = () => Promise.reject(new BifractError('STORAGE_DENIED', 'no'));
  await refuses('STORAGE_DENIED', run(setup, planned));
  assert.equal(setup.catalog.records.get(record.id)?.status, 'completed');
  assert.equal(setup.state.records.size, 0);
});

test('a record left without its file is deleted by a retry, or by the next job', async () => {
  const setup = setUp();
  const record = await addArchive(setup, 1);
  const lost = () => new BifractError('POSTGRES_UNREACHABLE', 'lost at the commit');
  setup.catalog.failures.push(lost());
  await run(setup, await plan(setup, 'archive', [record.id]));
  assert.equal(setup.catalog.records.size, 0, 'deleted by the retry');

  const other = await addArchive(setup, 2);
  setup.catalog.failures.push(lost(), lost());
  const planned = await plan(setup, 'archive', [other.id]);
  await refuses('POSTGRES_UNREACHABLE', run(setup, planned));
  const [interrupted] = setup.state.records.values();
  assert.deepEqual(interrupted?.deleting, [{ archive_id: other.id }]);
  setup.state.interruptedRecords = [interrupted];
  const [action] = await recover(setup.services);
  assert.ok(action?.includes(other.storage_path));
  assert.equal(setup.catalog.records.size, 0);
});

test('a crash before anything was deleted leaves file and record', async () => {
  const setup = setUp();
  const record = await addArchive(setup, 1);
  setup.state.interruptedRecords = [{ ...BASE, kind: 'delete', deleting: [{ archive_id: record.id }] }];
  const [action] = await recover(setup.services);
  assert.ok(action?.includes(record.storage_path));
  assert.equal(setup.catalog.records.size, 1);
  assert.deepEqual(await names(setup.archives), [record.storage_path]);
});

test('recovery with an empty storage deletes no record', async () => {
  const setup = setUp();
  const [one] = [await addArchive(setup, 1), await addArchive(setup, 2)];
  for (const name of await names(setup.archives)) await setup.archives.delete(name);
  setup.state.interruptedRecords = [{ ...BASE, kind: 'delete', deleting: [{ archive_id: one.id }] }];
  assert.deepEqual(await recover(setup.services), []);
  assert.equal(setup.catalog.records.size, 2);
  assert.equal(setup.state.interruptedRecords.length, 1, 'it is retried when the storage is back');
});

test('a record without its file is deleted, and naming the file gives the same item', async () => {
  const setup = setUp();
  const record = await addArchive(setup, 1);
  await setup.archives.delete(record.storage_path);
  const planned = await plan(setup, 'archive', [record.id, record.filename, record.storage_path]);
  assert.equal(planned.items.length, 1);
  assert.deepEqual([planned.items[0]?.name, planned.items[0]?.archive_id], [null, record.id]);
  await run(setup, planned);
  assert.equal(setup.catalog.records.size, 0);
});

test('a file without a record is deleted by name, and invalid names are rejected', async () => {
  const setup = setUp();
  const { id, storage_path } = await addArchive(setup, 1);
  setup.catalog.records.delete(id);
  const planned = await plan(setup, 'archive', [storage_path, '../etc/passwd', `${id.slice(0, -1)}f`]);
  assert.deepEqual(actions(planned), [
    [storage_path, 'delete', undefined],
    ['../etc/passwd', 'keep', 'USAGE'],
    [`${id.slice(0, -1)}f`, 'keep', 'NOT_FOUND'],
  ]);
  const refusal = refusalOf(planned);
  assert.ok(refusal?.code === 'PARTLY_DONE' && refusal.message.includes('passwd'));
  const { deleted, kept } = await run(setup, planned);
  assert.deepEqual([deleted, kept], [1, 2]);
  assert.deepEqual(await names(setup.archives), []);
});

test('a group is deleted with all its archives; an empty one alone', async () => {
  const setup = setUp();
  const group_id = 'bbbbbbbb-0000-4000-8000-000000000001';
  const group = { id: group_id, fractal_id: FRACTAL_ID, created_at: '2026-03-01T00:00:00Z' };
  setup.catalog.allGroups.push(group as (typeof setup.catalog.allGroups)[number]);
  const ours = [await addArchive(setup, 1, { group_id }), await addArchive(setup, 2, { group_id })];
  const other = await addArchive(setup, 3);
  const planned = await plan(setup, 'group', [group_id]);
  assert.deepEqual(
    planned.items.map(({ id }) => id),
    ours.map(({ id }) => id),
  );
  const [alone] = (await plan(setup, 'archive', [ours[0]?.id ?? ''])).items;
  assert.deepEqual([planned.items[0]?.notes.length, alone?.notes.length], [1, 0], 'a note about the group');
  await run(setup, planned);
  assert.deepEqual([...setup.catalog.records.keys()], [other.id]);
  assert.deepEqual(setup.catalog.allGroups, []);
  setup.catalog.allGroups.push(group as (typeof setup.catalog.allGroups)[number]);
  await run(setup, await plan(setup, 'group', [group_id]));
  assert.deepEqual(setup.catalog.allGroups, []);
});

test('a file that has got another record since the plan is kept', async () => {
  for (const recorded of [true, false]) {
    const setup = setUp();
    const record = await addArchive(setup, 1);
    if (!recorded) setup.catalog.records.clear();
    const planned = await plan(setup, 'archive', [recorded ? record.id : record.storage_path]);
    assert.deepEqual(actions(planned)[0]?.slice(1), ['delete', undefined]);
    setup.catalog.records.clear();
    const adopted = { ...record, id: 'aaaaaaaa-0000-4000-8000-000000000099' };
    setup.catalog.records.set(adopted.id, adopted);
    await refuses('BUSY', run(setup, planned));
    assert.deepEqual(await names(setup.archives), [record.storage_path]);
    assert.deepEqual([...setup.catalog.records.keys()], [adopted.id]);
  }
});

test('every item of a group has the same notes about what is left, also one that failed', async () => {
  const setup = setUp();
  const group_id = 'bbbbbbbb-0000-4000-8000-000000000001';
  const group = { id: group_id, fractal_id: FRACTAL_ID, created_at: '2026-03-01T00:00:00Z' };
  setup.catalog.allGroups.push(group as (typeof setup.catalog.allGroups)[number]);
  await addArchive(setup, 1, { group_id });
  const failed = await addArchive(setup, 2, { group_id, status: 'failed' });
  const last = ['No archive of web-prod will be left.', 'The empty group is removed too.'];
  const marked = 'The record is marked as failed.';
  assert.deepEqual(
    (await plan(setup, 'group', [group_id])).items.map(({ notes }) => notes),
    [last, [marked, ...last]],
  );
  assert.deepEqual((await plan(setup, 'archive', [failed.id])).items[0]?.notes, [marked]);
});

test('the last readable backup is kept without explicit consent', async () => {
  const setup = setUp();
  const [old, good] = [await addBackup(setup, 1), await addBackup(setup, 2)];
  const foreign = await addBackup(setup, 3, { key: OTHER_KEY });
  const planned = await plan(setup, 'backup', [old, good]);
  assert.deepEqual(actions(planned), [
    [old, 'delete', undefined],
    [good, 'keep', 'LAST_BACKUP'],
  ]);
  assert.deepEqual(planned.backups_left, { count: 2, newest_whole: good });
  const consented = await plan(setup, 'backup', [old, good], { last_backup: true });
  assert.deepEqual(
    actions(consented).map(([, action]) => action),
    ['delete', 'delete'],
  );
  assert.deepEqual(
    consented.items.map(({ notes }) => notes.length),
    [0, 1],
    'a warning about the last one',
  );
  const [item] = (await plan(setup, 'backup', [foreign])).items;
  assert.deepEqual([item?.action, item?.notes.length], ['delete', 1]);
  await run(setup, consented);
  assert.deepEqual(await names(setup.backups), [foreign]);
});

test('a backup damaged in the middle does not count as a readable one', async () => {
  const setup = setUp();
  const [good, bad] = [await addBackup(setup, 1), await addBackup(setup, 2)];
  const bytes = await setup.backups.read(bad, 0, 1e6);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await setup.backups.delete(bad);
  await setup.backups.put(bad, inPieces(bytes, 100));
  const planned = await plan(setup, 'backup', [good]);
  assert.deepEqual(actions(planned), [[good, 'keep', 'LAST_BACKUP']]);
  assert.equal(planned.backups_left?.newest_whole, good);
});

test('a safety backup is marked as such, and a running restore keeps all backups', async () => {
  const setup = setUp();
  const ordinary = await addBackup(setup, 2);
  await addBackup(setup, 3);
  const safety = await addBackup(setup, 1, { reason: 'before restore of x' });
  const planned = await plan(setup, 'backup', [safety]);
  assert.equal(planned.items[0]?.notes.length, 1);
  assert.deepEqual((await plan(setup, 'backup', [ordinary])).items[0]?.notes, []);
  await setup.state.save({ ...BASE, kind: 'restore' });
  assert.equal((await plan(setup, 'backup', [safety])).items[0]?.refusal?.code, 'BUSY');
  await refuses('BUSY', run(setup, planned));
  assert.equal((await names(setup.backups)).length, 3);
});

test('a full path names the copy in that storage; only that one is deleted', async () => {
  const setup = setUp();
  const name = await addBackup(setup, 2);
  const other = new MemoryStorage('s3');
  await other.put(name, inPieces(await setup.backups.read(name, 0, 1e6), 9));
  const storageOf = async (_: string, type: string) => (type === 's3' ? other : setup.backups);
  const services = fakeServices({ ...partsOf(setup), storageOf });
  const both = { ...setup, services };
  const id = pathOf(other, name);
  const planned = await plan(both, 'backup', [id]);
  assert.deepEqual(actions(planned), [[id, 'delete', undefined]]);
  assert.equal(planned.items[0]?.path, id);
  await run(both, planned);
  assert.deepEqual([await names(other), await names(setup.backups)], [[], [name]]);
  const foreign = await plan(both, 'backup', [`/elsewhere/${name}`]);
  assert.deepEqual(actions(foreign), [[`/elsewhere/${name}`, 'keep', 'USAGE']]);
});

test('a cancel between two files keeps the second', async () => {
  const setup = setUp();
  const [one, two] = [await addArchive(setup, 1), await addArchive(setup, 2)];
  const planned = await plan(setup, 'archive', [one.id, two.id]);
  const controller = new AbortController();
  const context = jobContext(controller.signal);
  const cut = {
    ...context,
    emit: ((event, payload) => {
      if (event === 'job:item') controller.abort(cancelled());
      context.emit(event, payload);
    }) as typeof context.emit,
  };
  await refuses('CANCELLED', run(setup, planned, cut));
  assert.deepEqual([...setup.catalog.records.keys()], [two.id]);
  assert.deepEqual(await names(setup.archives), [two.storage_path]);
  assert.equal(setup.state.records.size, 0);
});
