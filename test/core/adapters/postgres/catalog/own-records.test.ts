import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { migratePostgres } from '../../../../../bin/demo/generations.ts';
import { queryPostgres } from '../../../../../bin/demo/query.ts';
import { connectCatalog } from '../../../../../src/core/adapters/postgres/catalog/catalog.ts';
import { catalogContract, newArchive } from '../../../../contracts/catalog.ts';
import { refuses } from '../../../../contracts/storage.ts';
import { testServices } from '../../../../helpers/services.ts';

/** A server of August 2026, which keeps no records of archives. */
const { postgres, sql } = await testServices();
await migratePostgres(postgres, 'A', 'H');
let current = await connectCatalog(postgres);
after(() => current.close());

async function empty() {
  await sql('DELETE FROM fractals');
  await sql('DROP SCHEMA IF EXISTS bifract_console CASCADE');
}

catalogContract('records of our own in PostgreSQL', async () => {
  await empty();
  // A new one: the tables are gone that the other has created.
  await current.close();
  current = await connectCatalog(postgres);
  return current;
});

let fractal_id: string;
beforeEach(async () => {
  await empty();
  const [row] = await sql<{ id: string }>(`INSERT INTO fractals (name) VALUES ('web') RETURNING id`);
  fractal_id = row?.id ?? '';
});

async function connected<T>(
  work: (one: Awaited<ReturnType<typeof connectCatalog>>) => Promise<T>,
): Promise<T> {
  const one = await connectCatalog(postgres);
  return work(one).finally(() => one.close());
}

const RESULT = {
  size_bytes: 5,
  log_count: 7,
  time_range_start: '2026-03-01T00:00:00.001Z',
  time_range_end: '2026-03-01T12:00:00.123456Z',
  checksum: 'ab'.repeat(32),
};

async function hasSchema(): Promise<boolean> {
  const [row] = await sql(`SELECT to_regnamespace('bifract_console') AS schema`);
  return row?.schema !== null;
}

test('where rows of a new fractal come from is recorded', async () => {
  const from = '2026-03-01T00:00:00.001Z';
  const id = 'c0000000-0000-4000-8000-000000000001';
  await connected((one) =>
    one.createFractal({ id, name: 'restored', restored_from: { fractal_id, from, to: null } }),
  );
  const rows = await sql(
    `SELECT retention_days, restored_from_fractal_id, to_json(restored_from_ts AT TIME ZONE 'UTC') #>> '{}' AS from,
       restored_to_ts FROM fractals WHERE id = '${id}'`,
  );
  assert.deepEqual(rows, [
    {
      retention_days: null,
      restored_from_fractal_id: fractal_id,
      from: '2026-03-01T00:00:00.001',
      restored_to_ts: null,
    },
  ]);
});

test('reading creates nothing, and finds no archives', async () => {
  await connected(async (one) => {
    assert.deepEqual([await one.archives(), await one.groups()], [[], []]);
    assert.equal((await one.fractals())[0]?.archive_schedule, 'never');
  });
  assert.equal(await hasSchema(), false);
});

test('two processes that create the tables at once both succeed', async () => {
  const ids = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (name) => {
      const [row] = await sql<{ id: string }>('INSERT INTO fractals (name) VALUES ($1) RETURNING id', [name]);
      return connected((one) => one.openArchive(newArchive(row?.id ?? '')));
    }),
  );
  assert.equal(new Set(ids.map(({ archive_id }) => archive_id)).size, 4);
});

test('records outlive their fractal, and keep its name', async () => {
  await connected(async (one) => {
    const { archive_id } = await one.openArchive(newArchive(fractal_id));
    await one.completeArchive(archive_id, RESULT);
    await sql('DELETE FROM fractals');
    const [record] = await one.archives();
    assert.deepEqual([record?.id, record?.fractal_name], [archive_id, 'web']);
  });
});

test('tables of a newer version of this program are left alone', async () => {
  await connected((one) => one.openArchive(newArchive(fractal_id)));
  await sql(`COMMENT ON SCHEMA bifract_console IS 'Archive records, version 99'`);
  await connected((one) => refuses('UNSUPPORTED', one.archives()));
  await connected((one) => refuses('UNSUPPORTED', one.openArchive(newArchive(fractal_id))));
});

test('records of an older server survive its upgrade, also for a process that is running', async () => {
  const database = `${postgres.database}_up`;
  await queryPostgres({ ...postgres, database: 'postgres' }, `CREATE DATABASE ${database} TEMPLATE bifract`);
  const target = { ...postgres, database };
  const running = await connectCatalog(target);
  try {
    const [row] = await queryPostgres<{ id: string }>(
      target,
      `INSERT INTO fractals (name, archive_schedule, max_archives, archive_split)
       VALUES ('web', 'daily', 3, 'hour') RETURNING id`,
    );
    const { archive_id } = await running.openArchive(newArchive(row?.id ?? ''));
    await running.completeArchive(archive_id, RESULT);
    await running.copyRecords();
    await running.copyRecords();
    const before = [await running.fractals(), await running.groups(), await running.archives()];
    await migratePostgres(target, 'A', 'H');
    assert.deepEqual([await running.fractals(), await running.groups(), await running.archives()], before);
    assert.equal((await running.shape()).archives, 'console');
    await running.deleteArchive(archive_id, async () => undefined);
    await running.copyRecords();
    assert.deepEqual(await running.archives(), []);
  } finally {
    await running.close();
    await queryPostgres({ ...postgres, database: 'postgres' }, `DROP DATABASE ${database} WITH (FORCE)`);
  }
});
