import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { postgresDatabase } from '../../../../../src/core/adapters/postgres/snapshot.ts';
import { dumpTool, findDumpTool } from '../../../../../src/core/adapters/postgres/tools/pg-dump.ts';
import {
  bestFor,
  composeTool,
  findPrograms,
  localTool,
} from '../../../../../src/core/adapters/postgres/tools/pg-tool.ts';
import { type BifractError, cancelled } from '../../../../../src/core/contract/errors.ts';
import type { DumpTool } from '../../../../../src/core/ports/database.ts';
import { collect, refuses } from '../../../../contracts/storage.ts';
import { testServices } from '../../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../../helpers/until.ts';

const { postgres, sql } = await testServices();
const { host, port, user, password, database } = postgres;
const connection = { host, port, user, password, database };
let dir: string;
let programs: string;

/** A fake docker: the program that it executes survives when the client is killed, and its output is discarded. */
const DOCKER = `#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/docker.log"
[ "$1 $2 $3 $4" = "compose exec -T postgres" ] || { echo "unknown: $*" >&2; exit 1; }
shift 4
code="$here/code.$$"
setsid sh -c 'code=$1; shift; { "$@"; echo $? > "$code"; } | { cat; cat > /dev/null; }' sh "$code" "$@" &
wait $!
exit "$(cat "$code")"
`;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-dump-'));
  await script('docker', DOCKER);
  const best = bestFor('1', await findPrograms('pg_dump'));
  programs = dirname(best?.path ?? '');
  process.env.PATH = [dir, programs, process.env.PATH].join(delimiter);
  Object.assign(process.env, { PGHOST: host, PGPORT: String(port), POSTGRES_PASSWORD: password });
  await sql(
    `INSERT INTO users (username, password_hash) SELECT 'u' || i, md5(i::text) FROM generate_series(1, 5000) i`,
  );
  await sql(
    `CREATE TABLE bulk AS SELECT i, repeat(md5(i::text), 30) AS text FROM generate_series(1, 30000) i`,
  );
});

after(() => rm(dir, { recursive: true }));

async function script(name: string, text: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** A tool whose pg_dump is a script that writes its process id to `$0.pid`. */
async function scripted(name: string, text: string): Promise<DumpTool> {
  const path = await script(name, `#!/bin/sh\necho $$ > "$0.pid"\n${text}`);
  return dumpTool(localTool('pg_dump', { path, version: '15.0' }, connection));
}

/** The process id of a script. */
async function pidOf(name: string): Promise<number> {
  const read = async () => Number(await readFile(join(dir, `${name}.pid`), 'utf8').catch(() => ''));
  return until(read, LIMIT_MS, `the script ${name} has started`);
}

async function ended(name: string): Promise<void> {
  const pid = await pidOf(name);
  await until(() => !alive(pid), LIMIT_MS, `the script ${name} has ended`);
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const dumpEnded = () =>
  until(async () => (await dumping()) === 0, LIMIT_MS, 'the dump has ended on the server');

async function dumping(): Promise<number> {
  return (
    await sql(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND datname = current_database()`,
    )
  ).length;
}

/** The table of contents printed by pg_restore. */
function contents(dump: Buffer): string {
  const { stdout, status } = spawnSync(join(programs, 'pg_restore'), ['--list'], { input: dump });
  assert.equal(status, 0);
  return String(stdout);
}

const tools: Record<string, () => Promise<DumpTool>> = {
  local: () => findDumpTool({ connection, server_version: '1.0', compose_dir: undefined }),
  'of the container': async () => dumpTool(composeTool('pg_dump', dir, connection)),
};

for (const [which, make] of Object.entries(tools)) {
  test(`the pg_dump ${which}: dumps the database as of a snapshot and reports the tables`, async () => {
    const tool = await make();
    assert.match(await tool.version(), /^\d+\.\d+/);
    const snapshot = await postgresDatabase(connection).snapshot();
    await sql(`INSERT INTO users (username, password_hash) VALUES ('after', 'the snapshot')`);
    const tables: string[] = [];
    const dump = await collect(tool.dump({ snapshot: snapshot.id, onTable: (table) => tables.push(table) }));
    await snapshot.close();
    await sql(`DELETE FROM users WHERE username = 'after'`);
    assert.equal(dump.toString('latin1', 0, 5), 'PGDMP');
    assert.match(contents(dump), /Compression: (none|0)/);
    assert.match(contents(dump), /TABLE DATA public users/);
    assert.ok(tables.includes('public.users') && tables.includes('public.bulk'), tables.join());
    assert.ok(dump.includes('u4999') && !dump.includes('the snapshot'));
  });

  test(`the pg_dump ${which}: an error has the message of pg_dump, without the password`, async () => {
    const tool = await make();
    const dumping = collect(tool.dump({ snapshot: '00000000-00000000-1' }));
    await refuses('DUMP_FAILED', dumping);
    await assert.rejects(dumping, /invalid snapshot identifier|snapshot .* does not exist/);
    await assert.rejects(
      dumping,
      (error: BifractError) => !JSON.stringify(error.report()).includes(password),
    );
  });

  test(`the pg_dump ${which}: the signal ends it, on the server too`, async () => {
    const tool = await make();
    const controller = new AbortController();
    const reason = cancelled();
    const reading = (async () => {
      for await (const _ of tool.dump({ signal: controller.signal })) {
        assert.equal(await dumping(), 1);
        controller.abort(reason);
      }
    })();
    await assert.rejects(reading, (error) => error === reason);
    await dumpEnded();
  });

  test(`the pg_dump ${which}: ends when its reader stops, on the server too`, async () => {
    const tool = await make();
    for await (const _ of tool.dump({})) break;
    await dumpEnded();
  });

  test(`the pg_dump ${which}: the signal ends it while it waits for a lock`, {
    timeout: 30_000,
  }, async () => {
    const tool = await make();
    const controller = new AbortController();
    const blocker = sql('BEGIN; LOCK TABLE bulk; SELECT pg_sleep(60)').catch(() => undefined);
    const holding = () =>
      sql(`SELECT pid FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND wait_event = 'PgSleep'`);
    await until(async () => (await holding()).length > 0, LIMIT_MS, 'the table is locked');
    const reading = collect(tool.dump({ signal: controller.signal }));
    await until(dumping, LIMIT_MS, 'the dump is running');
    controller.abort(cancelled());
    await refuses('CANCELLED', reading);
    await dumpEnded();
    await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'`);
    await blocker;
  });

  test(`the pg_dump ${which}: the signal ends it while its reader is blocked`, async () => {
    const tool = await make();
    const controller = new AbortController();
    const iterator = tool.dump({ signal: controller.signal })[Symbol.asyncIterator]();
    await iterator.next();
    assert.equal(await dumping(), 1);
    controller.abort(cancelled());
    await dumpEnded();
    await refuses('CANCELLED', iterator.next());
  });
}

test('the password is never in an argument', async () => {
  const tool = await scripted(
    'shows',
    'tr "\\0" " " < /proc/$$/cmdline; echo; echo "password=$PGPASSWORD locale=$LC_ALL"',
  );
  const [args, env] = String(await collect(tool.dump({ snapshot: 's' }))).split('\n');
  assert.equal(env, `password=${password} locale=C`);
  assert.ok(!args?.includes(password) && args?.includes('-Fc -Z 0') && args.includes('--snapshot=s'));
  assert.ok(!(await readFile(join(dir, 'docker.log'), 'utf8')).includes(password));
});

test('a program that exits with an error after its last byte has failed', async () => {
  const tool = await scripted(
    'late',
    'echo data; exec >&-; sleep 0.2; echo "pg_dump: error: late" >&2; exit 3',
  );
  const parts: string[] = [];
  const reading = (async () => {
    for await (const part of tool.dump({})) parts.push(String(part));
  })();
  await refuses('DUMP_FAILED', reading);
  await assert.rejects(reading, /pg_dump: error: late$/);
  assert.deepEqual(parts, ['data\n']);
});

test('a program that is killed, or fails without a message, has failed', async () => {
  await refuses('DUMP_FAILED', collect((await scripted('killed', 'echo data; kill -9 $$')).dump({})));
  await refuses('DUMP_FAILED', collect((await scripted('mute', 'exit 1')).dump({})));
});

test('the signal ends a program that does not write anything', async () => {
  const tool = await scripted('silent', 'exec sleep 1000');
  const controller = new AbortController();
  const reading = collect(tool.dump({ signal: controller.signal }));
  await pidOf('silent');
  controller.abort(cancelled());
  await refuses('CANCELLED', reading);
  await ended('silent');
});

test('a program that ignores SIGTERM is killed', { timeout: 20_000 }, async () => {
  const tool = await scripted('stubborn', 'trap "" TERM; echo data; while :; do sleep 0.1; done');
  for await (const _ of tool.dump({})) break;
  await ended('stubborn');
});

test('a missing program fails with PROGRAM_MISSING', async () => {
  const missing = localTool('pg_dump', { path: join(dir, 'none'), version: '1' }, connection);
  await refuses('PROGRAM_MISSING', collect(dumpTool(missing).dump({})));
});

test('selects the program closest to the server version, and none that is older', () => {
  const versions = (...list: string[]) => list.map((version) => ({ path: version, version }));
  assert.equal(bestFor('15.3', versions('14.9', '17.1', '15.2', '15.18', '16.0'))?.version, '15.18');
  assert.equal(bestFor('PostgreSQL 16.3', versions('17.1', '18.0'))?.version, '17.1');
  assert.equal(bestFor('16', versions('15.18')), undefined);
});

test('falls back to the container, and fails without one', async () => {
  const server_version = '99.1';
  assert.match((await findDumpTool({ connection, server_version, compose_dir: dir })).location, /container/);
  const tool = findDumpTool({ connection, server_version, compose_dir: undefined });
  const older = /^pg_dump \d.*99\.1/;
  await assert.rejects(tool, { code: 'PROGRAM_TOO_OLD', message: older });
});

test('a process that a program leaves behind, and that holds its standard error, delays neither its end nor a cancel', {
  timeout: 60_000,
}, async () => {
  const left = '(exec sleep 1000 > /dev/null) &\necho $! > "$0.left"\necho data';
  after(async () => {
    for (const name of ['leaves', 'leaves-and-waits'])
      process.kill(Number(await readFile(join(dir, `${name}.left`), 'utf8')));
  });
  assert.equal(String(await collect((await scripted('leaves', left)).dump({}))), 'data\n');
  const controller = new AbortController();
  const waiting = await scripted('leaves-and-waits', `${left}\nexec sleep 1000`);
  const reading = (async () => {
    for await (const _ of waiting.dump({ signal: controller.signal })) controller.abort(cancelled());
  })();
  await refuses('CANCELLED', reading);
  await ended('leaves-and-waits');
});
