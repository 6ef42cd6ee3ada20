import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError, cancelled } from '../../../../src/core/contract/errors.ts';
import { archive } from '../../../../src/core/features/archive/archive.ts';
import { archiveParts } from '../../../helpers/archive-parts.ts';
import { type FakeCatalog, FRACTAL_ID, fractal, jobContext, lineOf } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import type { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { openContent } from '../../../helpers/plain-reader.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const OPTIONS = { kind: 'archive' as const, fractal_id: FRACTAL_ID };
const connectionLost = () => new BifractError('QUERY_FAILED', 'the connection broke', { transient: true });

/** Rows two hours apart: twelve a day, from Sunday, 1 March 2026. */
const setUp = (rows: number) => archiveParts(rows, { step: 7200 });

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

/** The rows of all stored files, by file name; checks their header lines. */
async function storedRows({ archives }: { archives: MemoryStorage }, hex: string): Promise<string[]> {
  const rows: string[] = [];
  for await (const { name, size_bytes } of archives.list('')) {
    const [head, ...lines] = openContent(await archives.read(name, 0, size_bytes), hex)
      .toString()
      .trimEnd()
      .split('\n');
    assert.equal(head, '{"_bifract_archive_version":1}');
    rows.push(...lines);
  }
  return rows;
}

async function statusOf({ catalog }: { catalog: FakeCatalog }) {
  const { status, archive_count, completed_count, split_granularity } = catalog.allGroups[0] ?? {};
  return { status, archive_count, completed_count, split_granularity };
}

test('a split archive has a file and a record for each day, in one group', async () => {
  const { parts, hex } = setUp(30);
  const context = jobContext();
  const summary = await archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, context);
  assert.deepEqual(
    summary.children.map(({ period_label, log_count }) => [period_label, log_count]),
    [
      ['2026-03-01', 12],
      ['2026-03-02', 12],
      ['2026-03-03', 6],
    ],
  );
  assert.equal(summary.log_count, 30);
  const records = (await parts.catalog.archives()).reverse();
  assert.deepEqual(
    records.map((one) => [
      one.status,
      one.period_label,
      one.filename.slice(FRACTAL_ID.length),
      one.archive_end_ts,
    ]),
    ['2026-03-01', '2026-03-02', '2026-03-03'].map((day) => [
      'completed',
      day,
      `-${day}-20260301-123456.bifract-archive`,
      '2026-03-03T10:00:00.000Z',
    ]),
  );
  assert.equal(new Set(records.map(({ group_id }) => group_id)).size, 1);
  assert.deepEqual(await statusOf(parts), {
    status: 'completed',
    archive_count: 3,
    completed_count: 3,
    split_granularity: 'day',
  });
  assert.deepEqual(
    await storedRows(parts, hex),
    range(0, 30).map((row) => lineOf(row, 7200)),
  );
  assert.deepEqual(await parts.state.running(), []);
  const progress = context.events.filter((one) => one.event === 'job:progress').at(-1);
  assert.deepEqual([progress?.item, progress?.rows, progress?.total_rows], ['2026-03-03', 30, 30]);
  assert.deepEqual(
    context.events.filter((one) => one.event === 'job:item').map(({ item, ok }) => [item, ok]),
    [
      ['2026-03-01', true],
      ['2026-03-02', true],
      ['2026-03-03', true],
    ],
  );
});

test('hours and weeks are named as the server names them; a period without rows is omitted', async () => {
  const hours = setUp(2);
  await archive(fakeServices(hours.parts), { ...OPTIONS, split: 'hour' }, jobContext());
  assert.deepEqual(
    (await hours.parts.catalog.archives())
      .reverse()
      .map(({ period_label, filename }) => [period_label, filename.slice(36, 52)]),
    [
      ['2026-03-01 00:00', '-2026-03-01_0000'],
      ['2026-03-01 02:00', '-2026-03-01_0200'],
    ],
  );
  const weeks = setUp(13);
  await archive(fakeServices(weeks.parts), { ...OPTIONS, split: 'week' }, jobContext());
  assert.deepEqual(
    (await weeks.parts.catalog.archives())
      .reverse()
      .map(({ period_label, filename }) => [period_label, filename.slice(36, 61)]),
    [
      ['2026-02-23 to 2026-03-01', '-2026-02-23_to_2026-03-01'],
      ['2026-03-02 to 2026-03-08', '-2026-03-02_to_2026-03-08'],
    ],
  );
});

test('a window limits what is archived, split or not; a window without rows creates nothing', async () => {
  const { parts, hex } = setUp(30);
  const window = { from: '2026-03-01T10:00:00Z', to: '2026-03-02T04:00:00Z' };
  const one = await archive(fakeServices(parts), { ...OPTIONS, ...window }, jobContext());
  assert.deepEqual([one.log_count, one.children.length, one.children[0]?.period_label], [9, 1, null]);
  assert.deepEqual(
    await storedRows(parts, hex),
    range(5, 14).map((row) => lineOf(row, 7200)),
  );
  const split = await archive(fakeServices(parts), { ...OPTIONS, ...window, split: 'day' }, jobContext());
  assert.deepEqual(
    split.children.map(({ log_count }) => log_count),
    [7, 2],
  );
  const none = setUp(30);
  const empty = await archive(
    fakeServices(none.parts),
    { ...OPTIONS, from: '2030-01-01T00:00:00Z', split: 'hour' },
    jobContext(),
  );
  assert.deepEqual([empty.group_id, empty.children], [null, []]);
  assert.deepEqual([none.parts.catalog.allGroups, none.parts.catalog.records.size], [[], 0]);
});

test('the default split is the setting of the fractal', async () => {
  const { parts } = setUp(13);
  parts.catalog.all[0] = fractal({ archive_split: 'day' });
  assert.equal((await archive(fakeServices(parts), OPTIONS, jobContext())).split, 'day');
  const other = setUp(13);
  other.parts.catalog.all[0] = fractal({ archive_split: 'day' });
  assert.equal(
    (await archive(fakeServices(other.parts), { ...OPTIONS, split: 'none' }, jobContext())).children.length,
    1,
  );
});

test('a day that fails is named, and the others are archived', async () => {
  const { parts } = setUp(36);
  parts.logs.failAt = { row: 14, error: new BifractError('QUERY_FAILED', 'broken part') };
  const context = jobContext();
  await assert.rejects(archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, context), {
    code: 'PARTLY_DONE',
    message: /1 of 3 .*2026-03-02: broken part/,
  });
  assert.deepEqual(
    context.events.filter((one) => one.event === 'job:item').map(({ item, ok }) => [item, ok]),
    [
      ['2026-03-01', true],
      ['2026-03-02', false],
      ['2026-03-03', true],
    ],
  );
  assert.deepEqual(
    (await parts.catalog.archives()).reverse().map(({ status }) => status),
    ['completed', 'failed', 'completed'],
  );
  assert.deepEqual((await statusOf(parts)).status, 'partial');
  assert.equal((await Array.fromAsync(parts.archives.list(''))).length, 2);
});

test('if all periods fail, the group has failed, with the first error', async () => {
  const { parts } = setUp(24);
  parts.logs.lines = async function* () {
    yield* [];
    throw new BifractError('QUERY_FAILED', 'broken part');
  };
  await assert.rejects(archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext()), {
    code: 'QUERY_FAILED',
  });
  assert.deepEqual(await statusOf(parts), {
    status: 'failed',
    archive_count: 2,
    completed_count: 0,
    split_granularity: 'day',
  });
});

test('a storage that denies access is not tried again for the next day', async () => {
  const { parts } = setUp(36);
  let puts = 0;
  parts.archives.put = async () => {
    puts++;
    throw new BifractError('STORAGE_DENIED', 'EROFS: read-only file system');
  };
  await assert.rejects(archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext()), {
    code: 'STORAGE_DENIED',
    message: /0 of 3 .*1 .*2 .*EROFS/,
  });
  assert.equal(puts, 1);
});

test('an interrupted query resumes at the same row, later with less memory, and no row is lost or duplicated', async () => {
  const { parts, hex } = setUp(40);
  parts.logs.failAt = { row: 25, error: connectionLost(), times: 3 };
  const context = jobContext();
  await archive(fakeServices(parts), OPTIONS, context);
  assert.deepEqual(
    await storedRows(parts, hex),
    range(0, 40).map((row) => lineOf(row, 7200)),
  );
  const retries = context.events.filter((one) => one.event === 'job:retry');
  assert.deepEqual(
    retries.map(({ attempt, reason }) => [attempt, reason]),
    [1, 2, 3].map((n) => [n, 'the connection broke']),
  );
  const from = String(Date.parse('2026-03-03T00:00:00Z'));
  assert.deepEqual(
    parts.logs.calls.map(({ start, low_memory }) => [start?.ms, low_memory]),
    [
      [undefined, false],
      [from, false],
      [from, true],
      [from, true],
    ],
  );
});

test('rows are read through as many queries as requested, else as configured, else as the server allows', async () => {
  const { parts } = setUp(10);
  const parallelOf = async (request: object) => {
    await archive(fakeServices(parts), { ...OPTIONS, ...request }, jobContext());
    return parts.logs.calls.at(-1)?.parallel;
  };
  assert.equal(await parallelOf({}), undefined);
  parts.archive_limits.parallel = 2;
  assert.equal(await parallelOf({}), 2);
  assert.equal(await parallelOf({ parallel: 3, split: 'day' }), 3);
});

test('once retries are exhausted, the archive fails and no further period is started', async () => {
  const { parts } = setUp(48);
  parts.archive_limits.max_error_time_ms = 30;
  parts.logs.failAt = { row: 14, error: connectionLost() };
  await assert.rejects(archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext()), {
    code: 'PARTLY_DONE',
    message: /1 of 4 .*1 .*2 .*the connection broke/,
    hint: /BIFRACT_ARCHIVE_MAX_ERROR_TIME/,
  });
  assert.deepEqual(await statusOf(parts), {
    status: 'partial',
    archive_count: 4,
    completed_count: 1,
    split_granularity: 'day',
  });
});

test('a database that never answered fails early and creates nothing', async () => {
  const { parts } = setUp(10);
  const context = jobContext();
  parts.logs.stats = async () => {
    throw connectionLost();
  };
  await assert.rejects(archive(fakeServices(parts), OPTIONS, context), { code: 'QUERY_FAILED' });
  assert.equal(context.events.filter((one) => one.event === 'job:retry').length, 3);
  assert.equal(parts.catalog.records.size, 0);
});

test('a file that exceeds the time limit fails, and the next one is archived', async () => {
  const { parts } = setUp(24);
  parts.archive_limits.max_duration_ms = 1500;
  const { lines } = parts.logs;
  parts.logs.lines = async function* (window, options) {
    if (parts.logs.calls.length > 0) return yield* lines.call(parts.logs, window, options);
    yield* lines.call(parts.logs, window, options);
    await wait(LIMIT_MS, undefined, { signal: options.signal }).catch(() => options.signal?.throwIfAborted());
  };
  await assert.rejects(archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext()), {
    code: 'PARTLY_DONE',
    message: /2026-03-01/,
  });
  assert.deepEqual(
    (await parts.catalog.archives()).reverse().map(({ status }) => status),
    ['failed', 'completed'],
  );
});

test('cancelling at any row keeps completed days, fails the current one and leaves no job record', async () => {
  for (const row of [0, 5, 12, 13, 30]) {
    const { parts } = setUp(36);
    const controller = new AbortController();
    const { lines } = parts.logs;
    let ended = 0;
    parts.logs.lines = async function* (window, options) {
      try {
        for await (const block of lines.call(parts.logs, window, options)) {
          if (block.bytes.toString().includes(`"line ${row}"`)) controller.abort(cancelled());
          yield block;
        }
      } finally {
        ended++;
      }
    };
    const day = Math.floor(row / 12);
    await assert.rejects(
      archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext(controller.signal)),
      { code: 'CANCELLED', hint: day === 0 ? undefined : /are kept/ },
    );
    const records = (await parts.catalog.archives()).reverse();
    assert.deepEqual(
      records.map(({ status, error_message }) => [status, error_message]),
      [...range(0, day).map(() => ['completed', null]), ['failed', 'Cancelled by the user']],
    );
    assert.deepEqual(await statusOf(parts), {
      status: day === 0 ? 'failed' : 'partial',
      archive_count: 3,
      completed_count: day,
      split_granularity: 'day',
    });
    assert.equal((await Array.fromAsync(parts.archives.list(''))).length, day);
    assert.deepEqual(await parts.state.running(), []);
    await until(() => ended > day, LIMIT_MS, 'the queries to end');
  }
});

test('an operation that takes the fractal between two days is waited for', async () => {
  const { parts } = setUp(24);
  const { openArchive } = parts.catalog;
  let busy = 2;
  parts.catalog.openArchive = async (record) => {
    if (record.group_id && busy-- > 0) throw new BifractError('BUSY', 'web-prod is being restored');
    return openArchive.call(parts.catalog, record);
  };
  const context = jobContext();
  assert.equal(
    (await archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, context)).children.length,
    2,
  );
  assert.equal(context.events.filter((one) => one.event === 'job:retry').length, 2);
});

test('a record is not opened twice when its response was lost', async () => {
  const { parts } = setUp(24);
  const { openArchive } = parts.catalog;
  let lost = 1;
  parts.catalog.openArchive = async (record) => {
    const opened = await openArchive.call(parts.catalog, record);
    if (record.group_id && lost-- > 0) throw new BifractError('POSTGRES_UNREACHABLE', 'restarting');
    return opened;
  };
  await archive(fakeServices(parts), { ...OPTIONS, split: 'day' }, jobContext());
  assert.equal(parts.catalog.records.size, 2);
  assert.equal((await statusOf(parts)).status, 'completed');
});
