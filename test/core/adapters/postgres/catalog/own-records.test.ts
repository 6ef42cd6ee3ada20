import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { migratePostgres } from '../../../../../bin/demo/generations.ts';
import { queryPostgres } from '../../../../../bin/demo/query.ts';
import { connectCatalog } from '../../../../../src/core/adapters/postgres/catalog/catalog.ts';
import type { Catalog } from '../../../../../src/core/ports/catalog.ts';
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
  await connected(async (one) => {
    await refuses('UNSUPPORTED', one.archives());
    await refuses('UNSUPPORTED', one.archives());
    await refuses('UNSUPPORTED', one.openArchive(newArchive(fractal_id)));
  });
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

/** A server of March 2026, and the copy of its records. */
async function onOldServer(
  suffix: string,
  work: (catalog: Catalog, sql: (text: string) => Promise<Record<string, string | null>[]>) => Promise<void>,
) {
  const database = `${postgres.database}_${suffix}`;
  const target = { ...postgres, database };
  const query = (text: string) => queryPostgres<Record<string, string | null>>(target, text);
  await queryPostgres({ ...postgres, database: 'postgres' }, `CREATE DATABASE ${database} TEMPLATE bifract`);
  const catalog = await connectCatalog(target);
  try {
    await query(
      `INSERT INTO fractals (name, archive_schedule) VALUES ('web', 'daily'), ('dns', 'weekly');
       INSERT INTO archive_groups (fractal_id, status) SELECT id, 'completed' FROM fractals;
       INSERT INTO archives (fractal_id, group_id, filename, storage_path, status, size_bytes)
         SELECT fractal_id, id, i::text, i::text, 'completed', i FROM archive_groups, generate_series(1, 3) i`,
    );
    await work(catalog, query);
  } finally {
    await catalog.close();
    await queryPostgres({ ...postgres, database: 'postgres' }, `DROP DATABASE ${database} WITH (FORCE)`);
  }
}

const IDS = (schema: string) =>
  `SELECT id::text, size_bytes::text, status FROM ${schema}.archives ORDER BY id`;

test('every change of the records is copied, and nothing is written without one', async () => {
  await onOldServer('copy', async (catalog, sql) => {
    const same = async () => {
      await catalog.copyRecords();
      assert.deepEqual(await sql(IDS('bifract_console')), await sql(IDS('public')));
    };
    const written = () =>
      sql(
        `SELECT 'a', count(*)::text, max(xmin::text::bigint)::text FROM bifract_console.archives
         UNION ALL SELECT 's', count(*)::text, max(xmin::text::bigint)::text FROM bifract_console.fractal_settings
         UNION ALL SELECT 'c', state, xmin::text FROM bifract_console.copied ORDER BY 1`,
      );
    await same();
    const before = await written();
    await sql('UPDATE fractals SET log_count = log_count + 1');
    await same();
    assert.deepEqual(await written(), before);
    for (const change of [
      'UPDATE archives SET size_bytes = 99 WHERE size_bytes = 1',
      // An active one ends, and another begins.
      `UPDATE archives SET status = 'restoring' WHERE size_bytes = 2`,
      `UPDATE archives SET status = 'completed' WHERE size_bytes = 2;
       UPDATE archives SET status = 'restoring' WHERE size_bytes = 3`,
      `DELETE FROM archives WHERE size_bytes = 3`,
      // As many rows as before.
      `DELETE FROM archives WHERE size_bytes = 99;
       INSERT INTO archives (fractal_id, filename, storage_path) SELECT id, 'new', 'new' FROM fractals`,
      `DELETE FROM fractals WHERE name = 'dns'`,
    ]) {
      await sql(change);
      await same();
    }
    await sql(
      `UPDATE fractals SET archive_schedule = 'monthly', max_archives = 4, name = 'www' WHERE name = 'web'`,
    );
    await same();
    assert.deepEqual(
      await sql(
        'SELECT name, archive_schedule, max_archives::text FROM bifract_console.fractal_settings ORDER BY name',
      ),
      [
        { name: 'dns', archive_schedule: 'weekly', max_archives: null },
        { name: 'www', archive_schedule: 'monthly', max_archives: '4' },
      ],
    );
  });
});

test('tables that an older server creates anew do not remove what is known from before', async () => {
  await onOldServer('anew', async (catalog, sql) => {
    await catalog.copyRecords();
    const known = await sql(IDS('bifract_console'));
    await sql(
      `CREATE TABLE archives_new (LIKE archives INCLUDING ALL);
       DROP VIEW fractal_overview;
       DROP TABLE archives;
       ALTER TABLE archives_new RENAME TO archives;
       INSERT INTO archives (fractal_id, filename, storage_path, status, size_bytes)
         SELECT id, '1', '1', 'completed', 50 FROM fractals WHERE name = 'web';`,
    );
    await catalog.copyRecords();
    const now = await sql(IDS('bifract_console'));
    // The file with a new record has only that.
    assert.equal(now.length, known.length);
    assert.equal(now.filter(({ id }) => known.some((one) => one.id === id)).length, known.length - 1);
    assert.ok(now.some(({ size_bytes }) => size_bytes === '50'));
  });
});

test('a copy is made by the next call if its tables were dropped meanwhile', async () => {
  await onOldServer('dropped', async (catalog, sql) => {
    await catalog.copyRecords();
    await sql('DROP SCHEMA bifract_console CASCADE');
    await catalog.copyRecords();
    assert.deepEqual(await sql(IDS('bifract_console')), await sql(IDS('public')));
  });
});

test('a catalog that was open before the first record sees what another process records', async () => {
  await connected(async (console) => {
    assert.deepEqual([await console.archives(), await console.groups()], [[], []]);
    const id = await connected(async (job) => {
      await job.setSchedule(fractal_id, { archive_schedule: 'daily', max_archives: 3, archive_split: 'day' });
      return (await job.openArchive(newArchive(fractal_id))).archive_id;
    });
    assert.deepEqual(
      (await console.archives()).map((archive) => archive.id),
      [id],
    );
    assert.equal((await console.groups()).length, 1);
    const [fractal] = await console.fractals();
    assert.deepEqual([fractal?.archive_schedule, fractal?.max_archives], ['daily', 3]);
  });
});
