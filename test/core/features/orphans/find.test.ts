import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean } from '../../../../src/core/features/orphans/clean.ts';
import { orphans } from '../../../../src/core/features/orphans/find.ts';
import { planAdopt } from '../../../../src/core/features/orphans/plan-adopt.ts';
import type { UnfinishedObject } from '../../../../src/core/ports/storage.ts';
import { FakeCatalog, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
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

function setUp() {
  return {
    catalog: new FakeCatalog(),
    archives: new StorageWithUnfinished(),
    backups: new StorageWithUnfinished(),
    state: new FakeState(),
    now: () => NOW,
  };
}

type Deps = ReturnType<typeof setUp>;

const other = (seed: number) => FILE_NAME.replace('123456', String(100_000 + seed));

function addRecord({ catalog }: Deps, seed: number, given: Parameters<typeof archiveRecord>[0] = {}) {
  const id = `aaaaaaaa-0000-4000-8000-${String(seed).padStart(12, '0')}`;
  const storage_path = FILE_PATH.replace(FILE_NAME, other(seed));
  catalog.records.set(id, archiveRecord({ id, filename: other(seed), storage_path, ...given }));
  return { id, storage_path };
}

/** Object without job id. */
const WITHOUT_JOB = FILE_PATH.replace(FILE_NAME, other(9));

const putFile = ({ archives }: Deps, name: string) => archives.put(name, inPieces(Buffer.from('x'), 1));
const brief = async (deps: Deps) =>
  (await orphans(deps)).map(({ kind, id, actions }) => [kind, id, actions.join()]);

test('a consistent installation has no orphans', async () => {
  const deps = setUp();
  const { storage_path } = addRecord(deps, 1);
  await putFile(deps, storage_path);
  addRecord(deps, 2, { status: 'failed' });
  addRecord(deps, 3, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  assert.deepEqual(await brief(deps), []);
});

test('a renamed backup is listed without actions', async () => {
  const deps = setUp();
  await deps.backups.put('before-upgrade.bifract-backup', inPieces(Buffer.from('x'), 1));
  await deps.backups.put('bifract-backup-20260301-120000.bifract-backup', inPieces(Buffer.from('x'), 1));
  await deps.backups.put('notes.txt', inPieces(Buffer.from('x'), 1));
  assert.deepEqual(await brief(deps), [['file', 'before-upgrade.bifract-backup', '']]);
});

test('files without a record, or with a failed one, can be adopted', async () => {
  const deps = setUp();
  await putFile(deps, FILE_PATH);
  const { storage_path } = addRecord(deps, 1, { status: 'failed' });
  await putFile(deps, storage_path);
  assert.deepEqual(await brief(deps), [
    ['file', storage_path, 'adopt'],
    ['file', FILE_PATH, 'adopt'],
  ]);
});

test('files and records that jobs add or delete during the listing are no orphans', async () => {
  const deps = setUp();
  const removed = addRecord(deps, 1);
  await putFile(deps, removed.storage_path);
  const completed = addRecord(deps, 2, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  const { archives, catalog } = deps;
  const list = archives.list.bind(archives);
  archives.list = async function* (...args) {
    yield* list(...args);
    // One is deleted, a listed one and a new one appear.
    catalog.records.delete(removed.id);
    const record = catalog.records.get(completed.id);
    if (record) catalog.records.set(completed.id, { ...record, status: 'completed' });
    addRecord(deps, 3);
  };
  assert.deepEqual(await brief(deps), []);
});

test('a file whose record is added during the listing is neither an orphan nor adopted', async () => {
  const deps = setUp();
  const path = FILE_PATH.replace(FILE_NAME, other(1));
  await putFile(deps, path);
  const { archives, catalog } = deps;
  const list = archives.list.bind(archives);
  archives.list = async function* (...args) {
    yield* list(...args);
    addRecord(deps, 1);
  };
  assert.deepEqual(await brief(deps), []);
  catalog.records.clear();
  assert.deepEqual(await planAdopt({ catalog, storage: archives, keys: [] }, undefined), { items: [] });
});

test('a file being written by a running job is no orphan', async () => {
  const deps = setUp();
  await putFile(deps, FILE_PATH);
  await deps.state.save({ id: 'job-9', kind: 'archive', started_at: NOW.toISOString(), object: FILE_PATH });
  assert.deepEqual(await brief(deps), []);
});

test('a completed record without its file can be marked as failed', async () => {
  const deps = setUp();
  await putFile(deps, addRecord(deps, 1).storage_path);
  const lost = addRecord(deps, 2);
  assert.deepEqual(await brief(deps), [['record', lost.id, 'fail_record']]);
  const summary = await clean(deps, await orphans(deps), jobContext());
  assert.equal(summary.records_failed, 1);
  assert.equal(deps.catalog.records.get(lost.id)?.status, 'failed');
  assert.deepEqual(await brief(deps), []);
});

test('if all files are missing, no action is offered', async () => {
  const deps = setUp();
  const [one, two] = [addRecord(deps, 1), addRecord(deps, 2)];
  const found = await orphans(deps);
  assert.deepEqual(
    found.map(({ id, actions }) => [id, actions]),
    [
      [one.id, []],
      [two.id, []],
    ],
  );
  await assert.rejects(clean(deps, found, jobContext()), { code: 'BUSY' });
  assert.equal(deps.catalog.records.get(one.id)?.status, 'completed');
});

test('a record in progress is an orphan if its job was interrupted or it is too old', async () => {
  const deps = setUp();
  const interrupted = addRecord(deps, 1, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  const old = addRecord(deps, 2, { status: 'in_progress', created_at: '2026-03-08T00:00:00Z' });
  const active = addRecord(deps, 3, { status: 'in_progress', created_at: '2026-03-08T00:00:00Z' });
  const base = { kind: 'archive' as const, started_at: NOW.toISOString() };
  deps.state.interruptedRecords = [{ ...base, id: 'job-1', archive_id: interrupted.id }];
  await deps.state.save({ ...base, id: 'job-3', archive_id: active.id });
  assert.deepEqual(await brief(deps), [
    ['record', interrupted.id, 'fail_record'],
    ['record', old.id, 'fail_record'],
  ]);
});

test('unfinished objects of a resumable archive are marked', async () => {
  const deps = { ...setUp(), max_duration_ms: 3_600_000 };
  const of = (job: string) => ({
    id: job,
    name: FILE_PATH,
    job,
    size_bytes: 7,
    started_at: NOW.toISOString(),
  });
  deps.archives.unfinished_objects = [of('young'), of('old'), of('backup')];
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
  deps.state.interruptedRecords = [
    { ...base, id: 'young', archive: archive('2026-03-09T23:30:00Z') },
    { ...base, id: 'old', archive: archive('2026-03-09T22:30:00Z') },
    { ...base, id: 'backup', kind: 'backup' },
  ];
  const found = async () => (await orphans(deps)).map(({ id, goes_on }) => [id, goes_on ?? false]);
  assert.deepEqual((await found())[0], ['young', false], 'this storage cannot read it back');
  Object.assign(deps.archives, { readUnfinished: () => inPieces(Buffer.alloc(0), 1) });
  assert.deepEqual(await found(), [
    ['young', true],
    ['old', false],
    ['backup', false],
  ]);
});

test('unfinished objects of interrupted runs can be removed, possibly active ones cannot', async () => {
  const deps = setUp();
  const unfinished = (id: string, job: string | undefined, started_at: string, name = FILE_PATH) => ({
    id,
    name,
    job,
    size_bytes: 7,
    started_at,
  });
  deps.archives.unfinished_objects = [
    unfinished('ours', 'job-interrupted', NOW.toISOString()),
    unfinished('running', 'job-running', '2026-03-01T00:00:00Z'),
    unfinished('elsewhere', 'job-unknown', NOW.toISOString()),
    unfinished('without-job', undefined, NOW.toISOString(), WITHOUT_JOB),
  ];
  deps.backups.unfinished_objects = [
    unfinished('old', undefined, '2026-03-01T00:00:00Z'),
    unfinished('foreign', undefined, '2026-03-01T00:00:00Z', 'archives/somebody-elses.tar'),
  ];
  const base = { kind: 'archive', started_at: NOW.toISOString() } as const;
  deps.state.interruptedRecords = [{ ...base, id: 'job-interrupted', object: WITHOUT_JOB }];
  await deps.state.save({ ...base, id: 'job-running' });
  assert.deepEqual(await brief(deps), [
    ['leftover', 'old', 'discard'],
    ['leftover', 'ours', 'discard'],
    ['leftover', 'elsewhere', ''],
    ['leftover', 'without-job', 'discard'],
  ]);
  const chosen = (await orphans(deps)).filter(({ actions }) => actions.length > 0);
  const summary = await clean(deps, chosen, jobContext());
  assert.equal(summary.leftovers_removed, 3);
  assert.deepEqual(
    deps.archives.unfinished_objects.map(({ id }) => id),
    ['running', 'elsewhere'],
  );
  assert.deepEqual(
    deps.backups.unfinished_objects.map(({ id }) => id),
    ['foreign'],
  );
});

test('a backup with a nonstandard name is listed, and not deleted', async () => {
  const deps = setUp();
  const names = [
    'before-update.bifract-backup',
    'bifract-backup-20260301-000000.bifract-backup',
    'notes.txt',
  ];
  for (const name of names) await deps.backups.put(name, inPieces(Buffer.from('x'), 1));
  assert.deepEqual(await brief(deps), [['file', names[0], '']]);
  await assert.rejects(clean(deps, await orphans(deps), jobContext()), { code: 'BUSY' });
  assert.ok(await deps.backups.stat(names[0] ?? ''));
});

test('a record whose file has reappeared is left unchanged', async () => {
  const deps = setUp();
  await putFile(deps, addRecord(deps, 1).storage_path);
  const lost = addRecord(deps, 2);
  const found = await orphans(deps);
  await putFile(deps, lost.storage_path);
  await clean(deps, found, jobContext());
  assert.equal(deps.catalog.records.get(lost.id)?.status, 'completed');
});

test('a record whose file is in the other storage is no orphan', async () => {
  const deps = setUp();
  const { id } = addRecord(deps, 1, { storage_type: 's3' });
  const asked: string[] = [];
  const fileExists = async (record: { id: string }) => asked.push(record.id) > 0;
  assert.deepEqual(await orphans({ ...deps, fileExists }), []);
  assert.deepEqual(asked, [id]);
  assert.equal((await orphans({ ...deps, fileExists: async () => false }))[0]?.id, id);
});
