import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DiskStorage } from '../../../src/core/adapters/disk-storage.ts';
import { openS3Storage } from '../../../src/core/adapters/s3-storage.ts';
import type { CopyPlan } from '../../../src/core/copying.ts';
import { BifractError, cancelled } from '../../../src/core/errors.ts';
import { writeBackup } from '../../../src/core/format/index.ts';
import { copy } from '../../../src/core/jobs/copy.ts';
import { planCopy } from '../../../src/core/jobs/plan-copy.ts';
import { recover } from '../../../src/core/jobs/recover.ts';
import type { ArchiveRecord } from '../../../src/core/ports/catalog.ts';
import type { Leftover, Storage } from '../../../src/core/ports/storage.ts';
import { refuses } from '../../contracts/storage.ts';
import { FakeCatalog, FakeState, jobContext } from '../../helpers/fake-ports.ts';
import { labSettings, QUICK, startLab } from '../../helpers/s3/lab.ts';
import { KEY, noisyLines } from '../../helpers/sealed.ts';
import { collect, inPieces } from '../../helpers/streams.ts';
import { FILE_NAME, FILE_PATH, lines, recordOf, sealedArchive } from '../../helpers/targets.ts';

const BACKUP = 'bifract-backup-20260301-000000.bifract-backup';
const MANIFEST = { version: '1', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: {} };
/** Several parts of an upload. */
const NOISE = 40_000;

const BYTES = await sealedArchive(lines(50));
const OTHER = await sealedArchive(lines(50));

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** An archive on disk with its record, and a bucket beside it. */
async function setUp(t: { after(end: () => Promise<void>): void }, bytes = BYTES) {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-copy-'));
  t.after(() => rm(dir, { recursive: true }));
  const lab = await startLab();
  t.after(() => lab.stop());
  const disk = new DiskStorage(dir);
  const s3: Storage = openS3Storage(labSettings(lab.server.url, { part_mib: 5 }), { patience: QUICK });
  const catalog = new FakeCatalog();
  const state = new FakeState();
  await disk.put(FILE_PATH, inPieces(bytes, 65_536));
  const record = trueRecord(bytes);
  catalog.records.set(record.id, record);
  const storages = {
    backups: async () => disk,
    archives: async () => disk,
    stored: async (_: string, type: 'disk' | 's3') => (type === 's3' ? s3 : disk),
  };
  const deps = { storages, catalog: async () => catalog, keys: [KEY], state, now: new Date() };
  return { lab, disk, s3, catalog, state, record, deps };
}

function trueRecord(bytes: Buffer): ArchiveRecord {
  return recordOf({ size_bytes: bytes.length, log_count: bytes.length > 100_000 ? NOISE : 50 });
}

function plan({ deps }: SetUp, options: { move?: boolean; to?: 'disk' | 's3' } = {}, target = FILE_PATH) {
  return planCopy(deps, [target], { to: 's3', ...options });
}

/** The copy as planned, after `meanwhile`; and what it said. */
async function copied(under: SetUp, planned: CopyPlan, signal?: AbortSignal) {
  const context = jobContext(signal);
  return { summary: await copy(under.deps, planned, context), events: context.events };
}

/** Nothing has changed: original, record, and no trace of the copy. */
async function untouched({ disk, s3, record, catalog, lab, state }: SetUp, bytes = BYTES): Promise<void> {
  assert.ok((await collect(disk.stream(FILE_PATH))).equals(bytes), 'the original is as it was');
  assert.deepEqual(catalog.records.get(record.id), record);
  assert.equal(await s3.stat(FILE_PATH), undefined, 'no copy');
  assert.equal(lab.server.buckets.get('lab')?.uploads.size, 0, 'no open upload');
  assert.equal(state.notes.size, 0, 'no note');
}

test('a copy is the same file, and its record says where it is', async (t) => {
  const under = await setUp(t);
  const planned = await plan(under, {}, under.record.id);
  assert.deepEqual(
    planned.items.map(({ name, action, archive_id }) => [name, action, archive_id]),
    [[FILE_PATH, 'copy', under.record.id]],
  );
  assert.equal(planned.size_bytes, BYTES.length);
  const { summary } = await copied(under, planned);
  assert.deepEqual([summary.copied, summary.size_bytes, summary.moved], [1, BYTES.length, false]);
  assert.ok((await collect(under.s3.stream(FILE_PATH))).equals(BYTES));
  assert.ok(await under.disk.stat(FILE_PATH), 'the original stays');
  const { storage_type, storage_path } = under.catalog.records.get(under.record.id) as ArchiveRecord;
  assert.deepEqual([storage_type, storage_path], ['s3', FILE_PATH]);
  assert.equal(under.state.notes.size, 0);
});

test('a move takes the original away, and back again', async (t) => {
  const under = await setUp(t);
  await copied(under, await plan(under, { move: true }));
  assert.equal(await under.disk.stat(FILE_PATH), undefined);
  await copied(under, await plan(under, { move: true, to: 'disk' }));
  assert.ok((await collect(under.disk.stream(FILE_PATH))).equals(BYTES));
  assert.equal(await under.s3.stat(FILE_PATH), undefined);
  assert.equal(under.catalog.records.get(under.record.id)?.storage_type, 'disk');
});

test('a backup is copied as it is, without a record', async (t) => {
  const under = await setUp(t);
  const dump = inPieces(Buffer.from('PGDMP and more'), 5);
  const { bytes } = writeBackup(MANIFEST, dump, { key: KEY, head: { tool: 'test' } });
  await under.disk.put(BACKUP, bytes);
  await copied(under, await plan(under, {}, BACKUP));
  const original = await collect(under.disk.stream(BACKUP));
  assert.ok((await collect(under.s3.stream(BACKUP))).equals(original));
});

test('a damaged original is not copied, wherever the damage is', async (t) => {
  for (const at of [40, Math.floor(BYTES.length / 2), BYTES.length - 30]) {
    const damaged = Buffer.from(BYTES);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const under = await setUp(t, damaged);
    const thrown = await copied(under, await plan(under, { move: true })).catch((error: unknown) => error);
    assert.ok(thrown instanceof BifractError && thrown.exitCode === 5, `byte ${at}: ${thrown}`);
    await untouched(under, damaged);
  }
});

test('an original that is whole, but not what its record says, is not copied', async (t) => {
  const under = await setUp(t);
  const wrong = { ...under.record, log_count: 49 };
  under.catalog.records.set(wrong.id, wrong);
  await refuses('COUNT_DIFFERS', copied(under, await plan(under, { move: true })));
  await untouched({ ...under, record: wrong });
});

test('another file of that name is never replaced, and the same one is not copied again', async (t) => {
  const under = await setUp(t);
  await under.s3.put(FILE_PATH, inPieces(OTHER, 65_536));
  await refuses('EXISTS', copied(under, await plan(under, { move: true })));
  assert.ok((await collect(under.s3.stream(FILE_PATH))).equals(OTHER));
  assert.deepEqual(under.catalog.records.get(under.record.id), under.record);
  await under.s3.delete(FILE_PATH);
  await under.s3.put(FILE_PATH, inPieces(BYTES, 65_536));
  await copied(under, await plan(under, { move: true }));
  assert.equal(await under.disk.stat(FILE_PATH), undefined, 'moved: the two were compared');
  assert.ok((await collect(under.s3.stream(FILE_PATH))).equals(BYTES));
});

test('a target without room keeps nothing, and the original stays', async (t) => {
  const bytes = await sealedArchive(noisyLines(0, NOISE));
  const under = await setUp(t, bytes);
  under.lab.server.fault = ({ operation, part }) =>
    operation === 'upload-part' && part === 2 ? { status: 403, code: 'QuotaExceeded' } : undefined;
  await refuses('STORAGE_FULL', copied(under, await plan(under, { move: true })));
  under.lab.server.fault = undefined;
  await untouched(under, bytes);
});

test('what has changed, or went, since the plan is not copied', async (t) => {
  const under = await setUp(t);
  const planned = await plan(under, { move: true });
  const path = join(under.disk.location, FILE_PATH);
  await rm(path);
  await writeFile(path, OTHER);
  await refuses('BUSY', copied(under, planned));
  await untouched(under, OTHER);
  await rm(path);
  await refuses('BUSY', copied(under, planned));
  assert.equal(await under.s3.stat(FILE_PATH), undefined);
});

test('a record that is no longer completed stops its copy', async (t) => {
  const under = await setUp(t);
  const planned = await plan(under);
  const restoring: ArchiveRecord = { ...under.record, status: 'restoring' };
  under.catalog.records.set(restoring.id, restoring);
  await refuses('BUSY', copied(under, planned));
  await untouched({ ...under, record: restoring });
  const refusal = (await plan(under)).items[0]?.refusal;
  assert.deepEqual([refusal?.code, refusal?.message], ['BUSY', 'Its record says: restoring']);
});

test('a move keeps the original where the copy reads back otherwise', async (t) => {
  const under = await setUp(t);
  const stream = under.s3.stream.bind(under.s3);
  under.s3.stream = async function* (name, options) {
    for await (const piece of stream(name, options)) {
      piece[0] = (piece[0] ?? 0) ^ 1;
      yield piece;
    }
  };
  await refuses('CHECKSUM_DIFFERS', copied(under, await plan(under, { move: true })));
  assert.ok((await collect(under.disk.stream(FILE_PATH))).equals(BYTES));
  await untouched(under);
});

test('a move that is cancelled while its copy is read back leaves nothing of it', async (t) => {
  const under = await setUp(t);
  const controller = new AbortController();
  const stream = under.s3.stream.bind(under.s3);
  under.s3.stream = async function* (name, options) {
    controller.abort(cancelled());
    yield* stream(name, options);
  };
  await refuses('CANCELLED', copied(under, await plan(under, { move: true }), controller.signal));
  under.s3.stream = stream;
  await untouched(under);
});

test('a record that cannot be written keeps the original, and the next try ends it', async (t) => {
  const under = await setUp(t);
  under.catalog.failures.push(new BifractError('POSTGRES_UNREACHABLE', 'gone'));
  await refuses('POSTGRES_UNREACHABLE', copied(under, await plan(under, { move: true })));
  assert.ok(await under.disk.stat(FILE_PATH));
  assert.equal(under.catalog.records.get(under.record.id)?.storage_type, 'disk');
  await copied(under, await plan(under, { move: true }));
  assert.equal(under.catalog.records.get(under.record.id)?.storage_type, 's3');
  assert.equal(await under.disk.stat(FILE_PATH), undefined);
});

test('a cancelled copy leaves nothing', async (t) => {
  const bytes = await sealedArchive(noisyLines(0, NOISE));
  const under = await setUp(t, bytes);
  const controller = new AbortController();
  under.lab.server.fault = ({ operation }) => {
    if (operation === 'upload-part') controller.abort(cancelled());
    return undefined;
  };
  await refuses('CANCELLED', copied(under, await plan(under, { move: true }), controller.signal));
  await untouched(under, bytes);
});

test('one of several that fails is named, and the others are copied', async (t) => {
  const under = await setUp(t);
  const planned = await planCopy(under.deps, [FILE_PATH, BACKUP, 'what.txt'], { to: 's3' });
  const context = jobContext();
  await assert.rejects(
    copy(under.deps, planned, context),
    (error: BifractError) => error.code === 'PARTLY_DONE' && error.message.includes(BACKUP),
  );
  const items = context.events.filter((event) => event.event === 'job:item');
  assert.deepEqual(
    items.map(({ ok, error }) => [ok, error?.code]),
    [
      [true, undefined],
      [false, 'NOT_FOUND'],
      [false, 'USAGE'],
    ],
  );
  assert.ok(await under.s3.stat(FILE_PATH));
});

test('a file that a live job works on waits', async (t) => {
  const under = await setUp(t);
  const planned = await plan(under);
  const note = {
    id: 'job-9',
    kind: 'verify' as const,
    started_at: '2026-03-01T00:00:00Z',
    object: FILE_PATH,
  };
  await under.state.note(note);
  await refuses('BUSY', copied(under, planned));
  assert.equal((await plan(under)).items[0]?.refusal?.code, 'BUSY');
});

/** Death of the process when the record was to be written: the note stays, and nothing was tidied. */
async function killedBeforeRecord(under: SetUp): Promise<void> {
  const { state, s3, record } = under;
  await s3.put(FILE_PATH, inPieces(BYTES, 65_536), { job: 'job-0' });
  const copying = { place: 'archives', name: FILE_PATH, to: 's3', archive_id: record.id } as const;
  state.deadNotes = [{ id: 'job-0', kind: 'copy', started_at: '2026-03-01T00:00:00Z', copying }];
}

function recovered({ deps, state }: SetUp): Promise<string[]> {
  const never = () => Promise.reject(new Error('not asked'));
  return recover({
    ...deps.storages,
    state,
    catalog: deps.catalog,
    key: async () => KEY,
    server: never,
    app: never,
  });
}

test('killed between copy and record: the record gets the new place, and the original stays', async (t) => {
  const under = await setUp(t);
  await killedBeforeRecord(under);
  const [said] = await recovered(under);
  assert.match(said ?? '', /was copied to s3:.*the original is kept/);
  assert.equal(under.catalog.records.get(under.record.id)?.storage_type, 's3');
  assert.ok(await under.disk.stat(FILE_PATH));
  assert.deepEqual(under.state.deadNotes, []);
});

test('killed before the copy was whole: the record names the original', async (t) => {
  const under = await setUp(t);
  await killedBeforeRecord(under);
  await under.s3.delete(FILE_PATH);
  const [said] = await recovered(under);
  assert.match(said ?? '', /is not there, and can be copied again/);
  await untouched(under);
});

test('killed while another file has the name there: the record stays with the original', async (t) => {
  const under = await setUp(t);
  await killedBeforeRecord(under);
  await under.s3.delete(FILE_PATH);
  await under.s3.put(FILE_PATH, inPieces(OTHER, 65_536));
  const [said] = await recovered(under);
  assert.match(said ?? '', /another file of that name/);
  assert.deepEqual(under.catalog.records.get(under.record.id), under.record);
});

test('of unfinished uploads without a mark, only those of the dead go', async (t) => {
  const under = await setUp(t);
  const note = { kind: 'archive', started_at: '2026-03-01T00:00:00Z' } as const;
  const left: Leftover[] = ['dead', 'begun-again', 'unknown'].map((id) => ({
    id,
    name: FILE_PATH.replace('-123456.', `-12345${id.length % 10}.`),
    job: undefined,
    size_bytes: 1,
    started_at: note.started_at,
  }));
  const [dead, again] = left;
  under.disk.leftovers = async function* () {
    yield* left;
  };
  const gone: string[] = [];
  under.disk.discard = async ({ id }) => void gone.push(id);
  under.state.deadNotes = [
    { ...note, id: 'job-1', object: dead?.name },
    { ...note, id: 'job-2', object: again?.name },
  ];
  await under.state.note({ ...note, id: 'job-3', object: again?.name });
  await recovered(under);
  assert.deepEqual(gone, ['dead']);
});

test('a dead copy whose storage is not set up any more is forgotten', async (t) => {
  const under = await setUp(t);
  await killedBeforeRecord(under);
  under.deps.storages.stored = async (_, type) => (type === 's3' ? undefined : under.disk) as Storage;
  assert.deepEqual(await recovered(under), []);
  assert.deepEqual(under.state.deadNotes, []);
});

test('nothing of a copy is left on disk where S3 breaks while it is read', async (t) => {
  const under = await setUp(t);
  await copied(under, await plan(under, { move: true }));
  under.lab.server.fault = ({ operation }) =>
    operation === 'get-object' ? { status: 403, code: 'AccessDenied' } : undefined;
  await refuses('STORAGE_DENIED', copied(under, await plan(under, { move: true, to: 'disk' })));
  under.lab.server.fault = undefined;
  const left = await readdir(under.disk.location, { recursive: true });
  assert.ok(!left.some((name) => name.includes(FILE_NAME)), left.join());
  assert.ok((await collect(under.s3.stream(FILE_PATH))).equals(BYTES));
});
