import assert from 'node:assert/strict';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { openEngine } from '../../../../bin/session.ts';
import { StateFolder } from '../../../../src/core/adapters/state/state-folder.ts';
import type { RestorePlan, RestoreTarget } from '../../../../src/core/features/restore/contract.ts';
import type { Engine } from '../../../../src/core/index.ts';
import { refuses } from '../../../contracts/storage.ts';
import { DEPENDENT_OBJECTS_SQL, TABLES_SQL } from '../../../helpers/all-object-kinds.ts';
import { assertSameDump, dumpText } from '../../../helpers/dump-text.ts';
import { resultOfJob, runToEnd } from '../../../helpers/engine-jobs.ts';
import { testServices } from '../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const { postgres, sql, installation } = await testServices();
const live = postgres.database;
const ALL = { safety_backup: true, end_sessions: true, stop_app: false };
const QUIET = { safety_backup: false, end_sessions: false, stop_app: false };
const { dir } = await installation();
const engine: Engine = await openEngine({ dir, readOnly: false });

after(() => engine.close());

async function backup(): Promise<string> {
  return (await resultOfJob(engine, { kind: 'backup' })).name;
}

function plan(file: string, target: RestoreTarget = { kind: 'live' }): Promise<RestorePlan> {
  return engine.planRestore({ file, target });
}

async function scratchDatabases(): Promise<string[]> {
  const rows = await sql<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^bifract_(restore|drill|replaced)_'`,
  );
  return rows.map(({ datname }) => datname);
}

/** Tests of other files use the same server: theirs go away in a while, what was left behind does not. */
async function assertNoScratchDatabase(): Promise<void> {
  const found = await scratchDatabases();
  const isGone = async () => {
    const now = await scratchDatabases();
    return !found.some((name) => now.includes(name));
  };
  await until(isGone, LIMIT_MS, 'all scratch databases are dropped');
}

async function connected(): Promise<pg.Client> {
  const { host, port, user, password, database } = postgres;
  const client = new pg.Client({ host, port, user, password, database, application_name: 'the server' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

test('a restore brings back everything that PostgreSQL dumps, and drops newer objects', async () => {
  await sql(TABLES_SQL);
  await sql(DEPENDENT_OBJECTS_SQL);
  await sql(`ALTER DATABASE ${live} SET work_mem TO '8MB'; COMMENT ON DATABASE ${live} IS 'it''s live'`);
  await sql(`ALTER DATABASE ${live} SET search_path TO "$user", public, "odd, one"`);
  await sql(`REVOKE CONNECT ON DATABASE ${live} FROM PUBLIC`);
  const properties = () =>
    sql(
      `SELECT d.datacl::text, d.encoding, d.datcollate, d.datconnlimit, shobj_description(d.oid, 'pg_database') AS comment,
        ARRAY(SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase = d.oid)::text AS settings
       FROM pg_database d WHERE datname = current_database()`,
    );
  // PostgreSQL rewrites CHECK (a IN (…)) on the first dump and restore; afterwards it is stable.
  await resultOfJob(engine, { kind: 'restore', plan: await plan(await backup()), consent: QUIET });
  const [text, about] = [await dumpText(postgres, live), await properties()];
  const file = await backup();
  await sql(
    `CREATE TABLE since (a int REFERENCES self); DROP MATERIALIZED VIEW sums; DELETE FROM self; SELECT lo_unlink(424242)`,
  );
  const changed = await dumpText(postgres, live);
  const planned = await plan(file);
  assert.deepEqual(planned.obstacles, []);
  assert.deepEqual(
    planned.tables.filter(({ name }) => name === 'since' || name === 'self'),
    [
      { schema: 'public', name: 'self', rows_backup: 2, rows_now: 0, where: 'both' },
      { schema: 'public', name: 'since', rows_backup: null, rows_now: 0, where: 'database' },
    ],
  );
  assert.ok(planned.warnings.some((warning) => /public\.since/.test(warning)));
  const summary = await resultOfJob(engine, { kind: 'restore', plan: planned, consent: ALL });
  assertSameDump(await dumpText(postgres, live), text);
  assert.deepEqual(await properties(), about);
  assert.equal(summary.compared, true);
  assert.ok(summary.safety_backup);
  // And back: the safety backup has the previous state.
  await resultOfJob(engine, { kind: 'restore', plan: await plan(summary.safety_backup), consent: QUIET });
  assertSameDump(await dumpText(postgres, live), changed);
  await assertNoScratchDatabase();
});

test('an empty database and one of 200 tables can be restored to a new database', async () => {
  for (const [name, statements] of [
    ['empty', 'SELECT 1'],
    ['many', Array.from({ length: 200 }, (_, i) => `CREATE TABLE t${i} AS SELECT ${i} AS n`).join(';')],
  ] as const) {
    const source = `${live}_${name}`;
    const copy = `Copy "of" ${source}`;
    await sql(`CREATE DATABASE ${source} TEMPLATE template0`);
    const other = await openEngine({
      dir: (await installation({ POSTGRES_DB: source })).dir,
      readOnly: false,
    });
    try {
      const client = new pg.Client({ ...address(), database: source });
      await client.connect();
      await client.query(statements);
      await client.end();
      const file = (await resultOfJob(other, { kind: 'backup' })).name;
      const planned = await other.planRestore({ file, target: { kind: 'beside', database: copy } });
      await resultOfJob(other, { kind: 'restore', plan: planned, consent: ALL });
      assertSameDump(await dumpText(postgres, copy), await dumpText(postgres, source));
      await refuses('EXISTS', other.planRestore({ file, target: { kind: 'beside', database: copy } }));
      const odd = 'x\u001b[31m';
      await refuses('USAGE', other.planRestore({ file, target: { kind: 'beside', database: odd } }));
    } finally {
      await other.close();
      await sql(`DROP DATABASE IF EXISTS "${copy.replaceAll('"', '""')}" WITH (FORCE)`);
      await sql(`DROP DATABASE ${source} WITH (FORCE)`);
    }
  }
});

function address() {
  const { host, port, user, password } = postgres;
  return { host, port, user, password };
}

test('a plan is frozen; a drill compares and drops its database', async () => {
  const planned = await plan(await backup(), { kind: 'drill' });
  assert.ok(Object.isFrozen(planned) && Object.isFrozen(planned.tables[0]));
  const summary = await resultOfJob(engine, { kind: 'drill', plan: planned });
  assert.equal(summary.compared, true);
  await assertNoScratchDatabase();
});

test('a drill with different counts fails with COUNT_DIFFERS, names the table, and drops its database', async () => {
  const planned = await plan(await backup(), { kind: 'drill' });
  const tables = planned.tables.map((table) =>
    table.name === 'child' ? { ...table, rows_backup: 11 } : table,
  );
  const outcome = await runToEnd(engine, { kind: 'drill', plan: { ...planned, tables } });
  assert.ok(outcome.event === 'job:failed');
  assert.equal(outcome.error.code, 'COUNT_DIFFERS');
  assert.match(outcome.error.message, /public\.child.*\b10\b.*\b11\b/);
  await assertNoScratchDatabase();
});

test('different counts keep the live database', async () => {
  const planned = await plan(await backup());
  const text = await dumpText(postgres, live);
  const tables = planned.tables.slice(1);
  const outcome = await runToEnd(engine, { kind: 'restore', plan: { ...planned, tables }, consent: ALL });
  assert.ok(outcome.event === 'job:failed' && outcome.error.code === 'COUNT_DIFFERS');
  assertSameDump(await dumpText(postgres, live), text);
  await assertNoScratchDatabase();
});

test('sessions are listed, and terminated only with consent', async () => {
  const file = await backup();
  const client = await connected();
  const planned = await plan(file);
  assert.deepEqual(
    planned.sessions.map(({ application, state }) => [application, state]),
    [['the server', 'idle']],
  );
  assert.deepEqual(
    planned.obstacles.map(({ code, consent }) => [code, consent]),
    [['BUSY', 'end_sessions']],
  );
  const refused = await runToEnd(engine, { kind: 'restore', plan: planned, consent: QUIET });
  assert.ok(refused.event === 'job:failed' && refused.error.code === 'BUSY');
  assert.equal((await client.query('SELECT 1')).rows.length, 1);
  const summary = await resultOfJob(engine, { kind: 'restore', plan: planned, consent: ALL });
  assert.equal(summary.ended_sessions, 1);
  await assert.rejects(client.query('SELECT 1'));
});

test('a session opened after the plan stops the restore at the last moment', async () => {
  const planned = await plan(await backup());
  const text = await dumpText(postgres, live);
  const client = await connected();
  const outcome = await runToEnd(engine, { kind: 'restore', plan: planned, consent: QUIET });
  assert.ok(outcome.event === 'job:failed' && outcome.error.code === 'BUSY', JSON.stringify(outcome));
  assert.match(outcome.error.message, /the server/);
  await client.end();
  assertSameDump(await dumpText(postgres, live), text);
  await assertNoScratchDatabase();
});

test('a server that keeps reconnecting neither stops a restore nor sees a partial one', async () => {
  await sql('CREATE TABLE IF NOT EXISTS side (name text); TRUNCATE side; INSERT INTO side VALUES (NULL)');
  const file = await backup();
  await sql(`UPDATE side SET name = 'newer'`);
  const planned = await plan(file);
  let stop = false;
  const names_seen = new Set<unknown>();
  const hammer = (async () => {
    while (!stop) {
      const client = await connected().catch(() => undefined);
      const rows = await client?.query('SELECT name FROM side').catch(() => undefined);
      if (rows) names_seen.add(rows.rows[0]?.name);
      await client?.end().catch(() => undefined);
    }
  })();
  const done = await runToEnd(engine, { kind: 'restore', plan: planned, consent: ALL });
  stop = true;
  await hammer;
  assert.equal(done.event, 'job:done');
  assert.ok(names_seen.size > 0, 'the server has read rows');
  assert.ok([...names_seen].every((name) => name === null || name === 'newer'));
  assert.deepEqual(await sql('SELECT name FROM side'), [{ name: null }]);
});

test('a file damaged or exchanged after the plan changes nothing', async () => {
  await sql(`CREATE TABLE bulk AS SELECT i, md5(i::text) AS text FROM generate_series(1, 40000) i`);
  const file = await backup();
  const path = join(dir, 'backups', file);
  const planned = await plan(file);
  const [text, intact] = [await dumpText(postgres, live), await readFile(path)];
  const handle = await open(path, 'r+');
  await handle.write(Buffer.from([255, 0]), 0, 2, Math.floor(intact.length * 0.8));
  await handle.close();
  const damaged = await runToEnd(engine, { kind: 'restore', plan: planned, consent: ALL });
  assert.ok(damaged.event === 'job:failed' && damaged.error.code === 'DAMAGED', JSON.stringify(damaged));
  await refuses('DAMAGED', plan(file));
  const other = await backup();
  await writeFile(path, await readFile(join(dir, 'backups', other)));
  const exchanged = await runToEnd(engine, { kind: 'restore', plan: planned, consent: ALL });
  assert.ok(exchanged.event === 'job:failed' && exchanged.error.code === 'CHECKSUM_DIFFERS');
  assertSameDump(await dumpText(postgres, live), text);
  await assertNoScratchDatabase();
});

test('a cancelled restore changes nothing', async () => {
  const planned = await plan(await backup());
  const text = await dumpText(postgres, live);
  for (const phase of ['Restoring', 'Comparing counts', 'Dumping']) {
    const outcome = await runToEnd(engine, { kind: 'restore', plan: planned, consent: ALL }, (event, id) => {
      if (event.event === 'job:phase' && event.phase === phase) engine.cancel(id);
    });
    assert.equal(outcome.event, 'job:cancelled', phase);
    assertSameDump(await dumpText(postgres, live), text);
    await assertNoScratchDatabase();
  }
});

test('a restore fails if an archive job started meanwhile', async () => {
  const planned = await plan(await backup());
  const text = await dumpText(postgres, live);
  const state = new StateFolder(dir);
  const outcome = await runToEnd(engine, { kind: 'restore', plan: planned, consent: QUIET }, (event) => {
    if (event.event === 'job:phase' && event.phase === 'Restoring')
      void state.save({ id: 'archive-1', kind: 'archive', started_at: '2026-03-01T00:00:00Z' });
  });
  await state.remove('archive-1');
  assert.ok(outcome.event === 'job:failed' && outcome.error.code === 'BUSY', JSON.stringify(outcome));
  assertSameDump(await dumpText(postgres, live), text);
  await assertNoScratchDatabase();
});

test('a second backup, or a backup during a restore, is rejected', async () => {
  const file = await backup();
  const both = await Promise.all([
    runToEnd(engine, { kind: 'backup' }),
    runToEnd(engine, { kind: 'backup' }),
  ]);
  const outcomes = both.map((one) => (one.event === 'job:done' ? 'done' : one.error.code)).sort();
  assert.deepEqual(outcomes, ['BUSY', 'done']);
  const planned = await plan(file);
  let during: Promise<unknown> | undefined;
  const outcome = await runToEnd(engine, { kind: 'restore', plan: planned, consent: ALL }, (event, id) => {
    if (event.event !== 'job:phase' || event.phase !== 'Comparing counts' || !id.startsWith('restore'))
      return;
    during ??= runToEnd(engine, { kind: 'backup' }).then((one) => {
      assert.ok(one.event === 'job:failed' && one.error.code === 'BUSY', JSON.stringify(one));
    });
  });
  await during;
  assert.ok(during);
  assert.equal(outcome.event, 'job:done');
});
