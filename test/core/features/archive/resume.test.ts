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
import { resumableIds } from '../../../../src/core/engine/resumable.ts';
import { archive } from '../../../../src/core/features/archive/archive.ts';
import type { ArchiveJobRequest } from '../../../../src/core/features/archive/contract.ts';
import type { ArchiveRestoreCheckpoint } from '../../../../src/core/features/archive-restore/checkpoint.ts';
import { parseKey } from '../../../../src/core/format/index.ts';
import type { JobBus } from '../../../../src/core/ports/job-bus.ts';
import type { InstallationInfo } from '../../../../src/core/ports/services.ts';
import type { PutOptions, UnfinishedObject } from '../../../../src/core/ports/storage.ts';
import { refuses } from '../../../contracts/storage.ts';
import { archiveParts } from '../../../helpers/archive-parts.ts';
import { fakeArchiveRestorePlan } from '../../../helpers/fake-engine.ts';
import { FakeLogs, FRACTAL_ID, jobContext, lineOf } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { openContent } from '../../../helpers/plain-reader.ts';

const DAY_MS = 86_400_000;
/** Twelve rows a day, from 1 March 2026. */
const STEP = 7200;
const OPTIONS = { kind: 'archive' as const, fractal_id: FRACTAL_ID };
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

function setUp(rows: number) {
  const { parts, hex } = archiveParts(rows, { step: STEP, archives: new CrashingStorage(dir) });
  parts.archive_limits.max_duration_ms = DAY_MS;
  return { parts, hex };
}
type Parts = ReturnType<typeof setUp>['parts'];

/** Runs an archive that crashes before it writes the row, and leaves everything as it was at that moment. */
async function crash(
  parts: Parts,
  row: number,
  options: Partial<ArchiveJobRequest> = {},
  id = 'job-dead',
): Promise<void> {
  const crashed = Promise.withResolvers<void>();
  const { failArchive } = parts.catalog;
  parts.logs.failAt = { row, error: new BifractError('INTERNAL', 'killed'), times: 1 };
  parts.archives.crashing = true;
  parts.catalog.failArchive = () => {
    crashed.resolve();
    return new Promise(() => undefined);
  };
  const now = () => new Date(`2026-03-01T12:34:${10 + parts.catalog.records.size}Z`);
  const context = { ...jobContext(), id, now };
  await Promise.race([crashed.promise, archive(fakeServices(parts), { ...OPTIONS, ...options }, context)]);
  parts.catalog.failArchive = failArchive;
  parts.archives.crashing = false;
  const record = parts.state.records.get(id);
  if (!record) return;
  parts.state.records.delete(id);
  parts.state.interruptedRecords.push(record);
}

const recoverAll = (
  { state, catalog, key, archives, archive_limits }: Parts,
  now = new Date('2026-03-01T12:40:00Z'),
) =>
  recover(
    fakeServices({
      state,
      catalog,
      keys: [key],
      backups: archives,
      archives,
      storageOf: async () => undefined,
      archive_limits,
      now,
    }),
  );

async function rowsOf({ archives }: Parts, hex: string): Promise<string[]> {
  const rows: string[] = [];
  for await (const { name, size_bytes } of archives.list('')) {
    rows.push(
      ...openContent(await archives.read(name, 0, size_bytes), hex)
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
/** The oldest record first. */
const statuses = async ({ catalog }: Parts) =>
  (await catalog.archives()).map(({ status }) => status).reverse();

const ZEROS = Buffer.alloc(600_000);

/** More than one frame of rows, so that some of them are in the file when the job crashes. */
function large(parts: Parts): void {
  const { lines } = parts.logs;
  parts.logs.lines = async function* (window, options) {
    for await (const { bytes } of lines.call(parts.logs, window, options)) {
      const row = JSON.parse(bytes.toString());
      const key = createHash('sha256').update(row.ts).digest();
      const noise = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(ZEROS);
      const line = JSON.stringify({ ...row, raw: noise.toString('base64') });
      yield { bytes: Buffer.from(`${line}\n`), lines: 1 };
    }
  };
}

test('a killed archive resumes without querying stored rows again, and no row is lost or duplicated', async () => {
  const { parts, hex } = setUp(20);
  large(parts);
  await crash(parts, 15);
  assert.equal(await partials(), 1);
  const [recovered, ...others] = await recoverAll(parts);
  assert.match(recovered ?? '', /\.bifract-archive/);
  assert.deepEqual(others, []);
  assert.deepEqual(await recoverAll(parts), [], 'reported once');
  const [record] = await parts.catalog.archives();
  assert.equal(record?.status, 'failed');
  assert.ok(record.error_message);
  assert.equal(parts.catalog.allGroups[0]?.status, 'failed');
  assert.equal(await partials(), 1);

  const context = { ...jobContext(), id: 'job-2' };
  const summary = await archive(fakeServices(parts), OPTIONS, context);
  assert.deepEqual([summary.continued, summary.archive_id, summary.log_count], [true, record?.id, 20]);
  const start = Number(parts.logs.calls.at(-1)?.start?.ms);
  assert.ok(start > Date.parse('2026-03-01T00:00:00Z'), 'starts after the stored rows');
  assert.deepEqual(
    (await rowsOf(parts, hex)).map((line) => JSON.parse(line).ts),
    all(20).map((line) => JSON.parse(line).ts),
  );
  assert.deepEqual([await statuses(parts), await partials()], [['completed'], 0]);
  assert.deepEqual([await parts.state.running(), await parts.state.interrupted()], [[], []]);
  assert.equal(parts.catalog.allGroups[0]?.status, 'completed');
});

test('a resumed file uses its own base: no nonce is used twice', async () => {
  const { parts } = setUp(20);
  large(parts);
  await crash(parts, 15);
  const [object] = await Array.fromAsync(parts.archives.listUnfinished());
  assert.ok(object);
  const [before] = await Array.fromAsync(parts.archives.readUnfinished(object));
  await recoverAll(parts);
  const { storage_path } = await archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-2' });
  const after = await parts.archives.read(storage_path ?? '', 0, 32);
  assert.notDeepEqual(after, before?.subarray(0, 32));
});

test('an archive can be interrupted repeatedly', async () => {
  const { parts, hex } = setUp(24);
  large(parts);
  for (const [round, row] of [12, 15, 9, 20].entries()) {
    await crash(parts, row, {}, `job-${round}`);
    await recoverAll(parts);
  }
  await archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-last' });
  assert.equal((await rowsOf(parts, hex)).length, 24);
  assert.equal(new Set((await rowsOf(parts, hex)).map((line) => JSON.parse(line).ts)).size, 24);
  assert.deepEqual([await statuses(parts), await partials()], [['completed'], 0]);
});

test('each crash leaves a partial file, and only the longest of the earlier ones is kept', async () => {
  const { parts, hex } = setUp(24);
  large(parts);
  parts.archives.crashed = () => parts.logs.failAt?.times === 0;
  for (const [round, row] of [12, 15, 17, 20].entries()) {
    await crash(parts, row, {}, `job-${round}`);
    await recoverAll(parts);
    assert.equal(await partials(), Math.min(2, round + 1));
  }
  await archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-last' });
  assert.deepEqual(timesOf(await rowsOf(parts, hex)), timesOf(all(24)));
  assert.deepEqual([await statuses(parts), await partials()], [['completed'], 0]);
});

test('a resumed split archive keeps completed days, and completes its group', async () => {
  const { parts, hex } = setUp(40);
  await crash(parts, 30, { split: 'day' });
  await recoverAll(parts);
  assert.deepEqual(await statuses(parts), ['completed', 'completed', 'failed']);
  assert.equal(parts.catalog.allGroups[0]?.status, 'partial');
  const summary = await archive(
    fakeServices(parts),
    { ...OPTIONS, split: 'day' },
    { ...jobContext(), id: 'job-2' },
  );
  assert.deepEqual(
    summary.children.map(({ period_label, log_count }) => [period_label, log_count]),
    [
      ['2026-03-03', 12],
      ['2026-03-04', 4],
    ],
  );
  assert.deepEqual(await rowsOf(parts, hex), all(40));
  assert.deepEqual(await statuses(parts), ['completed', 'completed', 'completed', 'completed']);
  const [group, ...others] = parts.catalog.allGroups;
  assert.deepEqual([group?.status, group?.archive_count, others], ['completed', 4, []]);
});

test('resuming also archives a day that failed before the crash', async () => {
  const { parts, hex } = setUp(40);
  const { lines } = parts.logs;
  parts.logs.lines = async function* (window, options) {
    if (window.from === '2026-03-02T00:00:00.000Z') throw new BifractError('QUERY_FAILED', 'broken part');
    yield* lines.call(parts.logs, window, options);
  };
  await crashAfterFailure(parts, hex);
});

/** The second day fails, and the job crashes on the fourth. */
async function crashAfterFailure(parts: Parts, hex: string): Promise<void> {
  const { failArchive } = parts.catalog;
  const crashed = Promise.withResolvers<void>();
  let failures = 0;
  parts.catalog.failArchive = async (id, message) => {
    if (++failures === 1) return failArchive.call(parts.catalog, id, message);
    crashed.resolve();
    return new Promise(() => undefined);
  };
  parts.logs.failAt = { row: 38, error: new BifractError('INTERNAL', 'killed'), times: 1 };
  const context = { ...jobContext(), id: 'job-2' };
  await Promise.race([crashed.promise, archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, context)]);
  parts.catalog.failArchive = failArchive;
  parts.archives.crashing = false;
  parts.state.interruptedRecords.push(...parts.state.records.values());
  parts.state.records.clear();
  await recoverAll(parts);
  assert.deepEqual(await statuses(parts), ['completed', 'failed', 'completed', 'failed']);

  parts.logs.lines = new FakeLogs(40, STEP).lines.bind(new FakeLogs(40, STEP));
  const summary = await archive(
    fakeServices(parts),
    { ...OPTIONS, split: 'day' },
    { ...jobContext(), id: 'job-3' },
  );
  assert.deepEqual(
    summary.children.map(({ period_label }) => period_label),
    ['2026-03-02', '2026-03-04'],
  );
  assert.deepEqual(await statuses(parts), ['completed', 'completed', 'completed', 'completed']);
  assert.deepEqual(await rowsOf(parts, hex), all(40));
  assert.deepEqual(
    [parts.catalog.allGroups[0]?.status, parts.catalog.allGroups[0]?.archive_count],
    ['completed', 4],
  );
}

test('a resumed archive ends where it would have ended originally', async () => {
  const { parts, hex } = setUp(20);
  large(parts);
  await crash(parts, 15);
  await recoverAll(parts);
  const later = new FakeLogs(30, STEP);
  large({ ...parts, logs: later });
  const context = { ...jobContext(), id: 'job-2' };
  const { log_count } = await archive(fakeServices({ ...parts, logs: later }), OPTIONS, context);
  assert.equal(log_count, 20);
  assert.equal((await rowsOf(parts, hex)).length, 20);
  const warning = context.events.find(({ event }) => event === 'job:warning');
  assert.match(JSON.stringify(warning), /2026-03-02T14:00:00.000Z/);
});

test('a different request, a fresh one and one past the time limit do not resume', async () => {
  const { parts } = setUp(20);
  large(parts);
  await crash(parts, 15);
  await recoverAll(parts);
  const other = await archive(
    fakeServices(parts),
    { ...OPTIONS, fields: false },
    { ...jobContext(), id: 'job-2' },
  );
  assert.deepEqual([other.continued, await partials()], [false, 1]);
  const later = () => new Date('2026-03-01T12:35:00Z');
  const fresh = await archive(
    fakeServices(parts),
    { ...OPTIONS, fresh: true },
    { ...jobContext(), id: 'job-3', now: later },
  );
  assert.deepEqual([fresh.continued, await partials()], [false, 0]);
  assert.deepEqual(await parts.state.interrupted(), []);

  await crash(parts, 15, { from: '2026-03-01T00:00:00Z' }, 'job-4');
  assert.ok((await statuses(parts)).includes('in_progress'));
  const recovered = await recoverAll(parts, new Date('2026-03-03T00:00:00Z'));
  assert.ok(recovered.some((text) => text.includes('.bifract-archive')));
  assert.ok(!(await statuses(parts)).includes('in_progress'));
  assert.deepEqual([await partials(), await parts.state.interrupted()], [0, []]);
});

test('a partial file under another key is ignored', async () => {
  const { parts, hex } = setUp(20);
  large(parts);
  await crash(parts, 15);
  await recoverAll(parts);
  const otherKey = { ...parts, key: archiveParts(0).parts.key };
  const summary = await archive(fakeServices(otherKey), OPTIONS, { ...jobContext(), id: 'job-2' });
  assert.deepEqual([summary.continued, summary.log_count], [true, 20]);
  await assert.rejects(rowsOf(parts, hex));
  assert.equal(parts.logs.calls.at(-1)?.start, undefined);
});

test('an archive that cannot be resumed yet keeps its partial data', async () => {
  const { parts, hex } = setUp(20);
  large(parts);
  await crash(parts, 15);
  await recoverAll(parts);
  const { reopenArchive } = parts.catalog;
  parts.catalog.reopenArchive = () => Promise.reject(new BifractError('BUSY', 'In use'));
  await assert.rejects(archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-2' }), {
    code: 'BUSY',
  });
  assert.deepEqual([await partials(), (await parts.state.interrupted()).map(({ id }) => id)], [1, ['job-2']]);
  parts.catalog.reopenArchive = reopenArchive;
  const { continued } = await archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-3' });
  assert.deepEqual([continued, await partials(), await parts.state.interrupted()], [true, 0, []]);
  assert.notEqual(parts.logs.calls.at(-1)?.start, undefined);
  assert.deepEqual(timesOf(await rowsOf(parts, hex)), timesOf(all(20)));
});

test('cancelling before the resume deletes the partial data', async () => {
  const { parts } = setUp(20);
  large(parts);
  await crash(parts, 15);
  await recoverAll(parts);
  const controller = new AbortController();
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  parts.catalog.reopenArchive = () => {
    controller.abort(reason);
    return Promise.reject(reason);
  };
  const context = { ...jobContext(controller.signal), id: 'job-2' };
  await assert.rejects(archive(fakeServices(parts), OPTIONS, context), { code: 'CANCELLED' });
  assert.deepEqual(
    [await partials(), await parts.state.interrupted(), await parts.state.running()],
    [0, [], []],
  );
});

test('partial data of a later day survives a crash on an earlier day', async () => {
  const { parts, hex } = setUp(40);
  large(parts);
  const { lines } = parts.logs;
  let broken = true;
  parts.logs.lines = async function* (window, options) {
    if (broken && window.from === '2026-03-02T00:00:00.000Z')
      throw new BifractError('QUERY_FAILED', 'broken part');
    yield* lines.call(parts.logs, window, options);
  };
  const { failArchive } = parts.catalog;
  const crashed = Promise.withResolvers<void>();
  let failures = 0;
  parts.archives.crashing = false;
  parts.catalog.failArchive = async (id, message) => {
    // The partial file of the failed day is deleted, since that is no crash.
    parts.archives.crashing = true;
    if (++failures === 1) return failArchive.call(parts.catalog, id, message);
    crashed.resolve();
    return new Promise(() => undefined);
  };
  parts.logs.failAt = { row: 34, error: new BifractError('INTERNAL', 'killed'), times: 1 };
  const context = { ...jobContext(), id: 'job-1' };
  await Promise.race([crashed.promise, archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, context)]);
  parts.catalog.failArchive = failArchive;
  parts.state.interruptedRecords.push(...parts.state.records.values());
  parts.state.records.clear();
  await recoverAll(parts);
  broken = false;
  await crash(parts, 20, { split: 'day' }, 'job-2');
  await recoverAll(parts);
  assert.equal(await partials(), 2);
  const summary = await archive(
    fakeServices(parts),
    { ...OPTIONS, split: 'day' },
    { ...jobContext(), id: 'job-3' },
  );
  assert.deepEqual(
    summary.children.map(({ period_label }) => period_label),
    ['2026-03-02', '2026-03-03', '2026-03-04'],
  );
  assert.deepEqual(
    [await partials(), await parts.state.interrupted(), await parts.state.running()],
    [0, [], []],
  );
  assert.deepEqual(timesOf(await rowsOf(parts, hex)), timesOf(all(40)));
  const third = parts.logs.calls.findLast(({ from }) => from === '2026-03-03T00:00:00.000Z');
  assert.notEqual(third?.start, undefined, 'stored rows are not queried again');
});

test('when retries are exhausted, partial data is kept and the next call resumes', async () => {
  const { parts, hex } = setUp(20);
  large(parts);
  parts.archives.crashing = false;
  parts.logs.failAt = { row: 15, error: new BifractError('QUERY_FAILED', 'no memory', { transient: true }) };
  parts.archive_limits.max_error_time_ms = 20;
  await assert.rejects(archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-1' }), {
    code: 'QUERY_FAILED',
    message: /no memory/,
  });
  assert.deepEqual([await partials(), (await parts.state.interrupted()).length], [1, 1]);
  await recoverAll(parts);
  assert.match((await parts.catalog.archives())[0]?.error_message ?? '', /no memory/, 'the reason is kept');
  parts.logs.failAt = undefined;
  const summary = await archive(fakeServices(parts), OPTIONS, { ...jobContext(), id: 'job-2' });
  assert.deepEqual([summary.continued, summary.log_count, await partials()], [true, 20, 0]);
  assert.equal((await rowsOf(parts, hex)).length, 20);
});

test('if the storage cannot read partial files, completed days are kept and the interrupted one starts over', async () => {
  const { parts, hex } = setUp(40);
  Object.defineProperty(parts.archives, 'readUnfinished', { value: undefined });
  await crash(parts, 30, { split: 'day' });
  await recoverAll(parts);
  assert.equal(await partials(), 0, 'useless partial files are deleted');
  const summary = await archive(
    fakeServices(parts),
    { ...OPTIONS, split: 'day' },
    { ...jobContext(), id: 'job-2' },
  );
  assert.deepEqual([summary.continued, summary.log_count], [true, 16]);
  assert.deepEqual([await rowsOf(parts, hex), await parts.state.interrupted()], [all(40), []]);
  assert.deepEqual(await statuses(parts), ['completed', 'completed', 'completed', 'completed']);
});

/** Jobs that have ended are known by these IDs. */
function jobsOf({ state, catalog }: Parts, ids: string[] = []): JobQueryService {
  const error = { code: 'CANCELLED', message: 'Cancelled' };
  const events = [{ event: 'job:cancelled', time: '2026-03-01T12:34:00Z', error }];
  const find = async (id: string) => ({ id, live: false, events });
  const jobBus = { ids: async () => ids, find } as unknown as JobBus<JobEvent>;
  return new JobQueryService({
    jobBus,
    state,
    queue: { read: async () => [] },
    installation: { read_only: false } as InstallationInfo,
    catalog: async () => catalog,
    now: () => new Date(),
  });
}

test('the scheduled run that made an interrupted archive is shown until the archive is resumed', async () => {
  const { parts } = setUp(40);
  const unsettled = async () =>
    (await jobsOf(parts, ['run-due-1', 'run-due-2']).knownJobs()).filter((job) => job.unsettled);
  const request = { split: 'day', archive_type: 'scheduled' } as const;
  await crash(parts, 20, request, 'run-due-1-3');
  await recoverAll(parts);
  assert.deepEqual(
    (await unsettled()).map(({ id }) => id),
    ['run-due-1'],
  );
  await archive(fakeServices(parts), { ...OPTIONS, ...request }, { ...jobContext(), id: 'run-due-2-3' });
  assert.deepEqual(await unsettled(), []);
});

test('an interrupted archive is found by job, record and group id, and by nothing else', async () => {
  const { parts, hex } = setUp(40);
  const window = { from: '2026-03-01T06:00:00.000Z', to: '2026-03-03T12:00:00.000Z' };
  await crash(parts, 20, { split: 'day', ...window });
  const [record] = await parts.state.interrupted();
  const jobs = jobsOf(parts);
  const request = await jobs.resumeRequest('job-dead');
  assert.equal(request.kind, 'archive');
  assert.equal(request.kind === 'archive' && request.fractal_name, 'web-prod');
  assert.deepEqual(await jobs.resumeRequest(record?.archive_id ?? ''), request);
  assert.deepEqual(await jobs.resumeRequest(record?.archive?.group_id ?? ''), request);
  await refuses('NOT_FOUND', jobs.resumeRequest('job-other'));
  await recoverAll(parts);
  const result = await archive(fakeServices(parts), request as ArchiveJobRequest, jobContext());
  assert.equal(result.continued, true);
  assert.equal((await rowsOf(parts, hex)).length, 27);
  await refuses('NOT_FOUND', jobs.resumeRequest('job-dead'));
});

test('the request to resume an interrupted restore is its plan', async () => {
  const { parts } = setUp(1);
  const plan = fakeArchiveRestorePlan();
  const restoring = { plan, archive_ids: ['a2'] } as ArchiveRestoreCheckpoint;
  const started_at = '2026-03-01T12:00:00Z';
  parts.state.interruptedRecords.push({
    id: 'job-r',
    kind: 'restore-archive',
    started_at,
    archive_id: 'a1',
    restoring,
  });
  for (const id of ['job-r', 'a2'])
    assert.deepEqual(await jobsOf(parts).resumeRequest(id), { kind: 'restore-archive', plan });
  // A job that gave up, in a process that is still running.
  parts.state.interruptedRecords = [];
  const plan_left = { plan, archive_ids: [], left: true } as unknown as ArchiveRestoreCheckpoint;
  await parts.state.save({ id: 'job-l', kind: 'restore-archive', started_at, restoring: plan_left });
  assert.deepEqual(await jobsOf(parts).resumeRequest('job-l'), { kind: 'restore-archive', plan });
});

test('a job record is written once per file, and again when the group is known', async () => {
  const { parts } = setUp(40);
  const saved: (string | undefined)[] = [];
  const { save: record } = parts.state;
  parts.state.save = (one) => {
    saved.push(one.archive?.window.label ?? undefined);
    return record.call(parts.state, one);
  };
  await archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext());
  assert.deepEqual(saved, ['2026-03-01', '2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04']);
});

test('a complete file of a killed archive completes its record, unless its key was replaced: then it can be adopted', async () => {
  const { parts } = setUp(20);
  const { archive_id, storage_path } = await archive(fakeServices(parts), OPTIONS, jobContext());
  const record = parts.catalog.records.get(archive_id ?? '');
  assert.ok(record && archive_id && storage_path);
  const kill = () => {
    parts.catalog.records.set(archive_id, { ...record, status: 'in_progress', log_count: 0 });
    const started_at = '2026-03-01T12:00:00Z';
    parts.state.interruptedRecords = [
      { id: 'a-1', kind: 'archive', started_at, archive_id, object: storage_path },
    ];
  };
  for (const [key, status] of [
    [parts.key, 'completed'],
    [parseKey('ab'.repeat(32)), 'failed'],
  ] as const) {
    kill();
    await recoverAll({ ...parts, key });
    assert.equal(parts.catalog.records.get(archive_id)?.status, status);
    assert.deepEqual(await parts.state.interrupted(), []);
    assert.ok(await parts.archives.stat(storage_path));
  }
});

test('what can be resumed is known by its job, its record and its group, until it is resumed or too old', async () => {
  const { parts } = setUp(40);
  const at = (now: Date) =>
    resumableIds(
      fakeServices({
        state: parts.state,
        archives: parts.archives,
        archive_limits: parts.archive_limits,
        now,
      }),
    );
  const soon = new Date('2026-03-01T12:40:00Z');
  assert.deepEqual(await at(soon), []);
  await crash(parts, 25, { split: 'day' });
  await recoverAll(parts);
  const [record] = await parts.state.interrupted();
  const known = [record?.id, record?.archive_id, record?.archive?.group_id];
  assert.ok(known.every((id) => id !== undefined));
  assert.deepEqual(await at(soon), known);
  assert.deepEqual(await at(new Date('2026-04-01T12:40:00Z')), []);
  await archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, { ...jobContext(), id: 'job-2' });
  assert.deepEqual(await at(soon), []);
});
