import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import pg from 'pg';
import { postgresDatabase } from '../../../../src/core/adapters/postgres/snapshot.ts';
import { cancelled } from '../../../../src/core/contract/errors.ts';
import { refuses } from '../../../contracts/storage.ts';
import { testServices } from '../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const { postgres, sql } = await testServices();
const database = postgresDatabase(postgres);

async function open(): Promise<number> {
  const [row] = await sql<{ count: string }>(
    `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bifract-console' AND datname = current_database()`,
  );
  return Number(row?.count);
}

test('a snapshot has an id, a database and a server version', async () => {
  const snapshot = await database.snapshot();
  assert.match(snapshot.id, /^[0-9A-F]+-[0-9A-F]+-\d+$/);
  assert.equal(snapshot.database, postgres.database);
  assert.match(snapshot.server_version, /^\d+\.\d+$/);
  assert.ok(snapshot.size_bytes > 1_000_000);
  await snapshot.close();
});

test('counts every table as of the snapshot, ignoring later writes', async () => {
  await sql(`INSERT INTO users (username, password_hash) SELECT 'u' || i, '' FROM generate_series(1, 100) i`);
  await sql(`CREATE SCHEMA "Odd ""schema"""`);
  await sql(`CREATE TABLE "Odd ""schema"""."table' x" (a int)`);
  await sql(`INSERT INTO "Odd ""schema"""."table' x" VALUES (1), (2)`);
  await sql('CREATE TABLE parted (a int) PARTITION BY RANGE (a)');
  await sql('CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10)');
  await sql('CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (20)');
  await sql('INSERT INTO parted VALUES (1), (2), (11)');
  await sql('CREATE TABLE parent (a int)');
  await sql('CREATE TABLE child () INHERITS (parent)');
  await sql('INSERT INTO child VALUES (1), (2), (3)');
  const snapshot = await database.snapshot();
  try {
    await sql('DELETE FROM users');
    await sql('INSERT INTO parted VALUES (3)');
    const tables = await snapshot.tables();
    const counts = Object.fromEntries(tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows]));
    assert.equal(counts['public.users'], 100);
    assert.equal(counts[`Odd "schema".table' x`], 2);
    assert.deepEqual(
      [counts['public.parted_low'], counts['public.parted_high'], counts['public.parted']],
      [2, 1, undefined],
    );
    assert.deepEqual([counts['public.parent'], counts['public.child']], [0, 3]);
    assert.equal(counts['public.fractal_overview'], undefined);
    assert.ok(tables.every(({ schema }) => !schema.startsWith('pg_') && schema !== 'information_schema'));
    assert.ok((tables.find(({ name }) => name === 'users')?.size_bytes ?? 0) > 0);
  } finally {
    await snapshot.close();
  }
});

test('the smallest tables within a limit have the checksum of their rows, without those of their children', async () => {
  await sql('CREATE TABLE crc_parent (a int, b int GENERATED ALWAYS AS (a) STORED, c text)');
  await sql(`INSERT INTO crc_parent (a, c) VALUES (1, E'x\\ty'), (2, NULL)`);
  await sql('CREATE TABLE crc_child () INHERITS (crc_parent)');
  await sql(`INSERT INTO crc_child (a) SELECT i FROM generate_series(1, 9000) i`);
  const snapshot = await database.snapshot();
  try {
    const checksums = async (checksum_bytes?: number) => {
      const tables = await snapshot.tables({ checksum_bytes });
      return Object.fromEntries(tables.map(({ name, crc32: checksum }) => [name, checksum]));
    };
    const all = await checksums(1 << 30);
    assert.equal(all.crc_parent, crc32('1\tx\\ty\n2\t\\N\n'));
    assert.ok(Object.values(all).every((checksum) => checksum !== undefined));
    const sizes = await snapshot.tables();
    const parent = sizes.find(({ name }) => name === 'crc_parent')?.size_bytes ?? 0;
    const small = sizes.filter(({ size_bytes }) => size_bytes <= parent);
    const some = await checksums(small.reduce((sum, { size_bytes }) => sum + size_bytes, 0));
    assert.deepEqual([some.crc_parent, some.crc_child], [all.crc_parent, undefined]);
    assert.ok(Object.values(await checksums()).every((checksum) => checksum === undefined));
  } finally {
    await snapshot.close();
  }
});

test('a signal ends the counting, on the server too, and closes all connections', async () => {
  const reason = cancelled();
  await assert.rejects(database.snapshot({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
  await sql('CREATE TABLE zz_slow (a int)');
  const snapshot = await database.snapshot();
  const controller = new AbortController();
  const locked = sql('BEGIN; LOCK TABLE zz_slow; SELECT pg_sleep(60); COMMIT').catch(() => undefined);
  const waiting = async (what: string) =>
    (
      await sql(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1 AND state = 'active' AND pid <> pg_backend_pid()`,
        [what],
      )
    ).length;
  await until(() => waiting('%pg_sleep%'), LIMIT_MS, 'the table is locked');
  const counting = snapshot.tables({ signal: controller.signal });
  await until(() => waiting('%pg_table_size%'), LIMIT_MS, 'the count is running');
  controller.abort(reason);
  await assert.rejects(counting, (error) => error === reason);
  await until(async () => (await waiting('%pg_table_size%')) === 0, LIMIT_MS, 'the count has ended');
  await sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
  );
  await locked;
  await snapshot.close();
  await until(async () => (await open()) === 0, LIMIT_MS, 'all connections are closed');
});

test('waiting for a locked table times out with BUSY', async () => {
  await sql('CREATE TABLE held (x int)');
  const { host, port, user, password } = postgres;
  const blocker = new pg.Client({ host, port, user, password, database: postgres.database });
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE');
  const snapshot = await postgresDatabase(postgres, { lock_timeout_ms: 200 }).snapshot();
  await assert.rejects(snapshot.tables(), { code: 'BUSY' });
  await snapshot.close();
  await blocker.end();
  await sql('DROP TABLE held');
});

test('a connection closed by the server does not crash the process', async () => {
  const snapshot = await database.snapshot();
  await sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bifract-console' AND datname = current_database()`,
  );
  await refuses('POSTGRES_UNREACHABLE', snapshot.tables());
  await snapshot.close();
});

test('an unreachable server is reported', async () => {
  await refuses('POSTGRES_UNREACHABLE', postgresDatabase({ ...postgres, port: 1 }).snapshot());
});
