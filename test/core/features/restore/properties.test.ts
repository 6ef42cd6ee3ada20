import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { openEngine } from '../../../../bin/session.ts';
import type { RestoreQuery, RestoreTarget } from '../../../../src/core/features/restore/contract.ts';
import { parseKey, readContent, splitBackup, writeBackup } from '../../../../src/core/format/index.ts';
import type { Engine } from '../../../../src/core/index.ts';
import type { DatabaseProperties } from '../../../../src/core/ports/database.ts';
import type { Key } from '../../../../src/core/ports/key.ts';
import { assertSameDump, dumpText } from '../../../helpers/dump-text.ts';
import { resultOfJob, runToEnd } from '../../../helpers/engine-jobs.ts';
import { testServices } from '../../../helpers/services.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';

const { postgres, sql, installation } = await testServices();
const suffix = randomBytes(4).toString('hex');
const NONE = { safety_backup: false, end_sessions: true, stop_app: false };
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A database of its own, and the role that the installation on it logs in as. */
interface Site {
  engine: Engine;
  dir: string;
  key: Key;
  database: string;
  role: string;
  /** Runs statements in the database as that role. */
  run(statements: string): Promise<void>;
  /** Properties of a database as PostgreSQL itself describes them. */
  about(database: string): Promise<unknown>;
}

let count = 0;

async function site({
  create = '',
  superuser = false,
}: {
  create?: string;
  superuser?: boolean;
}): Promise<Site> {
  const database = `p_${suffix}_${++count}`;
  const role = `r "${suffix}" ${count}`;
  await sql(
    `CREATE ROLE ${quoted(role)} LOGIN CREATEDB PASSWORD 'secret' ${superuser ? 'SUPERUSER' : 'NOSUPERUSER'}`,
  );
  await sql(`CREATE DATABASE ${database} OWNER ${quoted(role)} TEMPLATE template0 ${create}`);
  const { dir, env } = await installation({
    POSTGRES_DB: database,
    POSTGRES_USER: role,
    POSTGRES_PASSWORD: 'secret',
  });
  const engine = await openEngine({ dir, readOnly: false });
  after(async () => {
    await engine.close();
    await inDatabase('postgres', `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await inDatabase('postgres', `DROP DATABASE IF EXISTS ${quoted(`copy of ${database}`)} WITH (FORCE)`);
    await inDatabase('postgres', `DROP ROLE ${quoted(role)}`);
  });
  const run = (text: string) => inDatabase(database, `SET ROLE ${quoted(role)}; ${text}`);
  const key = parseKey(env.BIFRACT_BACKUP_ENCRYPTION_KEY ?? '');
  return { engine, dir, key, database, role, run, about };
}

/** A copy of a backup with other properties in its manifest. */
async function withManifest(
  { dir, key }: Site,
  file: string,
  change: (properties: DatabaseProperties) => DatabaseProperties | undefined,
): Promise<string> {
  const bytes = inPieces(await readFile(join(dir, 'backups', file)), 65_536);
  const { manifest, dump } = await splitBackup(readContent(bytes, { keys: [key] }));
  const own = manifest.bifract_console;
  assert.ok(own?.properties);
  const changed = { ...manifest, bifract_console: { ...own, properties: change(own.properties) } };
  const path = join(dir, 'changed.bifract-backup');
  await writeFile(path, await collect(writeBackup(changed, dump, { key, head: { tool: 'test' } }).bytes));
  return path;
}

async function inDatabase(database: string, statements: string, options?: string): Promise<void> {
  const { host, port, user, password } = postgres;
  const client = new pg.Client({ host, port, user, password, database, options });
  await client.connect();
  await client.query(statements).finally(() => client.end());
}

async function about(database: string): Promise<unknown> {
  const [row] = await sql(
    `SELECT d.encoding, d.datcollate, d.datctype, d.datlocprovider, d.daticulocale, d.datconnlimit, ARRAY(SELECT unnest(d.datacl)::text ORDER BY 1)::text AS acl,
       pg_get_userbyid(d.datdba) AS owner, t.spcname, shobj_description(d.oid, 'pg_database') AS comment,
       ARRAY(SELECT s.setrole::regrole || unnest(s.setconfig) FROM pg_db_role_setting s
             WHERE s.setdatabase = d.oid ORDER BY 1)::text AS settings
     FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`,
    [database],
  );
  assert.ok(row, `${database} exists`);
  return row;
}

async function backup({ engine }: Site): Promise<string> {
  return (await resultOfJob(engine, { kind: 'backup' })).name;
}

/** Runs a restore to its end. Returns its warnings. */
async function restore({ engine }: Site, query: RestoreQuery): Promise<string[]> {
  const plan = await engine.planRestore(query);
  assert.deepEqual(plan.obstacles, [], `obstacles of ${query.target.kind}`);
  const warnings: string[] = [];
  const request =
    plan.target.kind === 'drill'
      ? ({ kind: 'drill', plan } as const)
      : ({ kind: 'restore', plan, consent: NONE } as const);
  const outcome = await runToEnd(engine, request, (event) => {
    if (event.event === 'job:warning') warnings.push(event.message);
  });
  assert.equal(outcome.event, 'job:done', `${query.target.kind}: ${JSON.stringify(outcome)}`);
  return warnings;
}

const TARGETS = (database: string): RestoreTarget[] => [
  { kind: 'drill' },
  { kind: 'beside', database: `copy of ${database}` },
  { kind: 'live' },
];

const SLOW = `CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM pg_sleep(0.01); RETURN n; END $$;
  CREATE TABLE slow_rows AS SELECT n FROM generate_series(1, 40) n; CREATE INDEX ON slow_rows (public.slow(n));`;
const ODD = `odd, "role" of ${suffix}`;

/** What a database and its role can be like. `role` and `database` stand for their quoted names. */
const VARIANTS: {
  name: string;
  create?: string;
  superuser?: boolean;
  setup: string;
}[] = [
  {
    name: 'short timeouts of the role',
    setup: `${SLOW} ALTER ROLE :role SET statement_timeout = '200ms'; ALTER ROLE :role SET lock_timeout = '1ms';
      ALTER ROLE :role SET idle_in_transaction_session_timeout = '50ms'; ALTER ROLE :role SET idle_session_timeout = '100ms'`,
  },
  {
    name: 'short timeouts of the database',
    setup: `${SLOW} ALTER DATABASE :database SET statement_timeout = '150ms'; ALTER DATABASE :database SET lock_timeout = '1ms'`,
  },
  {
    name: 'read-only, serializable, and other modes of the role',
    setup: `CREATE TABLE t AS SELECT 1 AS a; ALTER ROLE :role SET default_transaction_read_only = on;
      ALTER ROLE :role SET default_transaction_isolation = 'serializable'; ALTER ROLE :role SET default_transaction_deferrable = on;
      ALTER ROLE :role SET datestyle = 'SQL, DMY'; ALTER ROLE :role SET intervalstyle = 'sql_standard';
      ALTER ROLE :role SET bytea_output = 'escape'; ALTER ROLE :role SET standard_conforming_strings = off;
      ALTER ROLE :role SET extra_float_digits = 0; ALTER ROLE :role SET quote_all_identifiers = on;
      ALTER ROLE :role SET client_encoding = 'LATIN1'; ALTER ROLE :role SET search_path = 'nowhere'; CREATE SCHEMA mine;
      CREATE TABLE mine.values AS SELECT date '2026-02-01' AS d, interval '-1 day 2:03' AS i, 0.1::float8 + 0.2 AS f,
        '\\x00ff'::bytea AS b, E'back\\\\slash ☃' AS t`,
  },
  {
    name: 'modes of the database that change what is stored',
    setup: `CREATE TABLE lists AS SELECT '{NULL,a}'::text[] AS list; CREATE TABLE nulls (a int);
      CREATE VIEW none AS SELECT a FROM nulls WHERE (a = NULL);
      ALTER DATABASE :database SET array_nulls = off; ALTER ROLE :role SET transform_null_equals = on;
      ALTER DATABASE :database SET default_transaction_read_only = on`,
  },
  {
    name: 'settings that views and functions depend on, of the database and of a role in it',
    setup: `ALTER DATABASE :database SET "app.tenant" = 'it''s, one'; SET "app.tenant" = 'x';
      CREATE MATERIALIZED VIEW tenant AS SELECT current_setting('app.tenant') AS name;
      ALTER ROLE :role IN DATABASE :database SET work_mem = '3MB'; ALTER DATABASE :database SET search_path = "$user", public, "a, b";
      ALTER DATABASE :database CONNECTION LIMIT 7; COMMENT ON DATABASE :database IS 'line 1
line ''2'''; REVOKE ALL ON DATABASE :database FROM PUBLIC; GRANT CONNECT ON DATABASE :database TO :odd WITH GRANT OPTION;
      GRANT TEMPORARY ON DATABASE :database TO PUBLIC`,
    superuser: true,
  },
  {
    name: 'an ICU locale',
    create: `LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LOCALE 'C.UTF-8' ENCODING 'UTF8'`,
    setup: `CREATE TABLE words AS SELECT unnest(ARRAY['ä', 'z', 'ae']) AS w; CREATE UNIQUE INDEX ON words (w)`,
  },
  {
    name: 'the C locale and Latin-1',
    create: `LOCALE 'C' ENCODING 'LATIN1'`,
    setup: `CREATE TABLE words AS SELECT unnest(ARRAY['é', 'Z', 'a']) AS w`,
  },
  {
    name: 'privileges of every kind for a role with an odd name',
    setup: `CREATE SCHEMA s; CREATE TABLE s.t (a int, b int); CREATE SEQUENCE s.q; CREATE FUNCTION s.f("to" int) RETURNS int
        LANGUAGE sql AS 'SELECT 1';
      GRANT USAGE ON SCHEMA s TO :odd; GRANT SELECT (a), UPDATE (b) ON s.t TO :odd WITH GRANT OPTION; GRANT USAGE ON SEQUENCE s.q TO :odd;
      REVOKE EXECUTE ON FUNCTION s.f(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION s.f(int) TO :odd; ALTER SCHEMA s OWNER TO :role;
      ALTER DEFAULT PRIVILEGES FOR ROLE :role IN SCHEMA s GRANT SELECT ON TABLES TO :odd;
      ALTER TABLE s.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON s.t TO :odd USING (a::text <> ' TO nobody')`,
    superuser: true,
  },
  {
    name: 'extensions in another schema, event triggers, tablespaces',
    create: 'TABLESPACE :space',
    setup: `CREATE SCHEMA "ext schema"; CREATE EXTENSION hstore SCHEMA "ext schema"; CREATE EXTENSION pageinspect SCHEMA "ext schema";
      CREATE TABLE here AS SELECT 'a=>1'::"ext schema".hstore AS h; CREATE TABLE there (a int) TABLESPACE :space;
      CREATE TABLE back (a int) TABLESPACE pg_default; CREATE INDEX back_a ON back (a) TABLESPACE :space;
      CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
      CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted()`,
    superuser: true,
  },
];

const space = `space "${suffix}"`;

function named(text: string, { role, database }: { role: string; database: string }): string {
  return text
    .replaceAll(':role', quoted(role))
    .replaceAll(':database', quoted(database))
    .replaceAll(':odd', quoted(ODD))
    .replaceAll(':space', quoted(space));
}

await sql(`CREATE ROLE ${quoted(ODD)}`);
// Within the data folder: the server may run as a user that can write nowhere else.
await inDatabase(
  postgres.database,
  `CREATE TABLESPACE ${quoted(space)} LOCATION ''`,
  '-c allow_in_place_tablespaces=on',
);
after(async () => {
  await inDatabase('postgres', `DROP TABLESPACE ${quoted(space)}`);
  await inDatabase('postgres', `DROP ROLE ${quoted(ODD)}`);
});

for (const { name, create = '', superuser, setup } of VARIANTS) {
  test(`test restore, new database, live and an empty server give the same: ${name}`, async () => {
    const own = await site({ create: named(create, { role: '', database: '' }), superuser });
    const { database } = own;
    await own.run(named(setup, own));
    const file = await backup(own);
    const [text, properties] = [await dumpText(postgres, database), await own.about(database)];
    const copy = `copy of ${database}`;
    for (const target of TARGETS(database))
      assert.deepEqual(await restore(own, { file, target }), [], target.kind);
    assertSameDump(await dumpText(postgres, copy), text);
    assertSameDump(await dumpText(postgres, database), text);
    assert.deepEqual([await own.about(copy), await own.about(database)], [properties, properties]);
    await sql(`DROP DATABASE ${database} WITH (FORCE)`);
    await restore(own, { file, target: { kind: 'live' } });
    assertSameDump(await dumpText(postgres, database), text);
    assert.deepEqual(await own.about(database), properties);
  });
}

test('what the server lacks is found before anything is created, each with a way out', async () => {
  const lost = `lost, "one" of ${suffix}`;
  const own = await site({ superuser: true });
  const { engine, database, run } = own;
  const target = { kind: 'beside', database: `copy of ${database}` } as const;
  const obstacles = async (file: string, options: Partial<RestoreQuery> = {}) => {
    const plans = TARGETS(database).map((to) => engine.planRestore({ file, target: to, ...options }));
    const found = (await Promise.all(plans)).map((plan) => plan.obstacles);
    assert.deepEqual([found[1], found[2]], [found[0], found[0]], 'all targets have the same obstacles');
    return (found[0] ?? []).map(({ code, message, hint }) => {
      assert.equal(code, 'UNSUPPORTED');
      return `${message} ${hint}`;
    });
  };
  await sql(`CREATE ROLE ${quoted(lost)}`);
  const q = quoted(lost);
  const grants = [
    `GRANT SELECT (a) ON t TO ${q}`,
    `GRANT USAGE ON SCHEMA s TO ${q}`,
    `GRANT USAGE ON SEQUENCE s.q TO ${q} WITH GRANT OPTION`,
    `GRANT EXECUTE ON FUNCTION s.f("TO" int, interval day to second) TO ${q}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO ${q}`,
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${q} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`,
  ];
  await run(
    `CREATE SCHEMA s; CREATE TABLE t (a int); CREATE SEQUENCE s.q; CREATE FUNCTION s.f("TO" int, interval day to second)
       RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  );
  const files: string[] = [];
  for (const grant of grants) {
    await run(grant);
    files.push(await backup(own));
    await run(`DROP OWNED BY ${q}`);
  }
  await run(`CREATE POLICY p ON t FOR SELECT TO ${quoted(ODD)}, ${q} USING (a > 0)`);
  const policy = await backup(own);
  await run(`DROP POLICY p ON t; DROP OWNED BY ${q}`);
  await sql(`DROP ROLE ${q}`);
  for (const [index, file] of files.entries()) {
    const [only, ...more] = await obstacles(file);
    assert.ok(only?.includes(`CREATE ROLE ${q}`) && only.includes('--no-privileges'), String(grants[index]));
    assert.deepEqual(more, []);
    assert.deepEqual(await obstacles(file, { no_privileges: true }), []);
    assert.deepEqual(await obstacles(file, { no_owner: true }), []);
  }
  const [refused] = await obstacles(policy, { no_owner: true });
  assert.ok(refused?.includes(`CREATE ROLE ${q}`), String(refused));
  await restore(own, { file: files[0] as string, target, no_privileges: true });
  const plan = await engine.planRestore({ file: policy, target: { kind: 'drill' } });
  const outcome = await runToEnd(engine, { kind: 'drill', plan });
  assert.ok(outcome.event === 'job:failed' && outcome.error.code === 'UNSUPPORTED');
});

test('a missing tablespace, of the database or of an object, can be left out', async () => {
  const gone = `gone "${suffix}"`;
  const make = (name: string) =>
    inDatabase(
      'postgres',
      `CREATE TABLESPACE ${quoted(name)} LOCATION ''`,
      '-c allow_in_place_tablespaces=on',
    );
  await make(gone);
  for (const [create, setup] of [
    ['', `CREATE TABLE t (a int); CREATE INDEX ON t (a) TABLESPACE ${quoted(gone)}`],
    [`TABLESPACE ${quoted(gone)}`, 'CREATE TABLE t (a int)'],
  ] as const) {
    const own = await site({ create, superuser: true });
    await own.run(setup);
    const file = await backup(own);
    await sql(`DROP DATABASE ${own.database} WITH (FORCE)`);
    await sql(`DROP TABLESPACE ${quoted(gone)}`);
    const target = { kind: 'live' } as const;
    const { obstacles } = await own.engine.planRestore({ file, target });
    assert.deepEqual(
      obstacles.map(({ code, message }) => [code, message.includes(quoted(gone))]),
      [['UNSUPPORTED', true]],
    );
    await restore(own, { file, target, no_tablespaces: true });
    assert.equal(((await own.about(own.database)) as { spcname: string }).spcname, 'pg_default');
    await make(gone);
  }
  await sql(`DROP DATABASE IF EXISTS p_${suffix}_${count} WITH (FORCE)`);
  await inDatabase('postgres', `DROP TABLESPACE ${quoted(gone)}`);
});

test('extensions that only a superuser can create, and libraries that are missing, are found', async () => {
  const own = await site({});
  await inDatabase(own.database, 'CREATE EXTENSION pageinspect');
  const file = await backup(own);
  const { obstacles } = await own.engine.planRestore({ file, target: { kind: 'drill' } });
  assert.deepEqual(
    obstacles.map(({ code, message }) => [code, /pageinspect/.test(message)]),
    [['UNSUPPORTED', true]],
  );
  const root = await site({ superuser: true });
  const library = 'bifract_absent';
  await root.run(
    `CREATE FUNCTION c(cstring) RETURNS int LANGUAGE c AS '$libdir/pgcrypto', 'pg_digest';
     UPDATE pg_proc SET probin = '$libdir/${library}' WHERE proname = 'c'`,
  );
  const dumped = await backup(root);
  const found = (await root.engine.planRestore({ file: dumped, target: { kind: 'live' } })).obstacles;
  assert.deepEqual(
    found.map(({ code, message }) => [code, message.includes(library)]),
    [['UNSUPPORTED', true]],
  );
});

test('what only a superuser may set is a warning with its statement, the same for every target', async () => {
  const own = await site({});
  const { database } = own;
  await sql(`ALTER DATABASE ${database} SET log_statement = 'all'`);
  await sql(`ALTER DATABASE ${database} SET "app.api_key" = 'do not tell'`);
  await own.run(`ALTER DATABASE ${database} SET work_mem = '5MB'`);
  const file = await backup(own);
  for (const target of TARGETS(database)) {
    const name = target.kind === 'beside' ? quoted(target.database) : quoted(database);
    const warnings = await restore(own, { file, target });
    assert.equal(warnings.length, 2, warnings.join());
    assert.ok(warnings.some((one) => one.includes(`ALTER DATABASE ${name} SET "log_statement" TO 'all'`)));
    assert.ok(warnings.some((one) => one.includes('"api_key"')));
    assert.ok(!warnings.join().includes('do not tell'));
  }
  const settings = ((await own.about(database)) as { settings: string }).settings;
  assert.ok(settings.includes('work_mem=5MB') && !settings.includes('log_statement'), settings);
});

test('a user that does not own the database is told so by the plan of a test restore, too', async () => {
  const own = await site({});
  const file = await backup(own);
  await sql(`ALTER DATABASE ${own.database} OWNER TO ${quoted(ODD)}`);
  for (const target of [{ kind: 'drill' }, { kind: 'live' }] as const) {
    const { obstacles } = await own.engine.planRestore({ file, target });
    assert.deepEqual(
      obstacles.map(({ code, consent }) => [code, consent]),
      [['UNSUPPORTED', null]],
    );
  }
});

test('a locale that this server lacks is refused for a new database; over an existing one, its own is kept', async () => {
  const own = await site({ create: `LOCALE 'C' ENCODING 'UTF8'` });
  await own.run('CREATE TABLE t AS SELECT 1 AS a');
  const file = await backup(own);
  const saved = await own.engine.planRestore({ file, target: { kind: 'live' } });
  assert.deepEqual(saved.obstacles, []);
  const foreign = await withManifest(own, file, (properties) => ({
    ...properties,
    collate: 'xx_XX.nowhere',
    ctype: 'xx_XX.nowhere',
  }));
  const beside = await own.engine.planRestore({
    file: foreign,
    target: { kind: 'beside', database: `copy of ${own.database}` },
  });
  const outcome = await runToEnd(own.engine, { kind: 'restore', plan: beside, consent: NONE });
  assert.ok(outcome.event === 'job:failed' && outcome.error.code === 'UNSUPPORTED', JSON.stringify(outcome));
  const before = await own.about(own.database);
  const warnings = await restore(own, { file: foreign, target: { kind: 'live' } });
  assert.equal(warnings.length, 1);
  assert.deepEqual(await own.about(own.database), before);
});

test('a backup without properties gives the database those of the installation', async () => {
  const own = await site({ create: `LOCALE 'C' ENCODING 'LATIN1'` });
  await own.run(`ALTER DATABASE ${own.database} SET work_mem = '6MB'`);
  const before = await own.about(own.database);
  const old = await withManifest(own, await backup(own), () => undefined);
  for (const target of TARGETS(own.database)) assert.deepEqual(await restore(own, { file: old, target }), []);
  const after = [await own.about(own.database), await own.about(`copy of ${own.database}`)];
  assert.deepEqual(after, [before, before]);
});
