import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { archive } from '../../../../src/core/features/archive/archive.ts';
import { archiveParts } from '../../../helpers/archive-parts.ts';
import { countRows } from '../../../helpers/count-rows.ts';
import { FRACTAL_ID, jobContext, lineOf } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import type { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { openContent as readPlain } from '../../../helpers/plain-reader.ts';
import { addScheduledArchive } from '../../../helpers/scheduled-archives.ts';

const PATH = `archives/${FRACTAL_ID}/${FRACTAL_ID}-20260301-123456.bifract-archive`;
const OPTIONS = { kind: 'archive' as const, fractal_id: FRACTAL_ID };

async function objects(storage: MemoryStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
}

test('an archive holds every row, and its record matches the file', async () => {
  const { parts, hex } = archiveParts(500);
  const summary = await archive(fakeServices(parts), OPTIONS, jobContext());
  assert.deepEqual(await objects(parts.archives), [PATH]);
  const bytes = await parts.archives.read(PATH, 0, summary.size_bytes + 1);
  const lines = readPlain(bytes, hex).toString().split('\n');
  assert.deepEqual(lines, [
    '{"_bifract_archive_version":1}',
    ...Array.from({ length: 500 }, (_, row) => lineOf(row)),
    '',
  ]);
  const [record] = await parts.catalog.archives();
  assert.equal(record?.status, 'completed');
  assert.equal(record.log_count, 500);
  assert.equal(record.size_bytes, bytes.length);
  assert.equal(record.checksum, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(record.time_range_start, '2026-03-01T00:00:00.000Z');
  assert.equal(record.time_range_end, '2026-03-01T00:08:19.000Z');
  assert.equal(record.archive_end_ts, '2026-03-01T00:08:19.000Z');
  assert.deepEqual(await parts.state.running(), []);
});

test('two archives within one second have different names and files', async () => {
  const { parts } = archiveParts(3);
  const summaries = [
    await archive(fakeServices(parts), OPTIONS, jobContext()),
    await archive(fakeServices(parts), OPTIONS, jobContext()),
  ];
  assert.deepEqual(await objects(parts.archives), [PATH, PATH.replace('123456', '123457')]);
  const records = await parts.catalog.archives();
  assert.deepEqual(records.map(({ storage_path }) => storage_path).sort(), [
    PATH,
    PATH.replace('123456', '123457'),
  ]);
  assert.equal(new Set(summaries.map(({ archive_id }) => archive_id)).size, 2);
});

test('an empty fractal creates neither file nor record', async () => {
  const { parts } = archiveParts(0);
  const summary = await archive(fakeServices(parts), OPTIONS, jobContext());
  assert.equal(summary.archive_id, null);
  assert.deepEqual(await objects(parts.archives), []);
  assert.deepEqual(await parts.catalog.archives(), []);
});

test('a query that fails midway leaves no file, and a failed record with the reason', async () => {
  const { parts } = archiveParts(100);
  parts.logs.failAt = { row: 60, error: new BifractError('QUERY_FAILED', 'memory limit exceeded') };
  await assert.rejects(archive(fakeServices(parts), OPTIONS, jobContext()), { code: 'QUERY_FAILED' });
  assert.deepEqual(await objects(parts.archives), []);
  const [record] = await parts.catalog.archives();
  assert.equal(record?.status, 'failed');
  assert.equal(record.error_message, 'memory limit exceeded');
  assert.deepEqual(await parts.state.running(), []);
});

test('if ClickHouse counts more rows than it sent, the file is never sealed', async () => {
  const { parts } = archiveParts(100);
  parts.logs.counts = [101, 101];
  await assert.rejects(archive(fakeServices(parts), OPTIONS, jobContext()), {
    code: 'COUNT_DIFFERS',
    message: /101 .* 100\b/,
  });
  assert.deepEqual(await objects(parts.archives), []);
  assert.equal((await parts.catalog.archives())[0]?.status, 'failed');
});

test('rows that arrive or expire during the query are tolerated', async () => {
  for (const counts of [
    [90, 110],
    [110, 90],
    [100, 105],
    [95, 100],
  ]) {
    const { parts } = archiveParts(100);
    parts.logs.counts = counts;
    const { log_count } = await archive(fakeServices(parts), OPTIONS, jobContext());
    assert.equal(log_count, 100);
  }
});

test('a second archive of a fractal in use is refused', async () => {
  const { parts } = archiveParts(10);
  await parts.catalog.openArchive({
    fractal_id: FRACTAL_ID,
    filename: 'f',
    storage_type: 'disk',
    storage_path: 'p',
    archive_type: 'adhoc',
    archive_end_ts: null,
  });
  await assert.rejects(archive(fakeServices(parts), OPTIONS, jobContext()), { code: 'BUSY' });
  assert.deepEqual(await objects(parts.archives), []);
});

test('an unknown fractal is not found', async () => {
  const { parts } = archiveParts(10);
  await assert.rejects(archive(fakeServices(parts), { ...OPTIONS, fractal_id: 'unknown' }, jobContext()), {
    code: 'NOT_FOUND',
  });
});

test('a cancelled archive leaves a failed record and no file', async () => {
  const { parts } = archiveParts(10);
  const controller = new AbortController();
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  parts.logs.lines = async function* () {
    yield { bytes: Buffer.from(`${lineOf(0)}\n`), lines: 1 };
    controller.abort(reason);
    yield { bytes: Buffer.from(`${lineOf(1)}\n`), lines: 1 };
  };
  await assert.rejects(archive(fakeServices(parts), OPTIONS, jobContext(controller.signal)), reason);
  assert.deepEqual(await objects(parts.archives), []);
  const [record] = await parts.catalog.archives();
  assert.deepEqual([record?.status, record?.error_message], ['failed', 'Cancelled by the user']);
});

test('completing the record is retried', async () => {
  const { parts } = archiveParts(10);
  parts.catalog.failures.push(new BifractError('POSTGRES_UNREACHABLE', 'restarting'));
  const context = jobContext();
  await archive(fakeServices(parts), OPTIONS, context);
  assert.equal((await parts.catalog.archives())[0]?.status, 'completed');
  assert.ok(context.events.some(({ event }) => event === 'job:retry'));
});

test('a record that cannot be completed leaves file and job record for recovery', async () => {
  const { parts } = archiveParts(10);
  parts.catalog.failures.push(new BifractError('QUERY_FAILED', 'relation does not exist'));
  await assert.rejects(archive(fakeServices(parts), OPTIONS, jobContext()), { code: 'RECORD_LOST' });
  assert.deepEqual(await objects(parts.archives), [PATH]);
  assert.equal((await parts.state.running())[0]?.object, PATH);
});

/** The services of an archive, with an earlier archive of the rows in `[first, last]`. */
async function withEarlierArchive(rows: number, [first, last]: [first: number, last: number], step = 1) {
  const { parts } = archiveParts(rows, { step });
  const time = (row: number) => new Date(Date.UTC(2026, 2, 1) + row * step * 1000).toISOString();
  await addScheduledArchive(parts, FRACTAL_ID, {
    day: '03-20',
    record: { time_range_start: time(first), time_range_end: time(last), log_count: last - first + 1 },
  });
  const counted = Array.from({ length: rows }, (_, row) => Date.parse(time(row)));
  parts.logs.countsByPeriod = async (query) =>
    countRows(
      counted.map((at) => ({ time: at, ingested: at })),
      query,
    );
  return fakeServices({ ...parts, backups: parts.archives, storageOf: async () => undefined });
}

test('with only_uncovered, an unsplit archive starts at the first row that no archive has', async () => {
  const request = { ...OPTIONS, only_uncovered: true };
  const rest = await archive(await withEarlierArchive(100, [0, 59]), request, jobContext());
  assert.deepEqual([rest.log_count, rest.time_range_start], [40, '2026-03-01T00:01:00.000Z']);
  const all = await archive(await withEarlierArchive(100, [50, 99]), request, jobContext());
  assert.equal(all.log_count, 100, 'a gap at the start');
  const none = await archive(await withEarlierArchive(100, [0, 99]), request, jobContext());
  assert.deepEqual([none.log_count, none.group_id], [0, null]);
  const { only_uncovered: _, ...everything } = request;
  const repeated = await archive(await withEarlierArchive(100, [0, 99]), everything, jobContext());
  assert.equal(repeated.log_count, 100);
});

test('with only_uncovered, a split archive has the days of which some row is in no archive', async () => {
  const services = await withEarlierArchive(48, [12, 29], 7200);
  const request = { ...OPTIONS, split: 'day' as const, only_uncovered: true };
  const { children } = await archive(services, request, jobContext());
  assert.deepEqual(
    children.map(({ period_label, log_count }) => [period_label, log_count]),
    [
      ['2026-03-01', 12],
      ['2026-03-03', 12],
      ['2026-03-04', 12],
    ],
  );
});

test('an archive of a fractal that is being restored is refused', async () => {
  const { parts } = archiveParts(10);
  const restoring = {
    key: 'k',
    plan: { into: { id: FRACTAL_ID }, files: [] },
    phase: 'staging',
    archive_ids: [],
  };
  const record = { id: 'job-r', kind: 'restore-archive', started_at: '2026-03-01T12:00:00Z' };
  await parts.state.save({ ...record, restoring });
  await assert.rejects(archive(fakeServices(parts), OPTIONS, jobContext()), {
    code: 'BUSY',
    message: /job-r/,
  });
  await parts.state.save({ ...record, restoring: { ...restoring, left: true } });
  assert.equal((await archive(fakeServices(parts), OPTIONS, jobContext())).log_count, 10);
});
