import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { clean } from '../../../../src/core/features/orphans/clean.ts';
import type { Orphan } from '../../../../src/core/features/orphans/contract.ts';
import { findOrphans } from '../../../../src/core/features/orphans/find.ts';
import { planAdopt } from '../../../../src/core/features/orphans/plan-adopt.ts';
import type { UnfinishedObject } from '../../../../src/core/ports/storage.ts';
import { FakeCatalog, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { inPieces } from '../../../helpers/streams.ts';
import { archiveRecord, FILE_NAME, FILE_PATH } from '../../../helpers/targets.ts';

const NOW = new Date('2026-03-10T00:00:00Z');

class StorageWithUnfinished extends MemoryStorage {
  unfinished_objects: UnfinishedObject[] = [];
  override async *listUnfinished() {
    yield* this.unfinished_objects;
  }
  override async discardUnfinished({ id }: UnfinishedObject) {
    this.unfinished_objects = this.unfinished_objects.filter((one) => one.id !== id);
  }
}

function setUp({ max_duration_ms = 0, other }: { max_duration_ms?: number; other?: MemoryStorage } = {}) {
  const parts = {
    catalog: new FakeCatalog(),
    archives: new StorageWithUnfinished(),
    backups: new StorageWithUnfinished(),
    state: new FakeState(),
    keys: [],
    now: NOW,
    archive_limits: { max_memory: 0, max_duration_ms, max_error_time_ms: 0 },
    storageOf: async () => other,
  };
  return { ...parts, services: fakeServices(parts) };
}

type SetUp = ReturnType<typeof setUp>;

const other = (seed: number) => FILE_NAME.replace('123456', String(100_000 + seed));

function addRecord({ catalog }: SetUp, seed: number, given: Parameters<typeof archiveRecord>[0] = {}) {
  const id = `aaaaaaaa-0000-4000-8000-${String(seed).padStart(12, '0')}`;
  const storage_path = FILE_PATH.replace(FILE_NAME, other(seed));
  catalog.records.set(id, archiveRecord({ id, filename: other(seed), storage_path, ...given }));
  return { id, storage_path };
}

/** Object without job id. */
const WITHOUT_JOB = FILE_PATH.replace(FILE_NAME, other(9));

const putFile = ({ archives }: SetUp, name: string) => archives.put(name, inPieces(Buffer.from('x'), 1));
const cleanUp = ({ services }: SetUp, orphans: Orphan[]) =>
  clean(services, { kind: 'clean', orphans }, jobContext());
const brief = async (set: SetUp) =>
  (await findOrphans(set.services)).map(({ kind, id, actions }) => [kind, id, actions.join()]);

test('a consistent installation has no orphans', async () => {
  const set = setUp();
  const { storage_path } = addRecord(set, 1);
  await putFile(set, storage_path);
  addRecord(set, 2, { status: 'failed' });
  addRecord(set, 3, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  assert.deepEqual(await brief(set), []);
});

test('a renamed backup is listed without actions', async () => {
  const set = setUp();
  await set.backups.put('before-upgrade.bifract-backup', inPieces(Buffer.from('x'), 1));
  await set.backups.put('bifract-backup-20260301-120000.bifract-backup', inPieces(Buffer.from('x'), 1));
  await set.backups.put('notes.txt', inPieces(Buffer.from('x'), 1));
  assert.deepEqual(await brief(set), [['file', 'before-upgrade.bifract-backup', '']]);
});

test('files without a record, or with a failed one, can be adopted', async () => {
  const set = setUp();
  await putFile(set, FILE_PATH);
  const { storage_path } = addRecord(set, 1, { status: 'failed' });
  await putFile(set, storage_path);
  assert.deepEqual(await brief(set), [
    ['file', storage_path, 'adopt'],
    ['file', FILE_PATH, 'adopt'],
  ]);
});

test('files and records that jobs add or delete during the listing are no orphans', async () => {
  const set = setUp();
  const removed = addRecord(set, 1);
  await putFile(set, removed.storage_path);
  const completed = addRecord(set, 2, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  const { archives, catalog } = set;
  const list = archives.list.bind(archives);
  archives.list = async function* (...args) {
    yield* list(...args);
    // One is deleted, a listed one and a new one appear.
    catalog.records.delete(removed.id);
    const record = catalog.records.get(completed.id);
    if (record) catalog.records.set(completed.id, { ...record, status: 'completed' });
    addRecord(set, 3);
  };
  assert.deepEqual(await brief(set), []);
});

test('a file whose record is added during the listing is neither an orphan nor adopted', async () => {
  const set = setUp();
  const path = FILE_PATH.replace(FILE_NAME, other(1));
  await putFile(set, path);
  const { archives, catalog } = set;
  const list = archives.list.bind(archives);
  archives.list = async function* (...args) {
    yield* list(...args);
    addRecord(set, 1);
  };
  assert.deepEqual(await brief(set), []);
  catalog.records.clear();
  assert.deepEqual(await planAdopt(set.services), { items: [] });
});

test('a file being written by a running job is no orphan', async () => {
  const set = setUp();
  await putFile(set, FILE_PATH);
  await set.state.save({ id: 'job-9', kind: 'archive', started_at: NOW.toISOString(), object: FILE_PATH });
  assert.deepEqual(await brief(set), []);
});

test('a completed record without its file can be marked as failed', async () => {
  const set = setUp();
  await putFile(set, addRecord(set, 1).storage_path);
  const lost = addRecord(set, 2);
  assert.deepEqual(await brief(set), [['record', lost.id, 'fail_record']]);
  const summary = await cleanUp(set, await findOrphans(set.services));
  assert.equal(summary.records_failed, 1);
  assert.equal(set.catalog.records.get(lost.id)?.status, 'failed');
  assert.deepEqual(await brief(set), []);
});

test('if all files are missing, no action is offered', async () => {
  const set = setUp();
  const [one, two] = [addRecord(set, 1), addRecord(set, 2)];
  const found = await findOrphans(set.services);
  assert.deepEqual(
    found.map(({ id, actions }) => [id, actions]),
    [
      [one.id, []],
      [two.id, []],
    ],
  );
  await assert.rejects(cleanUp(set, found), { code: 'BUSY' });
  assert.equal(set.catalog.records.get(one.id)?.status, 'completed');
});

test('a record in progress is an orphan if its job was interrupted or it is too old', async () => {
  const set = setUp();
  const interrupted = addRecord(set, 1, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  const old = addRecord(set, 2, { status: 'in_progress', created_at: '2026-03-08T00:00:00Z' });
  const active = addRecord(set, 3, { status: 'in_progress', created_at: '2026-03-08T00:00:00Z' });
  const base = { kind: 'archive' as const, started_at: NOW.toISOString() };
  set.state.interruptedRecords = [{ ...base, id: 'job-1', archive_id: interrupted.id }];
  await set.state.save({ ...base, id: 'job-3', archive_id: active.id });
  assert.deepEqual(await brief(set), [
    ['record', interrupted.id, 'fail_record'],
    ['record', old.id, 'fail_record'],
  ]);
});

test('unfinished objects of a resumable archive are marked', async () => {
  const set = setUp({ max_duration_ms: 3_600_000 });
  const of = (job: string) => ({
    id: job,
    name: FILE_PATH,
    job,
    size_bytes: 7,
    started_at: NOW.toISOString(),
  });
  set.archives.unfinished_objects = [of('young'), of('old'), of('backup')];
  const base = { kind: 'archive', started_at: NOW.toISOString(), object: FILE_PATH } as const;
  const archive = (begun_at: string) => ({
    request: {
      fractal_id: 'f',
      split: 'none',
      from: null,
      to: null,
      fields: true,
      archive_type: 'adhoc',
      only_uncovered: false,
    } as const,
    end: NOW.toISOString(),
    begun_at,
    window: { label: null, from: null, to: NOW.toISOString(), rows: 1 },
    leftovers: [],
  });
  set.state.interruptedRecords = [
    { ...base, id: 'young', archive: archive('2026-03-09T23:30:00Z') },
    { ...base, id: 'old', archive: archive('2026-03-09T22:30:00Z') },
    { ...base, id: 'backup', kind: 'backup' },
  ];
  const found = async () =>
    (await findOrphans(set.services)).map(({ id, goes_on }) => [id, goes_on ?? false]);
  assert.deepEqual((await found())[0], ['young', false], 'this storage cannot read it back');
  Object.assign(set.archives, { readUnfinished: () => inPieces(Buffer.alloc(0), 1) });
  assert.deepEqual(await found(), [
    ['young', true],
    ['old', false],
    ['backup', false],
  ]);
});

test('unfinished objects of interrupted runs can be removed, possibly active ones cannot', async () => {
  const set = setUp();
  const unfinished = (id: string, job: string | undefined, started_at: string, name = FILE_PATH) => ({
    id,
    name,
    job,
    size_bytes: 7,
    started_at,
  });
  set.archives.unfinished_objects = [
    unfinished('ours', 'job-interrupted', NOW.toISOString()),
    unfinished('running', 'job-running', '2026-03-01T00:00:00Z'),
    unfinished('elsewhere', 'job-unknown', NOW.toISOString()),
    unfinished('without-job', undefined, NOW.toISOString(), WITHOUT_JOB),
  ];
  set.backups.unfinished_objects = [
    unfinished('old', undefined, '2026-03-01T00:00:00Z'),
    unfinished('foreign', undefined, '2026-03-01T00:00:00Z', 'archives/somebody-elses.tar'),
  ];
  const base = { kind: 'archive', started_at: NOW.toISOString() } as const;
  set.state.interruptedRecords = [{ ...base, id: 'job-interrupted', object: WITHOUT_JOB }];
  await set.state.save({ ...base, id: 'job-running' });
  assert.deepEqual(await brief(set), [
    ['leftover', 'old', 'discard'],
    ['leftover', 'ours', 'discard'],
    ['leftover', 'elsewhere', ''],
    ['leftover', 'without-job', 'discard'],
  ]);
  const chosen = (await findOrphans(set.services)).filter(({ actions }) => actions.length > 0);
  const summary = await cleanUp(set, chosen);
  assert.equal(summary.leftovers_removed, 3);
  assert.deepEqual(
    set.archives.unfinished_objects.map(({ id }) => id),
    ['running', 'elsewhere'],
  );
  assert.deepEqual(
    set.backups.unfinished_objects.map(({ id }) => id),
    ['foreign'],
  );
});

test('a backup with a nonstandard name is listed, and not deleted', async () => {
  const set = setUp();
  const names = [
    'before-update.bifract-backup',
    'bifract-backup-20260301-000000.bifract-backup',
    'notes.txt',
  ];
  for (const name of names) await set.backups.put(name, inPieces(Buffer.from('x'), 1));
  assert.deepEqual(await brief(set), [['file', names[0], '']]);
  await assert.rejects(cleanUp(set, await findOrphans(set.services)), { code: 'BUSY' });
  assert.ok(await set.backups.stat(names[0] ?? ''));
});

test('a record whose file has reappeared is left unchanged', async () => {
  const set = setUp();
  await putFile(set, addRecord(set, 1).storage_path);
  const lost = addRecord(set, 2);
  const found = await findOrphans(set.services);
  await putFile(set, lost.storage_path);
  await cleanUp(set, found);
  assert.equal(set.catalog.records.get(lost.id)?.status, 'completed');
});

test('a record whose file is in the other storage is no orphan', async () => {
  const other = new MemoryStorage('s3');
  const set = setUp({ other });
  const { id, storage_path } = addRecord(set, 1, { storage_type: 's3' });
  assert.deepEqual(await brief(set), [['record', id, '']], 'missing in both');
  await other.put(storage_path, inPieces(Buffer.from('x'), 1));
  assert.deepEqual(await brief(set), []);
});

test('a record whose storage is not configured is no orphan', async () => {
  const set = setUp();
  addRecord(set, 1, { storage_type: 's3' });
  assert.deepEqual(await brief(set), []);
});

/** Makes the listing of archives leave out the given names, or end early with an error. */
function listsOnly({ archives }: SetUp, shown: (name: string) => boolean, failure?: BifractError) {
  const list = archives.list.bind(archives);
  archives.list = async function* (...args) {
    for await (const object of list(...args)) if (shown(object.name)) yield object;
    if (failure) throw failure;
  };
}

const BROKEN_OFF = new BifractError('STORAGE_FAILED', 'The listing is incomplete');

test('a file that a listing leaves out is not missing', async () => {
  const set = setUp();
  const [one, two] = [addRecord(set, 1), addRecord(set, 2)];
  for (const { storage_path } of [one, two]) await putFile(set, storage_path);
  const lost = addRecord(set, 3);
  listsOnly(set, (name) => name === one.storage_path);
  assert.deepEqual(await brief(set), [['record', lost.id, 'fail_record']]);
  listsOnly(set, () => false);
  assert.deepEqual(await brief(set), [['record', lost.id, 'fail_record']], 'an empty listing');
  await cleanUp(set, await findOrphans(set.services));
  const statuses = [...set.catalog.records.values()].map(({ status }) => status);
  assert.deepEqual(statuses, ['completed', 'completed', 'failed']);
});

test('a listing that breaks off is an error, or a list of what came and the error', async () => {
  const set = setUp();
  await putFile(set, FILE_PATH);
  const { storage_path } = addRecord(set, 1);
  await putFile(set, storage_path);
  const lost = addRecord(set, 2);
  listsOnly(set, (name) => name === FILE_PATH, BROKEN_OFF);
  await assert.rejects(findOrphans(set.services), { code: 'STORAGE_FAILED' });
  const errors: unknown[] = [];
  const found = await findOrphans(set.services, { onIncomplete: (error) => errors.push(error) });
  assert.deepEqual(
    found.map(({ kind, id }) => [kind, id]),
    [
      ['file', FILE_PATH],
      ['record', lost.id],
    ],
  );
  assert.deepEqual(errors, [BROKEN_OFF]);
});

test('cleaning up warns of a listing that breaks off', async () => {
  const set = setUp();
  const there = addRecord(set, 1);
  await putFile(set, there.storage_path);
  const lost = addRecord(set, 2);
  listsOnly(set, () => false, BROKEN_OFF);
  const found = await findOrphans(set.services, { onIncomplete: () => undefined });
  const warnings: string[] = [];
  const emit = (event: string) => event === 'job:warning' && warnings.push(event);
  await clean(set.services, { kind: 'clean', orphans: found }, { ...jobContext(), emit });
  assert.equal(warnings.length, 1);
  assert.equal(set.catalog.records.get(there.id)?.status, 'completed');
  assert.equal(set.catalog.records.get(lost.id)?.status, 'failed');
});

for (const code of ['STORAGE_DENIED', 'STORAGE_FAILED'] as const) {
  test(`a file that cannot be looked for (${code}) is not missing`, async () => {
    const set = setUp();
    await putFile(set, addRecord(set, 1).storage_path);
    const hidden = addRecord(set, 2);
    const stat = set.archives.stat.bind(set.archives);
    set.archives.stat = async (name, options) => {
      if (name === hidden.storage_path) throw new BifractError(code, 'refused');
      return stat(name, options);
    };
    assert.deepEqual(await brief(set), []);
  });
}

test('an unreachable storage is an error, not a list of missing files', async () => {
  const set = setUp();
  await putFile(set, addRecord(set, 1).storage_path);
  addRecord(set, 2);
  set.archives.stat = async () => {
    throw new BifractError('STORAGE_UNREACHABLE', 'gone');
  };
  await assert.rejects(findOrphans(set.services), { code: 'STORAGE_UNREACHABLE' });
});

test('a record whose file appears after the check is not marked as failed', async () => {
  const set = setUp();
  await putFile(set, addRecord(set, 1).storage_path);
  const lost = addRecord(set, 2);
  const found = await findOrphans(set.services);
  const stat = set.archives.stat.bind(set.archives);
  let asked = 0;
  set.archives.stat = async (name, options) => {
    // The check at the start of the job still misses it.
    if (name === lost.storage_path && asked++ > 0) await putFile(set, name).catch(() => undefined);
    return stat(name, options);
  };
  await assert.rejects(cleanUp(set, found), { code: 'BUSY' });
  assert.equal(set.catalog.records.get(lost.id)?.status, 'completed');
});
