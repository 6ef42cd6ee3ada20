import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import pg from 'pg';
import { queryPostgres } from '../../../../bin/demo/query.ts';
import { databaseServer } from '../../../../src/core/adapters/postgres/server.ts';
import { asBifractError } from '../../../../src/core/index.ts';
import { testServices } from '../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const { postgres, sql } = await testServices();
const { host, port, user, password, database } = postgres;
const connection = { host, port, user, password, database };
const server = databaseServer(connection);
/** A role that may create databases, and nothing else. */
const limited = `limited_${randomBytes(4).toString('hex')}`;
await sql(`CREATE ROLE ${limited} LOGIN CREATEDB PASSWORD '${password}'`);
const limitedServer = databaseServer({ ...connection, user: limited });

let name: string;

beforeEach(async () => {
  name = `bifract_drill_${randomBytes(6).toString('hex')}`;
  await server.create(name, { comment: 'test' });
});

afterEach(async () => {
  await server.drop(name);
});

after(() => queryPostgres({ ...postgres, database: 'postgres' }, `DROP ROLE ${limited}`));

function inside(text: string): Promise<unknown> {
  return queryPostgres({ ...postgres, database: name }, text);
}

async function dropped(): Promise<void> {
  assert.equal(await server.drop(name), true);
  assert.equal(await server.find(name), undefined);
  assert.equal(await server.drop(name), false);
}

const SUBSCRIPTION = `CREATE SUBSCRIPTION "odd ""one" CONNECTION 'host=127.0.0.1 port=1 dbname=none'
  PUBLICATION p WITH (connect = false, slot_name = 'of_the_live_one')`;

test('a database with subscriptions is dropped, also with one that is enabled', async () => {
  await inside(SUBSCRIPTION);
  await inside(SUBSCRIPTION.replace('odd ""one', 'second'));
  await inside('ALTER SUBSCRIPTION second ENABLE');
  await dropped();
});

test('event triggers that refuse every change do not keep a subscription', async () => {
  await inside(SUBSCRIPTION);
  await inside(
    `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'`,
  );
  await inside('CREATE EVENT TRIGGER "odd ""one" ON ddl_command_start EXECUTE FUNCTION refuse()');
  await inside('ALTER EVENT TRIGGER "odd ""one" ENABLE ALWAYS');
  await assert.rejects(() => inside('ALTER SUBSCRIPTION "odd ""one" DISABLE'), /no/);
  await dropped();
});

test('a template that allows no connections is dropped, with its subscription', async () => {
  await inside(SUBSCRIPTION);
  await sql(`ALTER DATABASE ${name} IS_TEMPLATE true`);
  await sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await dropped();
});

test('a prepared transaction is rolled back', async () => {
  const client = new pg.Client({ ...connection, database: name });
  await client.connect();
  await client.query('CREATE TABLE t (a int)');
  await client.query('BEGIN; INSERT INTO t VALUES (1)');
  await client.query(`PREPARE TRANSACTION 'it''s ${name}'`);
  await client.end();
  await dropped();
});

test('a replication slot that a program reads is dropped', async () => {
  const slot = `slot_${name}`;
  await inside(`SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`);
  const args = [
    '-h',
    host,
    '-p',
    String(port),
    '-U',
    user,
    '-d',
    name,
    '--slot',
    slot,
    '--start',
    '--no-loop',
  ];
  const reader = spawn(join(postgres.bin, 'pg_recvlogical'), [...args, '-f', '-'], {
    env: { PATH: process.env.PATH, PGPASSWORD: password },
    stdio: 'ignore',
  });
  try {
    const isActive = async () =>
      (await sql(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`)).length > 0;
    await until(isActive, LIMIT_MS, 'the slot is read');
    await dropped();
    assert.deepEqual(await sql(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slot}'`), []);
  } finally {
    reader.kill('SIGKILL');
  }
});

test('sessions are ended, and a database that is read-only by default is dropped', async () => {
  await sql(`ALTER DATABASE ${name} OWNER TO ${limited}`);
  const client = new pg.Client({ ...connection, user: limited, database: name });
  client.on('error', () => undefined);
  await client.connect();
  await sql(`ALTER ROLE ${limited} SET default_transaction_read_only = on`);
  try {
    assert.equal(await limitedServer.drop(name), true);
  } finally {
    await sql(`ALTER ROLE ${limited} RESET default_transaction_read_only`);
    await client.end().catch(() => undefined);
  }
});

test('what this user may not drop is an error with the statement for an administrator', async () => {
  await sql(`ALTER DATABASE ${name} IS_TEMPLATE true`);
  const error = await limitedServer.drop(name).then(
    () => assert.fail('It was dropped'),
    (thrown: unknown) => asBifractError(thrown),
  );
  assert.equal(error.code, 'QUERY_FAILED');
  const statements = (error.hint ?? '').match(/(ALTER|DROP) DATABASE [^;]*/g) ?? [];
  assert.equal(statements.length, 2, String(error.hint));
  for (const statement of statements) await sql(statement);
  assert.equal(await server.find(name), undefined);
});

test('a session of a superuser keeps another owner from dropping: the hint ends it', async () => {
  await sql(`ALTER DATABASE ${name} OWNER TO ${limited}`);
  const client = new pg.Client({ ...connection, database: name, application_name: 'monitoring' });
  client.on('error', () => undefined);
  await client.connect();
  const error = await limitedServer.drop(name).then(() => undefined, asBifractError);
  const statement = /DROP DATABASE .*/.exec(error?.hint ?? '')?.[0];
  assert.ok(statement, String(error?.hint));
  await sql(statement);
  await client.end().catch(() => undefined);
  assert.equal(await server.find(name), undefined);
});
