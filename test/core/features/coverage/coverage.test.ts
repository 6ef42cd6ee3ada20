import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { coverage } from '../../../../src/core/features/coverage/coverage.ts';
import { archiveParts } from '../../../helpers/archive-parts.ts';
import { countRows } from '../../../helpers/count-rows.ts';
import { FRACTAL_ID } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { addScheduledArchive, SIZE } from '../../../helpers/scheduled-archives.ts';

const RANGE = { time_range_start: '2026-03-01T00:00:00Z', time_range_end: '2026-03-01T00:59:59Z' };

/** A row per second for two hours. */
function setUp() {
  const { parts } = archiveParts(0);
  const counted = Array.from({ length: 7200 }, (_, row) => Date.UTC(2026, 2, 1) + row * 1000);
  parts.logs.countsByPeriod = async (query) =>
    countRows(
      counted.map((at) => ({ time: at, ingested: at })),
      query,
    );
  const services = fakeServices({ ...parts, backups: parts.archives, storageOf: async () => undefined });
  return { parts, services };
}

test('rows are protected by complete archives whose file exists with the recorded size', async () => {
  const { parts, services } = setUp();
  const unprotected = async () => (await coverage(services, FRACTAL_ID)).unprotected_rows;
  assert.equal(await unprotected(), 7200);
  const add = (day: string, record: object, file = true) =>
    addScheduledArchive(parts, FRACTAL_ID, { day, file, record: { ...RANGE, log_count: 3600, ...record } });
  await add('03-02', {}, false);
  await add('03-03', { size_bytes: SIZE + 1 });
  await add('03-04', { status: 'failed' });
  assert.equal(await unprotected(), 7200);
  await add('03-05', {});
  assert.equal(await unprotected(), 3600);
});

test('a file that the listing leaves out, or lists with another size, protects its rows', async () => {
  const { parts, services } = setUp();
  await addScheduledArchive(parts, FRACTAL_ID, { day: '03-02', record: { ...RANGE, log_count: 3600 } });
  const unprotected = async () => (await coverage(services, FRACTAL_ID)).unprotected_rows;
  const list = parts.archives.list.bind(parts.archives);
  parts.archives.list = async function* (...args) {
    for await (const object of list(...args)) yield { ...object, size_bytes: object.size_bytes - 1 };
  };
  assert.equal(await unprotected(), 3600);
  parts.archives.list = async function* () {
    yield* [];
    throw new BifractError('STORAGE_FAILED', 'The listing is incomplete');
  };
  assert.equal(await unprotected(), 3600);
  parts.archives.stat = async () => {
    throw new BifractError('STORAGE_DENIED', 'refused');
  };
  assert.equal(await unprotected(), 7200, 'a file that cannot be looked for proves nothing');
});

test('coverage is by day or by hour', async () => {
  const { parts, services } = setUp();
  await addScheduledArchive(parts, FRACTAL_ID, { day: '03-02', record: { ...RANGE, log_count: 3600 } });
  const statesOf = async (unit?: 'hour' | 'day') =>
    (await coverage(services, FRACTAL_ID, { unit })).periods.map(({ state }) => state);
  assert.deepEqual(await statesOf(), ['partial']);
  assert.deepEqual(await statesOf('hour'), ['both', 'clickhouse']);
});

test('the coverage of an unknown fractal is not found', async () => {
  await assert.rejects(coverage(setUp().services, 'unknown'), { code: 'NOT_FOUND' });
});
