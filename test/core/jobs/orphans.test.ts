import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../../../src/core/adapters/memory-storage.ts';
import { clean } from '../../../src/core/jobs/clean.ts';
import { orphans } from '../../../src/core/jobs/orphans.ts';
import { planAdopt } from '../../../src/core/jobs/plan-adopt.ts';
import type { Leftover } from '../../../src/core/ports/storage.ts';
import { FakeCatalog, FakeState, jobContext } from '../../helpers/fake-ports.ts';
import { inPieces } from '../../helpers/streams.ts';
import { FILE_NAME, FILE_PATH, recordOf } from '../../helpers/targets.ts';

const NOW = new Date('2026-03-10T00:00:00Z');

class LitteredStorage extends MemoryStorage {
  litter: Leftover[] = [];
  override async *leftovers() {
    yield* this.litter;
  }
  override async discard({ id }: Leftover) {
    this.litter = this.litter.filter((one) => one.id !== id);
  }
}

function setUp() {
  return {
    catalog: new FakeCatalog(),
    archives: new LitteredStorage(),
    backups: new LitteredStorage(),
    state: new FakeState(),
    now: () => NOW,
  };
}

type Deps = ReturnType<typeof setUp>;

const other = (seed: number) => FILE_NAME.replace('123456', String(100_000 + seed));

function addRecord({ catalog }: Deps, seed: number, given: Parameters<typeof recordOf>[0] = {}) {
  const id = `aaaaaaaa-0000-4000-8000-${String(seed).padStart(12, '0')}`;
  const storage_path = FILE_PATH.replace(FILE_NAME, other(seed));
  catalog.records.set(id, recordOf({ id, filename: other(seed), storage_path, ...given }));
  return { id, storage_path };
}

/** What was begun, but not marked yet, when its writer died. */
const UNMARKED = FILE_PATH.replace(FILE_NAME, other(9));

const putFile = ({ archives }: Deps, name: string) => archives.put(name, inPieces(Buffer.from('x'), 1));
const brief = async (deps: Deps) =>
  (await orphans(deps)).map(({ kind, id, actions }) => [kind, id, actions.join()]);

test('an installation in order has no orphans', async () => {
  const deps = setUp();
  const { storage_path } = addRecord(deps, 1);
  await putFile(deps, storage_path);
  addRecord(deps, 2, { status: 'failed' });
  addRecord(deps, 3, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  assert.deepEqual(await brief(deps), []);
});

test('a backup that was renamed is shown, and nothing is done about it', async () => {
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

test('what jobs complete or delete while files are listed is no orphan', async () => {
  const deps = setUp();
  const going = addRecord(deps, 1);
  await putFile(deps, going.storage_path);
  const gone = addRecord(deps, 2, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  const { archives, catalog } = deps;
  const list = archives.list.bind(archives);
  archives.list = async function* (...args) {
    yield* list(...args);
    // One is deleted, one comes that is listed and one that is not.
    catalog.records.delete(going.id);
    const record = catalog.records.get(gone.id);
    if (record) catalog.records.set(gone.id, { ...record, status: 'completed' });
    addRecord(deps, 3);
  };
  assert.deepEqual(await brief(deps), []);
});

test('a file whose record comes while files are listed is no orphan, nor to be adopted', async () => {
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

test('a file that a live job writes is no orphan', async () => {
  const deps = setUp();
  await putFile(deps, FILE_PATH);
  await deps.state.note({ id: 'job-9', kind: 'archive', started_at: NOW.toISOString(), object: FILE_PATH });
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

test('when all files are missing, the storage is to blame and nothing is offered', async () => {
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
  assert.match(found[0]?.title ?? '', /check that the archive storage/);
  await assert.rejects(clean(deps, found, jobContext()), { code: 'BUSY' });
  assert.equal(deps.catalog.records.get(one.id)?.status, 'completed');
});

test('a record in progress is dead when its job is, or when it is older than any archive takes', async () => {
  const deps = setUp();
  const dead = addRecord(deps, 1, { status: 'in_progress', created_at: '2026-03-09T23:00:00Z' });
  const old = addRecord(deps, 2, { status: 'in_progress', created_at: '2026-03-08T00:00:00Z' });
  const alive = addRecord(deps, 3, { status: 'in_progress', created_at: '2026-03-08T00:00:00Z' });
  const note = { kind: 'archive' as const, started_at: NOW.toISOString() };
  deps.state.deadNotes = [{ ...note, id: 'job-1', archive_id: dead.id }];
  await deps.state.note({ ...note, id: 'job-3', archive_id: alive.id });
  assert.deepEqual(await brief(deps), [
    ['record', dead.id, 'fail_record'],
    ['record', old.id, 'fail_record'],
  ]);
});

test('what an interrupted archive goes on with is told from what is of no use to anybody', async () => {
  const deps = { ...setUp(), max_duration_ms: 3_600_000 };
  const of = (job: string) => ({
    id: job,
    name: FILE_PATH,
    job,
    size_bytes: 7,
    started_at: NOW.toISOString(),
  });
  deps.archives.litter = [of('young'), of('old'), of('backup')];
  const note = { kind: 'archive', started_at: NOW.toISOString(), object: FILE_PATH } as const;
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
  deps.state.deadNotes = [
    { ...note, id: 'young', archive: archive('2026-03-09T23:30:00Z') },
    { ...note, id: 'old', archive: archive('2026-03-09T22:30:00Z') },
    { ...note, id: 'backup', kind: 'backup' },
  ];
  const found = async () => (await orphans(deps)).map(({ id, goes_on }) => [id, goes_on ?? false]);
  assert.deepEqual((await found())[0], ['young', false], 'a storage that cannot read it back');
  Object.assign(deps.archives, { unfinished: () => inPieces(Buffer.alloc(0), 1) });
  assert.deepEqual(await found(), [
    ['young', true],
    ['old', false],
    ['backup', false],
  ]);
});

test('leftovers of dead runs can be removed; what may be alive cannot', async () => {
  const deps = setUp();
  const leftover = (id: string, job: string | undefined, started_at: string, name = FILE_PATH) => ({
    id,
    name,
    job,
    size_bytes: 7,
    started_at,
  });
  deps.archives.litter = [
    leftover('ours', 'job-dead', NOW.toISOString()),
    leftover('running', 'job-live', '2026-03-01T00:00:00Z'),
    leftover('elsewhere', 'job-unknown', NOW.toISOString()),
    leftover('unmarked', undefined, NOW.toISOString(), UNMARKED),
  ];
  deps.backups.litter = [
    leftover('old', undefined, '2026-03-01T00:00:00Z'),
    leftover('strange', undefined, '2026-03-01T00:00:00Z', 'archives/somebody-elses.tar'),
  ];
  const note = { kind: 'archive', started_at: NOW.toISOString() } as const;
  deps.state.deadNotes = [{ ...note, id: 'job-dead', object: UNMARKED }];
  await deps.state.note({ ...note, id: 'job-live' });
  assert.deepEqual(await brief(deps), [
    ['leftover', 'old', 'discard'],
    ['leftover', 'ours', 'discard'],
    ['leftover', 'elsewhere', ''],
    ['leftover', 'unmarked', 'discard'],
  ]);
  const chosen = (await orphans(deps)).filter(({ actions }) => actions.length > 0);
  const summary = await clean(deps, chosen, jobContext());
  assert.equal(summary.leftovers_removed, 3);
  assert.deepEqual(
    deps.archives.litter.map(({ id }) => id),
    ['running', 'elsewhere'],
  );
  assert.deepEqual(
    deps.backups.litter.map(({ id }) => id),
    ['strange'],
  );
});

test('a backup under another name is told of, and nothing is done to it', async () => {
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

test('what has its other half again by then is left alone', async () => {
  const deps = setUp();
  await putFile(deps, addRecord(deps, 1).storage_path);
  const lost = addRecord(deps, 2);
  const found = await orphans(deps);
  await putFile(deps, lost.storage_path);
  await clean(deps, found, jobContext());
  assert.equal(deps.catalog.records.get(lost.id)?.status, 'completed');
});

test('a record whose file is in the other storage is not lost', async () => {
  const deps = setUp();
  const { id } = addRecord(deps, 1, { storage_type: 's3' });
  const asked: string[] = [];
  const holds = async (record: { id: string }) => asked.push(record.id) > 0;
  assert.deepEqual(await orphans({ ...deps, holds }), []);
  assert.deepEqual(asked, [id]);
  assert.equal((await orphans({ ...deps, holds: async () => false }))[0]?.id, id);
});
