import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { connectCatalog } from '../../../../../src/core/adapters/postgres/catalog/catalog.ts';
import type { AdoptedArchive } from '../../../../../src/core/ports/catalog.ts';
import { testServices } from '../../../../helpers/services.ts';

const { postgres, sql } = await testServices();
const catalog = await connectCatalog(postgres);
after(() => catalog.close());

let fractal_id: string;

beforeEach(async () => {
  await sql('DELETE FROM fractals');
  fractal_id = randomUUID();
  await catalog.createFractal({ id: fractal_id, name: 'back again' });
});

function adopted(): AdoptedArchive {
  const filename = `${fractal_id}-2026-03-01-20260302-010203.bifract-archive`;
  return {
    fractal_id,
    filename,
    storage_type: 's3',
    storage_path: `archives/${fractal_id}/${filename}`,
    archive_type: 'adhoc',
    archive_end_ts: '2026-03-01T23:59:59.999Z',
    size_bytes: 5_000_000_000,
    log_count: 7,
    time_range_start: '2026-03-01T00:00:00.001Z',
    time_range_end: '2026-03-01T23:59:59.999Z',
    checksum: 'ab'.repeat(32),
    created_at: '2026-03-02T01:02:03.004Z',
    split: 'day',
    period_label: '2026-03-01',
  };
}

test('an adopted file gets a completed record in its own completed group', async () => {
  const { group_id, archive_id } = await catalog.adoptArchive(adopted());
  const [record] = await catalog.archives({ ids: [archive_id] });
  const { split: _, ...expected } = adopted();
  assert.deepEqual(record, {
    ...expected,
    id: archive_id,
    fractal_name: 'back again',
    status: 'completed',
    error_message: null,
    created_by: null,
    format_version: 1,
    group_id,
  });
  const [group] = await catalog.groups({ fractal_id });
  assert.deepEqual(
    [group?.status, group?.split_granularity, group?.total_log_count, group?.total_size_bytes],
    ['completed', 'day', 7, 5_000_000_000],
  );
  assert.deepEqual([group?.archive_count, group?.completed_count], [1, 1]);
});

test('adopting a file concurrently creates one record', async () => {
  const results = await Promise.allSettled([1, 2, 3].map(() => catalog.adoptArchive(adopted())));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  assert.deepEqual(codes, ['EXISTS', 'EXISTS']);
  assert.equal((await catalog.archives({ fractal_id })).length, 1);
  assert.equal((await catalog.groups({ fractal_id })).length, 1);
});

test('adopting a file of a missing fractal fails', async () => {
  await assert.rejects(catalog.adoptArchive({ ...adopted(), fractal_id: randomUUID() }), {
    code: 'NOT_FOUND',
  });
});

test('a fractal is created with its id, and never replaces another', async () => {
  const [created] = await catalog.fractals();
  assert.deepEqual([created?.id, created?.name, created?.log_count], [fractal_id, 'back again', 0]);
  await assert.rejects(catalog.createFractal({ id: fractal_id, name: 'x' }), { code: 'EXISTS' });
  await assert.rejects(catalog.createFractal({ id: randomUUID(), name: 'back again' }), { code: 'EXISTS' });
});
