import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { DiskStorage } from '../../../../src/core/adapters/disk/storage.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import type { JobEvent } from '../../../../src/core/contract/events.ts';
import { JobQueryService } from '../../../../src/core/engine/job-queries.ts';
import { recover } from '../../../../src/core/engine/recovery.ts';
import {
  type ArchiveDeps,
  type ArchiveOptions,
  archive,
} from '../../../../src/core/features/archive/archive.ts';
import type { ArchiveRestoreCheckpoint } from '../../../../src/core/features/archive-restore/checkpoint.ts';
import { generateKey, parseKey } from '../../../../src/core/format/index.ts';
import type { JobBus } from '../../../../src/core/ports/job-bus.ts';
import type { PutOptions, UnfinishedObject } from '../../../../src/core/ports/storage.ts';
import { refuses } from '../../../contracts/storage.ts';
import { fakeArchiveRestorePlan } from '../../../helpers/fake-engine.ts';
import {
  FakeCatalog,
  FakeLogs,
  FakeState,
  FRACTAL_ID,
  jobContext,
  lineOf,
} from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { openContent } from '../../../helpers/plain-reader.ts';

const DAY_MS = 86_400_000;
/** Twelve rows a day, from 1 March 2026. */
const STEP = 7200;
const OPTIONS = { fractal_id: FRACTAL_ID, fields: true };
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-continue-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Simulates kill -9: whatever ends the writing, the partial file stays. */
class CrashingStorage extends DiskStorage {
  crashing = true;
  crashed = () => false;
  override async discardUnfinished(object: UnfinishedObject) {
    if (!this.crashing || !this.crashed()) await super.discardUnfinished(object);
  }
  override put(name: string, content: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
    return super.put(name, content, this.crashing ? { ...options, keepUnfinished: () => true } : options);
  }
}

function setUp(rows: number, hex = generateKey()) {
  const deps = {
    catalog: new FakeCatalog(),
    logs: new FakeLogs(rows, STEP),
    storage: new CrashingStorage(dir),
    state: new FakeState(),
    key: parseKey(hex),
    version: '1.0.0',
    max_memory: 1e9,
    max_duration_ms: DAY_MS,
    max_error_time_ms: 60_000,
    first_wait_ms: 1,
  } satisfies ArchiveDeps;
  return { deps, hex };
}
type Deps = ReturnType<typeof setUp>['deps'];

/** Runs an archive that crashes before it writes the row, and leaves everything as it was at that moment. */
async function crash(
  deps: Deps,
  row: number,
  options: Partial<ArchiveOptions> = {},
  id = 'job-dead',
): Promise<void> {
  const crashed = Promise.withResolvers<void>();
  const { failArchive } = deps.catalog;
  deps.logs.failAt = { row, error: new BifractError('INTERNAL', 'killed'), times: 1 };
  deps.storage.crashing = true;
  deps.catalog.failArchive = () => {
    crashed.resolve();
    return new Promise(() => undefined);
  };
  const now = () => new Date(`2026-03-01T12:34:${10 + deps.catalog.records.size}Z`);
  const context = { ...jobContext(), id, now };
  await Promise.race([crashed.promise, archive(deps, { ...OPTIONS, ...options }, context)]);
  deps.catalog.failArchive = failArchive;
  deps.storage.crashing = false;
  const record = deps.state.records.get(id);
  if (!record) return;
  deps.state.records.delete(id);
  deps.state.interruptedRecords.push(record);
}

const recoverAll = (
  { state, catalog, key, storage, ...limits }: Deps,
  now = new Date('2026-03-01T12:40:00Z'),
) =>
  recover(
    fakeServices({
      state,
      catalog,
      key,
      backups: storage,
      archives: storage,
      storageOf: async () => undefined,
      archive_limits: limits,
      now,
    }),
  );

async function rowsOf({ storage }: Deps, hex: string): Promise<string[]> {
  const rows: string[] = [];
  for await (const { name, size_bytes } of storage.list('')) {
    rows.push(
      ...openContent(await storage.read(name, 0, size_bytes), hex)
        .toString()
        .trimEnd()
        .split('\n')
        .slice(1),
    );
  }
  return rows;
}

const all = (rows: number) => Array.from({ length: rows }, (_, row) => lineOf(row, STEP));
const timesOf = (lines: string[]) => lines.map((line) => (JSON.parse(line) as { ts: string }).ts).sort();
const partials = async () =>
  (await readdir(dir, { recursive: true })).filter((path) => path.endsWith('.partial')).length;
const statuses = async ({ catalog }: Deps) => (await catalog.archives()).map(({ status }) => status);

const ZEROS = Buffer.alloc(600_000);

/** More than one frame of rows, so that some of them are in the file when the job crashes. */
function large(deps: Deps): void {
  const { lines } = deps.logs;
  deps.logs.lines = async function* (window, options) {
    for await (const { bytes } of lines.call(deps.logs, window, options)) {
      const row = JSON.parse(bytes.toString());
      const key = createHash('sha256').update(row.ts).digest();
      const noise = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(ZEROS);
      const line = JSON.stringify({ ...row, raw: noise.toString('base64') });
      yield { bytes: Buffer.from(`${line}\n`), lines: 1 };
    }
  };
}

test('a killed archive resumes without querying stored rows again, and no row is lost or duplicated', async () => {
  const { deps, hex } = setUp(20);
  large(deps);
  await crash(deps, 15);
  assert.equal(await partials(), 1);
  const [recovered, ...others] = await recoverAll(deps);
  assert.match(recovered ?? '', /\.bifract-archive/);
  assert.deepEqual(others, []);
  assert.deepEqual(await recoverAll(deps), [], 'reported once');
  const [record] = await deps.catalog.archives();
  assert.equal(record?.status, 'failed');
  assert.ok(record.error_message);
  assert.equal(deps.catalog.allGroups[0]?.status, 'failed');
  assert.equal(await partials(), 1);

  const context = { ...jobContext(), id: 'job-2' };
  const summary = await archive(deps, OPTIONS, context);
  assert.deepEqual([summary.continued, summary.archive_id, summary.log_count], [true, record?.id, 20]);
  const start = Number(deps.logs.calls.at(-1)?.start?.ms);
  assert.ok(start > Date.parse('2026-03-01T00:00:00Z'), 'starts after the stored rows');
  assert.deepEqual(
    (await rowsOf(deps, hex)).map((line) => JSON.parse(line).ts),
    all(20).map((line) => JSON.parse(line).ts),
  );
  assert.deepEqual([await statuses(deps), await partials()], [['completed'], 0]);
  assert.deepEqual([await deps.state.running(), await deps.state.interrupted()], [[], []]);
  assert.equal(deps.catalog.allGroups[0]?.status, 'completed');
});

test('a resumed file uses its own base: no nonce is used twice', async () => {
  const { deps } = setUp(20);
  large(deps);
  await crash(deps, 15);
  const [object] = await Array.fromAsync(deps.storage.listUnfinished());
  assert.ok(object);
  const [before] = await Array.fromAsync(deps.storage.readUnfinished(object));
  const { storage_path } = await archive(deps, OPTIONS, { ...jobContext(), id: 'job-2' });
  const after = await deps.storage.read(storage_path ?? '', 0, 32);
  assert.notDeepEqual(after, before?.subarray(0, 32));
});

test('an archive can be interrupted repeatedly', async () => {
  const { deps, hex } = setUp(24);
  large(deps);
  for (const [round, row] of [12, 15, 9, 20].entries()) {
    await crash(deps, row, {}, `job-${round}`);
    await recoverAll(deps);
  }
  await archive(deps, OPTIONS, { ...jobContext(), id: 'job-last' });
  assert.equal((await rowsOf(deps, hex)).length, 24);
  assert.equal(new Set((await rowsOf(deps, hex)).map((line) => JSON.parse(line).ts)).size, 24);
  assert.deepEqual([await statuses(deps), await partials()], [['completed'], 0]);
});

test('each crash leaves a partial file, and only the longest of the earlier ones is kept', async () => {
  const { deps, hex } = setUp(24);
  large(deps);
  deps.storage.crashed = () => deps.logs.failAt?.times === 0;
  for (const [round, row] of [12, 15, 17, 20].entries()) {
    await crash(deps, row, {}, `job-${round}`);
    await recoverAll(deps);
    assert.equal(await partials(), Math.min(2, round + 1));
  }
  await archive(deps, OPTIONS, { ...jobContext(), id: 'job-last' });
  assert.deepEqual(timesOf(await rowsOf(deps, hex)), timesOf(all(24)));
  assert.deepEqual([await statuses(deps), await partials()], [['completed'], 0]);
});

test('a resumed split archive keeps completed days, and completes its group', async () => {
  const { deps, hex } = setUp(40);
  await crash(deps, 30, { split: 'day' });
  await recoverAll(deps);
  assert.deepEqual(await statuses(deps), ['completed', 'completed', 'failed']);
  assert.equal(deps.catalog.allGroups[0]?.status, 'partial');
  const summary = await archive(deps, { ...OPTIONS, split: 'day' }, { ...jobContext(), id: 'job-2' });
  assert.deepEqual(
    summary.children.map(({ period_label, log_count }) => [period_label, log_count]),
    [
      ['2026-03-03', 12],
      ['2026-03-04', 4],
    ],
  );
  assert.deepEqual(await rowsOf(deps, hex), all(40));
  assert.deepEqual(await statuses(deps), ['completed', 'completed', 'completed', 'completed']);
  const [group, ...others] = deps.catalog.allGroups;
  assert.deepEqual([group?.status, group?.archive_count, others], ['completed', 4, []]);
});

test('resuming also archives a day that failed before the crash', async () => {
  const { deps, hex } = setUp(40);
  const { lines } = deps.logs;
  deps.logs.lines = async function* (window, options) {
    if (window.from === '2026-03-02T00:00:00.000Z') throw new BifractError('QUERY_FAILED', 'broken part');
    yield* lines.call(deps.logs, window, options);
  };
  await crashAfterFailure(deps, hex);
});

/** The second day fails, and the job crashes on the fourth. */
async function crashAfterFailure(deps: Deps, hex: string): Promise<void> {
  const { failArchive } = deps.catalog;
  const crashed = Promise.withResolvers<void>();
  let failures = 0;
  deps.catalog.failArchive = async (id, message) => {
    if (++failures === 1) return failArchive.call(deps.catalog, id, message);
    crashed.resolve();
    return new Promise(() => undefined);
  };
  deps.logs.failAt = { row: 38, error: new BifractError('INTERNAL', 'killed'), times: 1 };
  const context = { ...jobContext(), id: 'job-2' };
  await Promise.race([crashed.promise, archive(deps, { ...OPTIONS, split: 'day' }, context)]);
  deps.catalog.failArchive = failArchive;
  deps.storage.crashing = false;
  deps.state.interruptedRecords.push(...deps.state.records.values());
  deps.state.records.clear();
  await recoverAll(deps);
  assert.deepEqual(await statuses(deps), ['completed', 'failed', 'completed', 'failed']);

  deps.logs.lines = new FakeLogs(40, STEP).lines.bind(new FakeLogs(40, STEP));
  const summary = await archive(deps, { ...OPTIONS, split: 'day' }, { ...jobContext(), id: 'job-3' });
  assert.deepEqual(
    summary.children.map(({ period_label }) => period_label),
    ['2026-03-02', '2026-03-04'],
  );
  assert.deepEqual(await statuses(deps), ['completed', 'completed', 'completed', 'completed']);
  assert.deepEqual(await rowsOf(deps, hex), all(40));
  assert.deepEqual(
    [deps.catalog.allGroups[0]?.status, deps.catalog.allGroups[0]?.archive_count],
    ['completed', 4],
  );
}

test('a resumed archive ends where it would have ended originally', async () => {
  const { deps, hex } = setUp(20);
  large(deps);
  await crash(deps, 15);
  const later = new FakeLogs(30, STEP);
  large({ ...deps, logs: later });
  const context = { ...jobContext(), id: 'job-2' };
  const { log_count } = await archive({ ...deps, logs: later }, OPTIONS, context);
  assert.equal(log_count, 20);
  assert.equal((await rowsOf(deps, hex)).length, 20);
  const warning = context.events.find(({ event }) => event === 'job:warning');
  assert.match(JSON.stringify(warning), /2026-03-02T14:00:00.000Z/);
});

test('a different request, a fresh one and one past the time limit do not resume', async () => {
  const { deps } = setUp(20);
  large(deps);
  await crash(deps, 15);
  await recoverAll(deps);
  const other = await archive(deps, { ...OPTIONS, fields: false }, { ...jobContext(), id: 'job-2' });
  assert.deepEqual([other.continued, await partials()], [false, 1]);
  const later = () => new Date('2026-03-01T12:35:00Z');
  const fresh = await archive(
    deps,
    { ...OPTIONS, fresh: true },
    { ...jobContext(), id: 'job-3', now: later },
  );
  assert.deepEqual([fresh.continued, await partials()], [false, 0]);
  assert.deepEqual(await deps.state.interrupted(), []);

  await crash(deps, 15, { from: '2026-03-01T00:00:00Z' }, 'job-4');
  assert.equal((await statuses(deps)).at(-1), 'in_progress');
  const recovered = await recoverAll(deps, new Date('2026-03-03T00:00:00Z'));
  assert.ok(recovered.some((text) => text.includes('.bifract-archive')));
  assert.equal((await statuses(deps)).at(-1), 'failed');
  assert.deepEqual([await partials(), await deps.state.interrupted()], [0, []]);
});

test('a partial file under another key is ignored', async () => {
  const { deps, hex } = setUp(20);
  large(deps);
  await crash(deps, 15);
  const otherKey = { ...deps, key: parseKey(generateKey()) };
  const summary = await archive(otherKey, OPTIONS, { ...jobContext(), id: 'job-2' });
  assert.deepEqual([summary.continued, summary.log_count], [true, 20]);
  await assert.rejects(rowsOf(deps, hex));
  assert.equal(deps.logs.calls.at(-1)?.start, undefined);
});

test('an archive that cannot be resumed yet keeps its partial data', async () => {
  const { deps, hex } = setUp(20);
  large(deps);
  await crash(deps, 15);
  await recoverAll(deps);
  const { reopenArchive } = deps.catalog;
  deps.catalog.reopenArchive = () => Promise.reject(new BifractError('BUSY', 'In use'));
  await assert.rejects(archive(deps, OPTIONS, { ...jobContext(), id: 'job-2' }), { code: 'BUSY' });
  assert.deepEqual([await partials(), (await deps.state.interrupted()).map(({ id }) => id)], [1, ['job-2']]);
  deps.catalog.reopenArchive = reopenArchive;
  const { continued } = await archive(deps, OPTIONS, { ...jobContext(), id: 'job-3' });
  assert.deepEqual([continued, await partials(), await deps.state.interrupted()], [true, 0, []]);
  assert.notEqual(deps.logs.calls.at(-1)?.start, undefined);
  assert.deepEqual(timesOf(await rowsOf(deps, hex)), timesOf(all(20)));
});

test('cancelling before the resume deletes the partial data', async () => {
  const { deps } = setUp(20);
  large(deps);
  await crash(deps, 15);
  await recoverAll(deps);
  const controller = new AbortController();
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  deps.catalog.reopenArchive = () => {
    controller.abort(reason);
    return Promise.reject(reason);
  };
  const context = { ...jobContext(controller.signal), id: 'job-2' };
  await assert.rejects(archive(deps, OPTIONS, context), { code: 'CANCELLED' });
  assert.deepEqual(
    [await partials(), await deps.state.interrupted(), await deps.state.running()],
    [0, [], []],
  );
});

test('partial data of a later day survives a crash on an earlier day', async () => {
  const { deps, hex } = setUp(40);
  large(deps);
  const { lines } = deps.logs;
  let broken = true;
  deps.logs.lines = async function* (window, options) {
    if (broken && window.from === '2026-03-02T00:00:00.000Z')
      throw new BifractError('QUERY_FAILED', 'broken part');
    yield* lines.call(deps.logs, window, options);
  };
  const { failArchive } = deps.catalog;
  const crashed = Promise.withResolvers<void>();
  let failures = 0;
  deps.storage.crashing = false;
  deps.catalog.failArchive = async (id, message) => {
    // The partial file of the failed day is deleted, since that is no crash.
    deps.storage.crashing = true;
    if (++failures === 1) return failArchive.call(deps.catalog, id, message);
    crashed.resolve();
    return new Promise(() => undefined);
  };
  deps.logs.failAt = { row: 34, error: new BifractError('INTERNAL', 'killed'), times: 1 };
  const context = { ...jobContext(), id: 'job-1' };
  await Promise.race([crashed.promise, archive(deps, { ...OPTIONS, split: 'day' }, context)]);
  deps.catalog.failArchive = failArchive;
  deps.state.interruptedRecords.push(...deps.state.records.values());
  deps.state.records.clear();
  await recoverAll(deps);
  broken = false;
  await crash(deps, 20, { split: 'day' }, 'job-2');
  await recoverAll(deps);
  assert.equal(await partials(), 2);
  const summary = await archive(deps, { ...OPTIONS, split: 'day' }, { ...jobContext(), id: 'job-3' });
  assert.deepEqual(
    summary.children.map(({ period_label }) => period_label),
    ['2026-03-02', '2026-03-03', '2026-03-04'],
  );
  assert.deepEqual(
    [await partials(), await deps.state.interrupted(), await deps.state.running()],
    [0, [], []],
  );
  assert.deepEqual(timesOf(await rowsOf(deps, hex)), timesOf(all(40)));
  const third = deps.logs.calls.findLast(({ from }) => from === '2026-03-03T00:00:00.000Z');
  assert.notEqual(third?.start, undefined, 'stored rows are not queried again');
});

test('when retries are exhausted, partial data is kept and the next call resumes', async () => {
  const { deps, hex } = setUp(20);
  large(deps);
  deps.storage.crashing = false;
  deps.logs.failAt = { row: 15, error: new BifractError('QUERY_FAILED', 'no memory', { transient: true }) };
  await assert.rejects(
    archive({ ...deps, max_error_time_ms: 20 }, OPTIONS, { ...jobContext(), id: 'job-1' }),
    {
      code: 'QUERY_FAILED',
      message: /no memory/,
    },
  );
  assert.deepEqual([await partials(), (await deps.state.interrupted()).length], [1, 1]);
  await recoverAll(deps);
  assert.match((await deps.catalog.archives())[0]?.error_message ?? '', /no memory/, 'the reason is kept');
  deps.logs.failAt = undefined;
  const summary = await archive(deps, OPTIONS, { ...jobContext(), id: 'job-2' });
  assert.deepEqual([summary.continued, summary.log_count, await partials()], [true, 20, 0]);
  assert.equal((await rowsOf(deps, hex)).length, 20);
});

test('if the storage cannot read partial files, completed days are kept and the interrupted one starts over', async () => {
  const { deps, hex } = setUp(40);
  Object.defineProperty(deps.storage, 'readUnfinished', { value: undefined });
  await crash(deps, 30, { split: 'day' });
  await recoverAll(deps);
  assert.equal(await partials(), 0, 'useless partial files are deleted');
  const summary = await archive(deps, { ...OPTIONS, split: 'day' }, { ...jobContext(), id: 'job-2' });
  assert.deepEqual([summary.continued, summary.log_count], [true, 16]);
  assert.deepEqual([await rowsOf(deps, hex), await deps.state.interrupted()], [all(40), []]);
  assert.deepEqual(await statuses(deps), ['completed', 'completed', 'completed', 'completed']);
});

function jobsOf({ state, catalog }: Deps): JobQueryService {
  const jobBus = { ids: async () => [] } as unknown as JobBus<JobEvent>;
  return new JobQueryService({ jobBus: jobBus, state, catalog: async () => catalog, now: () => new Date() });
}

test('an interrupted archive is found by job, record and group id, and by nothing else', async () => {
  const { deps, hex } = setUp(40);
  const window = { from: '2026-03-01T06:00:00.000Z', to: '2026-03-03T12:00:00.000Z' };
  await crash(deps, 20, { split: 'day', ...window });
  const [record] = await deps.state.interrupted();
  const jobs = jobsOf(deps);
  const request = await jobs.resumeRequest('job-dead');
  assert.equal(request.kind, 'archive');
  assert.equal(request.kind === 'archive' && request.fractal_name, 'web-prod');
  assert.deepEqual(await jobs.resumeRequest(record?.archive_id ?? ''), request);
  assert.deepEqual(await jobs.resumeRequest(record?.archive?.group_id ?? ''), request);
  await refuses('NOT_FOUND', jobs.resumeRequest('job-other'));
  const result = await archive(deps, request as ArchiveOptions, jobContext());
  assert.equal(result.continued, true);
  assert.equal((await rowsOf(deps, hex)).length, 27);
  await refuses('NOT_FOUND', jobs.resumeRequest('job-dead'));
});

test('the request to resume an interrupted restore is its plan', async () => {
  const { deps } = setUp(1);
  const plan = fakeArchiveRestorePlan();
  const restoring = { plan, archive_ids: ['a2'] } as ArchiveRestoreCheckpoint;
  const started_at = '2026-03-01T12:00:00Z';
  deps.state.interruptedRecords.push({
    id: 'job-r',
    kind: 'restore-archive',
    started_at,
    archive_id: 'a1',
    restoring,
  });
  for (const id of ['job-r', 'a2'])
    assert.deepEqual(await jobsOf(deps).resumeRequest(id), { kind: 'restore-archive', plan });
  // A job that gave up, in a process that is still running.
  deps.state.interruptedRecords = [];
  const plan_left = { plan, archive_ids: [], left: true } as unknown as ArchiveRestoreCheckpoint;
  await deps.state.save({ id: 'job-l', kind: 'restore-archive', started_at, restoring: plan_left });
  assert.deepEqual(await jobsOf(deps).resumeRequest('job-l'), { kind: 'restore-archive', plan });
});

test('a job record is written once per file, and again when the group is known', async () => {
  const { deps } = setUp(40);
  const saved: (string | undefined)[] = [];
  const { save: record } = deps.state;
  deps.state.save = (one) => {
    saved.push(one.archive?.window.label ?? undefined);
    return record.call(deps.state, one);
  };
  await archive(deps, { ...OPTIONS, split: 'day' }, jobContext());
  assert.deepEqual(saved, ['2026-03-01', '2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04']);
});
