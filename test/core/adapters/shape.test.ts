import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  createLogsTables,
  createPostgresTables,
  GENERATIONS,
  type Generation,
  migrateLogsTables,
  migratePostgres,
} from '../../../bin/demo/generations.ts';
import { queryClickhouse, queryPostgres } from '../../../bin/demo/query.ts';
import { connectClickHouse } from '../../../src/core/adapters/clickhouse/log-database.ts';
import { connectCatalog } from '../../../src/core/adapters/postgres/catalog/catalog.ts';
import { describeRelease } from '../../../src/core/policy/release.ts';
import type { InstallationShape } from '../../../src/core/ports/installation-shape.ts';
import { testServices } from '../../helpers/services.ts';

const services = await testServices();
const created = new Map<string, Promise<Databases>>();
after(async () => {
  for (const name of created.keys()) {
    await queryPostgres({ ...services.postgres, database: 'postgres' }, `DROP DATABASE ${name} WITH (FORCE)`);
    await queryClickhouse(services.clickhouse, 'default', `DROP DATABASE ${name} SYNC`);
  }
});

interface Databases {
  postgres: typeof services.postgres;
  clickhouse: typeof services.clickhouse;
}

/** Databases with the tables of a release, upgraded in place to another. Created once. */
function databases(installed: Generation, to: Generation = installed): Promise<Databases> {
  const database = `${services.postgres.database}_${installed}${to}`.toLowerCase();
  const made = created.get(database) ?? create(database, installed, to);
  created.set(database, made);
  return made;
}

async function create(database: string, installed: Generation, to: Generation): Promise<Databases> {
  const postgres = { ...services.postgres, database };
  await queryPostgres({ ...postgres, database: 'postgres' }, `CREATE DATABASE ${database}`);
  await createPostgresTables(postgres, installed);
  await migratePostgres(postgres, installed, to);
  await services.ch(`CREATE DATABASE ${database}`);
  await createLogsTables(services.clickhouse, database, installed);
  await migrateLogsTables(services.clickhouse, database, installed, to);
  return { postgres, clickhouse: { ...services.clickhouse, database } };
}

async function shapeOf({ postgres, clickhouse }: Databases): Promise<InstallationShape> {
  const [catalog, logs] = await Promise.all([
    connectCatalog(postgres),
    connectClickHouse({ ...clickhouse, cluster: undefined }),
  ]);
  try {
    return { records: await catalog.shape(), logs: await logs.shape() };
  } finally {
    await Promise.all([catalog.close(), logs.close()]);
  }
}

/** What differs between releases. */
function summary({ records, logs }: InstallationShape) {
  return {
    archives: records.archives,
    iceberg: records.iceberg,
    raw_from: logs.raw_from,
    partition_key: logs.partition_key,
    sorting_key: logs.sorting_key,
    views: logs.views.length,
    norm_log: logs.columns.some(({ name }) => name === 'norm_log'),
  };
}

const OLD_KEY = 'fractal_id, timestamp, log_id';
const A = {
  archives: 'server',
  iceberg: false,
  raw_from: 'logs',
  partition_key: 'toYYYYMM(timestamp)',
  sorting_key: OLD_KEY,
  views: 0,
  norm_log: false,
};
const B = { ...A, partition_key: 'toDate(timestamp)' };
const C = {
  ...A,
  partition_key: '(fractal_id, toDate(timestamp))',
  sorting_key: 'timestamp, log_id',
  views: 1,
};
const D = { ...C, views: 2 };
const E = { ...D, archives: 'console' };
const F = { ...E, iceberg: true, norm_log: true };
const G = { ...F, raw_from: 'logs_raw' };
const H = { ...G, views: 10 };
const EXPECTED = { A, B, C, D, E, F, G, H };

for (const generation of GENERATIONS) {
  test(`the shape of release ${generation} is detected`, async () => {
    assert.deepEqual(summary(await shapeOf(await databases(generation))), EXPECTED[generation]);
  });
}

test('an upgrade in place keeps the keys of the table, and adds columns and views', async () => {
  const { partition_key, sorting_key } = A;
  assert.deepEqual(summary(await shapeOf(await databases('A', 'H'))), { ...H, partition_key, sorting_key });
  assert.deepEqual(summary(await shapeOf(await databases('D', 'F'))), F);
});

test('each view names the table that it fills', async () => {
  const { logs } = await shapeOf(await databases('C'));
  assert.deepEqual(logs.views, [{ name: 'logs_histogram_mv', target: 'logs_histogram' }]);
});

test('the releases are described differently, and each names who keeps the records', async () => {
  const shapes = await Promise.all(
    GENERATIONS.map(async (generation) => shapeOf(await databases(generation))),
  );
  const texts = shapes.map(describeRelease);
  assert.ok(new Set(texts).size >= 5, texts.join('\n'));
  assert.deepEqual(
    texts.map((text) => text.includes('console')),
    GENERATIONS.map((generation) => generation >= 'E'),
  );
});

test('an unknown release is an error that names what is missing', async () => {
  const target = await databases('B', 'D');
  await queryClickhouse(target.clickhouse, target.clickhouse.database, 'DROP TABLE logs_histogram_mv');
  await queryClickhouse(target.clickhouse, target.clickhouse.database, 'DROP TABLE logs_hot_mv');
  await queryClickhouse(
    target.clickhouse,
    target.clickhouse.database,
    'ALTER TABLE logs RENAME COLUMN fields TO data',
  );
  await assert.rejects(shapeOf(target), { code: 'UNSUPPORTED', message: /fields/ });
  await queryPostgres(target.postgres, 'ALTER TABLE fractals RENAME COLUMN log_count TO rows');
  await assert.rejects(shapeOf(target), { code: 'UNSUPPORTED', message: /log_count/ });
  await queryPostgres(target.postgres, 'DROP TABLE fractals CASCADE');
  await assert.rejects(shapeOf(target), { code: 'UNSUPPORTED', message: /fractals/ });
});

test('an upgrade during a session is seen when the shape is read again', async () => {
  const database = `${services.postgres.database}_open`;
  const { postgres, clickhouse } = await create(database, 'E', 'E');
  const catalog = await connectCatalog(postgres);
  const logs = await connectClickHouse({ ...clickhouse, cluster: undefined });
  const shape = async (again: boolean) =>
    summary({ records: await catalog.shape({ again }), logs: await logs.shape({ again }) });
  assert.deepEqual(await shape(false), E);
  await migratePostgres(postgres, 'E', 'H');
  await migrateLogsTables(clickhouse, database, 'E', 'H');
  assert.deepEqual(await shape(true), H);
  assert.deepEqual(await shape(false), H);
  await Promise.all([catalog.close(), logs.close()]);
});
