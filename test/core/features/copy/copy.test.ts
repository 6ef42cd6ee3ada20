import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DiskStorage } from '../../../../src/core/adapters/disk/storage.ts';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import { BifractError, cancelled } from '../../../../src/core/contract/errors.ts';
import { recover } from '../../../../src/core/engine/recovery.ts';
import type { CopyPlan } from '../../../../src/core/features/copy/contract.ts';
import { copy, copyRefusal } from '../../../../src/core/features/copy/copy.ts';
import { planCopy } from '../../../../src/core/features/copy/plan.ts';
import { writeBackup } from '../../../../src/core/format/index.ts';
import type { ArchiveRecord } from '../../../../src/core/ports/catalog.ts';
import type { Storage, UnfinishedObject } from '../../../../src/core/ports/storage.ts';
import { refuses } from '../../../contracts/storage.ts';
import { fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeCatalog, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { type FakeParts, fakeServices } from '../../../helpers/fake-services.ts';
import { QUICK_RETRIES, startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';
import { KEY, noisyLines } from '../../../helpers/sealed.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';
import {
  archiveRecord,
  FILE_NAME,
  FILE_PATH,
  numberedLines,
  sealedArchive,
} from '../../../helpers/targets.ts';

const BACKUP = 'bifract-backup-20260301-000000.bifract-backup';
const MANIFEST = { version: '1', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: {} };
/** Enough rows for an upload in several parts. */
const NOISE = 40_000;

const BYTES = await sealedArchive(numberedLines(50));
const OTHER = await sealedArchive(numberedLines(50));

const LIMITS = { max_memory: 0, max_duration_ms: 0, max_error_time_ms: 0 };

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** An archive on disk with its record, and a bucket. */
async function setUp(t: { after(end: () => Promise<void>): void }, bytes = BYTES) {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-copy-'));
  t.after(() => rm(dir, { recursive: true }));
  const lab = await startS3Server();
  t.after(() => lab.stop());
  const disk = new DiskStorage(dir);
  const s3: Storage = openS3Storage(testS3Settings(lab.server.url, { part_mib: 5 }), {
    retry: QUICK_RETRIES,
  });
  const catalog = new FakeCatalog();
  const state = new FakeState();
  await disk.put(FILE_PATH, inPieces(bytes, 65_536));
  const record = matchingRecord(bytes);
  catalog.records.set(record.id, record);
  const parts: Partial<FakeParts> = {
    backups: disk,
    archives: disk,
    storageOf: async (_, type) => (type === 's3' ? s3 : disk),
    catalog,
    state,
    keys: [KEY],
    key: KEY,
    now: new Date(),
    archive_limits: LIMITS,
  };
  return { lab, disk, s3, catalog, state, record, parts, services: fakeServices(parts) };
}

function matchingRecord(bytes: Buffer): ArchiveRecord {
  return archiveRecord({ size_bytes: bytes.length, log_count: bytes.length > 100_000 ? NOISE : 50 });
}

function plan({ services }: SetUp, options: { move?: boolean; to?: 'disk' | 's3' } = {}, target = FILE_PATH) {
  return planCopy(services, [target], { to: 's3', ...options });
}

/** Runs the planned copy. */
async function copied(setup: SetUp, planned: CopyPlan, signal?: AbortSignal) {
  const context = jobContext(signal);
  return {
    summary: await copy(setup.services, { kind: 'copy', plan: planned }, context),
    events: context.events,
  };
}

/** Asserts that original and record are unchanged and that no copy is left. */
async function assertUntouched(
  { disk, s3, record, catalog, lab, state }: SetUp,
  bytes = BYTES,
): Promise<void> {
  assert.ok((await collect(disk.stream(FILE_PATH))).equals(bytes), 'the original is unchanged');
  assert.deepEqual(catalog.records.get(record.id), record);
  assert.equal(await s3.stat(FILE_PATH), undefined, 'no copy');
  assert.equal(lab.server.buckets.get('lab')?.uploads.size, 0, 'no open upload');
  assert.equal(state.records.size, 0, 'no job record');
}

test('a copy is identical, and the record points to it', async (t) => {
  const setup = await setUp(t);
  const planned = await plan(setup, {}, setup.record.id);
  assert.deepEqual(
    planned.items.map(({ name, action, archive_id }) => [name, action, archive_id]),
    [[FILE_PATH, 'copy', setup.record.id]],
  );
  assert.equal(planned.size_bytes, BYTES.length);
  const { summary } = await copied(setup, planned);
  assert.deepEqual([summary.copied, summary.size_bytes, summary.moved], [1, BYTES.length, false]);
  assert.ok((await collect(setup.s3.stream(FILE_PATH))).equals(BYTES));
  assert.ok(await setup.disk.stat(FILE_PATH), 'the original is kept');
  const { storage_type, storage_path } = setup.catalog.records.get(setup.record.id) as ArchiveRecord;
  assert.deepEqual([storage_type, storage_path], ['s3', FILE_PATH]);
  assert.equal(setup.state.records.size, 0);
});

test('a move deletes the original, and can be reversed', async (t) => {
  const setup = await setUp(t);
  await copied(setup, await plan(setup, { move: true }));
  assert.equal(await setup.disk.stat(FILE_PATH), undefined);
  await copied(setup, await plan(setup, { move: true, to: 'disk' }));
  assert.ok((await collect(setup.disk.stream(FILE_PATH))).equals(BYTES));
  assert.equal(await setup.s3.stat(FILE_PATH), undefined);
  assert.equal(setup.catalog.records.get(setup.record.id)?.storage_type, 'disk');
});

test('a backup is copied unchanged, without a record', async (t) => {
  const setup = await setUp(t);
  const dump = inPieces(fakeDump(), 5);
  const { bytes } = writeBackup(MANIFEST, dump, { key: KEY, head: { tool: 'test' } });
  await setup.disk.put(BACKUP, bytes);
  await copied(setup, await plan(setup, {}, BACKUP));
  const original = await collect(setup.disk.stream(BACKUP));
  assert.ok((await collect(setup.s3.stream(BACKUP))).equals(original));
});

test('a damaged original is not copied, wherever the damage is', async (t) => {
  for (const at of [40, Math.floor(BYTES.length / 2), BYTES.length - 30]) {
    const damaged = Buffer.from(BYTES);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const setup = await setUp(t, damaged);
    const thrown = await copied(setup, await plan(setup, { move: true })).catch((error: unknown) => error);
    assert.ok(thrown instanceof BifractError && thrown.exitCode === 5, `byte ${at}: ${thrown}`);
    await assertUntouched(setup, damaged);
  }
});

test('an intact original that differs from its record is not copied', async (t) => {
  const setup = await setUp(t);
  const wrong = { ...setup.record, log_count: 49 };
  setup.catalog.records.set(wrong.id, wrong);
  await refuses('COUNT_DIFFERS', copied(setup, await plan(setup, { move: true })));
  await assertUntouched({ ...setup, record: wrong });
});

test('a different file of that name is never replaced, and an identical one is not copied again', async (t) => {
  const setup = await setUp(t);
  await setup.s3.put(FILE_PATH, inPieces(OTHER, 65_536));
  await refuses('EXISTS', copied(setup, await plan(setup, { move: true })));
  assert.ok((await collect(setup.s3.stream(FILE_PATH))).equals(OTHER));
  assert.deepEqual(setup.catalog.records.get(setup.record.id), setup.record);
  await setup.s3.delete(FILE_PATH);
  await setup.s3.put(FILE_PATH, inPieces(BYTES, 65_536));
  await copied(setup, await plan(setup, { move: true }));
  assert.equal(await setup.disk.stat(FILE_PATH), undefined, 'moved after comparing both');
  assert.ok((await collect(setup.s3.stream(FILE_PATH))).equals(BYTES));
});

test('a full destination keeps nothing, and the original is kept', async (t) => {
  const bytes = await sealedArchive(noisyLines(0, NOISE));
  const setup = await setUp(t, bytes);
  setup.lab.server.fault = ({ operation, part }) =>
    operation === 'upload-part' && part === 2 ? { status: 403, code: 'QuotaExceeded' } : undefined;
  await refuses('STORAGE_FULL', copied(setup, await plan(setup, { move: true })));
  setup.lab.server.fault = undefined;
  await assertUntouched(setup, bytes);
});

test('a file changed or deleted after the plan is not copied', async (t) => {
  const setup = await setUp(t);
  const planned = await plan(setup, { move: true });
  const path = join(setup.disk.location, FILE_PATH);
  await rm(path);
  await writeFile(path, OTHER);
  await refuses('BUSY', copied(setup, planned));
  await assertUntouched(setup, OTHER);
  await rm(path);
  await refuses('BUSY', copied(setup, planned));
  assert.equal(await setup.s3.stat(FILE_PATH), undefined);
});

test('an archive that is no longer completed is not copied', async (t) => {
  const setup = await setUp(t);
  const planned = await plan(setup);
  const restoring: ArchiveRecord = { ...setup.record, status: 'restoring' };
  setup.catalog.records.set(restoring.id, restoring);
  await refuses('BUSY', copied(setup, planned));
  await assertUntouched({ ...setup, record: restoring });
  const refusal = (await plan(setup)).items[0]?.refusal;
  assert.equal(refusal?.code, 'BUSY');
  assert.match(refusal?.message ?? '', /restoring/);
});

test('a move keeps the original if the copy reads back differently', async (t) => {
  const setup = await setUp(t);
  const stream = setup.s3.stream.bind(setup.s3);
  setup.s3.stream = async function* (name, options) {
    for await (const piece of stream(name, options)) {
      piece[0] = (piece[0] ?? 0) ^ 1;
      yield piece;
    }
  };
  await refuses('CHECKSUM_DIFFERS', copied(setup, await plan(setup, { move: true })));
  assert.ok((await collect(setup.disk.stream(FILE_PATH))).equals(BYTES));
  await assertUntouched(setup);
});

test('a move cancelled while its copy is read back leaves no copy', async (t) => {
  const setup = await setUp(t);
  const controller = new AbortController();
  const stream = setup.s3.stream.bind(setup.s3);
  setup.s3.stream = async function* (name, options) {
    controller.abort(cancelled());
    yield* stream(name, options);
  };
  await refuses('CANCELLED', copied(setup, await plan(setup, { move: true }), controller.signal));
  setup.s3.stream = stream;
  await assertUntouched(setup);
});

test('a record that cannot be updated keeps the original, and a second run completes the move', async (t) => {
  const setup = await setUp(t);
  setup.catalog.failures.push(new BifractError('POSTGRES_UNREACHABLE', 'gone'));
  await refuses('POSTGRES_UNREACHABLE', copied(setup, await plan(setup, { move: true })));
  assert.ok(await setup.disk.stat(FILE_PATH));
  assert.equal(setup.catalog.records.get(setup.record.id)?.storage_type, 'disk');
  await copied(setup, await plan(setup, { move: true }));
  assert.equal(setup.catalog.records.get(setup.record.id)?.storage_type, 's3');
  assert.equal(await setup.disk.stat(FILE_PATH), undefined);
});

test('a cancelled copy leaves nothing', async (t) => {
  const bytes = await sealedArchive(noisyLines(0, NOISE));
  const setup = await setUp(t, bytes);
  const controller = new AbortController();
  setup.lab.server.fault = ({ operation }) => {
    if (operation === 'upload-part') controller.abort(cancelled());
    return undefined;
  };
  await refuses('CANCELLED', copied(setup, await plan(setup, { move: true }), controller.signal));
  await assertUntouched(setup, bytes);
});

test('what the plan keeps is no failure of the job, unless it keeps everything', async (t) => {
  const setup = await setUp(t);
  const planned = await planCopy(setup.services, [FILE_PATH, BACKUP, 'what.txt'], { to: 's3' });
  assert.deepEqual(
    planned.items.map(({ refusal }) => refusal?.code),
    [undefined, 'NOT_FOUND', 'USAGE'],
  );
  const refusal = copyRefusal(planned);
  assert.ok(refusal?.code === 'PARTLY_DONE' && refusal.message.includes(BACKUP));
  const context = jobContext();
  const { copied: count, kept } = await copy(setup.services, { kind: 'copy', plan: planned }, context);
  assert.deepEqual([count, kept], [1, 2]);
  const items = context.events.filter((event) => event.event === 'job:item');
  assert.deepEqual(
    items.map(({ ok, message }) => [ok, message.startsWith('kept: ')]),
    [
      [true, false],
      [true, true],
      [true, true],
    ],
  );
  assert.ok(await setup.s3.stat(FILE_PATH));
  const [, missing, invalid] = planned.items;
  assert.ok(missing && invalid);
  const nothing = { ...planned, items: [missing, invalid] };
  await refuses('NOT_FOUND', copy(setup.services, { kind: 'copy', plan: nothing }, jobContext()));
});

test('a file used by a running job is not copied', async (t) => {
  const setup = await setUp(t);
  const planned = await plan(setup);
  const record = {
    id: 'job-9',
    kind: 'verify' as const,
    started_at: '2026-03-01T00:00:00Z',
    object: FILE_PATH,
  };
  await setup.state.save(record);
  await refuses('BUSY', copied(setup, planned));
  assert.equal((await plan(setup)).items[0]?.refusal?.code, 'BUSY');
});

/** A crash before the record is updated: the job record is left, nothing was cleaned up. */
async function crashBeforeRecord(setup: SetUp): Promise<void> {
  const { state, s3, record } = setup;
  await s3.put(FILE_PATH, inPieces(BYTES, 65_536), { job: 'job-0' });
  const copying = { place: 'archives', name: FILE_PATH, to: 's3', archive_id: record.id } as const;
  state.interruptedRecords = [{ id: 'job-0', kind: 'copy', started_at: '2026-03-01T00:00:00Z', copying }];
}

test('a crash between copy and record update: recovery updates the record and keeps the original', async (t) => {
  const setup = await setUp(t);
  await crashBeforeRecord(setup);
  const [action] = await recover(setup.services);
  assert.ok(action?.includes(FILE_PATH) && action.includes(setup.s3.location));
  assert.equal(setup.catalog.records.get(setup.record.id)?.storage_type, 's3');
  assert.ok(await setup.disk.stat(FILE_PATH));
  assert.deepEqual(setup.state.interruptedRecords, []);
});

test('a crash before the copy is complete: the record keeps pointing to the original', async (t) => {
  const setup = await setUp(t);
  await crashBeforeRecord(setup);
  await setup.s3.delete(FILE_PATH);
  const [action] = await recover(setup.services);
  assert.ok(action?.includes(FILE_PATH));
  await assertUntouched(setup);
});

test('a crash with a different file of that name: the record keeps pointing to the original', async (t) => {
  const setup = await setUp(t);
  await crashBeforeRecord(setup);
  await setup.s3.delete(FILE_PATH);
  await setup.s3.put(FILE_PATH, inPieces(OTHER, 65_536));
  const [action] = await recover(setup.services);
  assert.ok(action?.includes(FILE_PATH));
  assert.deepEqual(setup.catalog.records.get(setup.record.id), setup.record);
});

test('of unfinished uploads without job id, only those of interrupted jobs are removed', async (t) => {
  const setup = await setUp(t);
  const base = { kind: 'archive', started_at: '2026-03-01T00:00:00Z' } as const;
  const left: UnfinishedObject[] = ['interrupted', 'restarted', 'unknown'].map((id) => ({
    id,
    name: FILE_PATH.replace('-123456.', `-12345${id.length % 10}.`),
    job: undefined,
    size_bytes: 1,
    started_at: base.started_at,
  }));
  const [interrupted, again] = left;
  setup.disk.listUnfinished = async function* () {
    yield* left;
  };
  const removed: string[] = [];
  setup.disk.discardUnfinished = async ({ id }) => void removed.push(id);
  setup.state.interruptedRecords = [
    { ...base, id: 'job-1', object: interrupted?.name },
    { ...base, id: 'job-2', object: again?.name },
  ];
  await setup.state.save({ ...base, id: 'job-3', object: again?.name });
  await recover(setup.services);
  assert.deepEqual(removed, ['interrupted']);
});

test('the record of an interrupted copy is removed if its storage is no longer configured', async (t) => {
  const setup = await setUp(t);
  await crashBeforeRecord(setup);
  setup.parts.storageOf = async (_, type) => (type === 's3' ? undefined : setup.disk);
  assert.deepEqual(await recover(setup.services), []);
  assert.deepEqual(setup.state.interruptedRecords, []);
});

test('no partial copy is left on disk if S3 fails while it is read', async (t) => {
  const setup = await setUp(t);
  await copied(setup, await plan(setup, { move: true }));
  setup.lab.server.fault = ({ operation }) =>
    operation === 'get-object' ? { status: 403, code: 'AccessDenied' } : undefined;
  await refuses('STORAGE_DENIED', copied(setup, await plan(setup, { move: true, to: 'disk' })));
  setup.lab.server.fault = undefined;
  const left = await readdir(setup.disk.location, { recursive: true });
  assert.ok(!left.some((name) => name.includes(FILE_NAME)), left.join());
  assert.ok((await collect(setup.s3.stream(FILE_PATH))).equals(BYTES));
});
