import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { loadDriver, newClient } from '../../../../src/core/adapters/postgres/driver.ts';
import { PostgresPool } from '../../../../src/core/adapters/postgres/pool.ts';
import { SESSION_OPTIONS, toolOptions } from '../../../../src/core/adapters/postgres/session-options.ts';
import { dumpTool } from '../../../../src/core/adapters/postgres/tools/pg-dump.ts';
import {
  bestFor,
  composeTool,
  findPrograms,
  localTool,
  toolEnvironment,
} from '../../../../src/core/adapters/postgres/tools/pg-tool.ts';
import { testServices } from '../../../helpers/services.ts';
import { collect } from '../../../helpers/streams.ts';

const { postgres, sql } = await testServices();
const { host, port, database } = postgres;
const role = `s_${randomBytes(4).toString('hex')}`;
const connection = { host, port, database, user: role, password: 'secret' };
const FOREIGN = {
  PGSERVICE: 'nowhere',
  PGSERVICEFILE: '/nonexistent',
  PGHOSTADDR: '203.0.113.1',
  PGOPTIONS: '-c statement_timeout=1',
  PGCLIENTENCODING: 'SQL_ASCII',
  PGDATESTYLE: 'German',
  PGTZ: 'Asia/Tokyo',
  PGTARGETSESSIONATTRS: 'standby',
  PGREQUIREAUTH: 'none',
  PGLOADBALANCEHOSTS: 'random',
};

const SETTINGS: Record<string, string> = {
  statement_timeout: '777ms',
  lock_timeout: '778ms',
  idle_in_transaction_session_timeout: '779ms',
  idle_session_timeout: '780ms',
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'repeatable read',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_tablespace: 'no_such',
  row_security: 'on',
  standard_conforming_strings: 'off',
  session_replication_role: 'replica',
  timezone: 'Asia/Tokyo',
  intervalstyle: 'iso_8601',
};

await sql(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'secret'`);
for (const [name, value] of Object.entries(SETTINGS))
  await sql(`ALTER ROLE ${role} SET ${name} = '${value}'`);
const dir = await mkdtemp(join(tmpdir(), 'bifract-session-'));
after(() => rm(dir, { recursive: true }));

const WANTED = {
  ...SESSION_OPTIONS,
  idle_session_timeout: '0',
  session_replication_role: 'origin',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
};

test('no setting of the role reaches a session', async () => {
  const names = Object.keys(WANTED);
  const query = 'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name';
  const client = await newClient(connection, { lock_timeout: 0 });
  await client.connect();
  const single = (await client.query<{ name: string; value: string }>(query, [names])).rows;
  await client.end();
  assert.deepEqual(Object.fromEntries(single.map(({ name, value }) => [name, value])), WANTED);
  const literal = query.replace('$1', `'{${names.join(',')}}'`);
  const starts: ((pool: PostgresPool) => Promise<{ name: string; value: string }[]>)[] = [
    (pool) => pool.query(query, [names]),
    (pool) => pool.transaction((session) => session.query(query, [names])),
    async (pool) => (await pool.queryAndSetPath<{ name: string; value: string }>(literal, "'public'")).rows,
  ];
  for (const start of starts) {
    const pool = await PostgresPool.open(connection);
    const pooled = await start(pool).finally(() => pool.close());
    assert.deepEqual(Object.fromEntries(pooled.map(({ name, value }) => [name, value])), {
      ...WANTED,
      statement_timeout: '1min',
      lock_timeout: '10s',
    });
  }
});

test('only servers that know a timeout are asked to set it', () => {
  const names = (major: number) =>
    [...toolOptions('pg_restore', major).matchAll(/-c (\w+)=/g)].map(([, name]) => name);
  const later = (major: number) =>
    names(major).filter((name) => !Object.hasOwn(SESSION_OPTIONS, String(name)));
  assert.deepEqual(
    [later(13), later(14), later(16), later(17), later(Number.NaN)],
    [
      [],
      ['idle_session_timeout'],
      ['idle_session_timeout'],
      ['idle_session_timeout', 'transaction_timeout'],
      [],
    ],
  );
  assert.match(toolOptions('pg_dump', 15), /=read\\ committed /);
});

test('a local program gets the connection of the settings and nothing else of libpq', () => {
  const inherited = {
    ...FOREIGN,
    PATH: '/bin',
    HOME: '/root',
    PGPASSFILE: '/p',
    PGHOST: 'x',
    PGUSER: 'x',
    PGPASSWORD: 'x',
  };
  const environment = toolEnvironment('pg_dump', { ...connection, password: undefined }, '15.3', inherited);
  assert.deepEqual(environment, {
    HOME: '/root',
    PATH: '/bin',
    PGDATABASE: database,
    PGHOST: host,
    PGOPTIONS: toolOptions('pg_dump', 15),
    PGPASSFILE: '/p',
    PGPASSWORD: 'x',
    PGPORT: String(port),
    PGUSER: role,
  });
  assert.equal(toolEnvironment('pg_dump', connection, '15.3', inherited).PGPASSWORD, 'secret');
});

test('variables of libpq reach pg_dump neither here nor in a container', async () => {
  const best = bestFor('15', await findPrograms('pg_dump'));
  assert.ok(best);
  await writeFile(join(dir, 'docker'), '#!/bin/sh\nshift 4\nexec "$@"\n');
  await chmod(join(dir, 'docker'), 0o755);
  const folder = join(best.path, '..');
  const inContainer = { PGHOST: host, PGPORT: String(port), PGPASSWORD: 'secret' };
  const before = { ...process.env };
  Object.assign(process.env, FOREIGN, inContainer, { PATH: [dir, folder, before.PATH].join(delimiter) });
  try {
    const tools = [
      localTool('pg_dump', best, connection, '15.0'),
      composeTool('pg_dump', dir, connection, '15.0'),
    ];
    for (const tool of tools) {
      const dump = await collect(dumpTool(tool).dump({ encoding: 'UTF8' }));
      assert.equal(dump.toString('latin1', 0, 5), 'PGDMP');
      assert.ok(dump.includes("SET client_encoding = 'UTF8'"), tool.location);
    }
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
});

test('a server that ends a session as it begins does not end this process', async () => {
  const { Client } = await loadDriver();
  const { user, password } = postgres;
  const client = new Client({ host, port, database, user, password });
  const connecting = client.connect();
  // As at any moment from here to the end of the session. Without a listener, this throws.
  client.emit('error', new Error('terminating connection'));
  await connecting;
  client.emit('error', new Error('terminating connection'));
  await client.end();
});
