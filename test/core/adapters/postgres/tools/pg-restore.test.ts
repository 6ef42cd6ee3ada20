import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { findWritingContainers } from '../../../../../src/core/adapters/docker/compose.ts';
import { databaseServer } from '../../../../../src/core/adapters/postgres/server.ts';
import { findDumpTool } from '../../../../../src/core/adapters/postgres/tools/pg-dump.ts';
import {
  findRestoreTool,
  parseContents,
  restoreTool,
} from '../../../../../src/core/adapters/postgres/tools/pg-restore.ts';
import {
  bestFor,
  composeTool,
  findPrograms,
  localTool,
} from '../../../../../src/core/adapters/postgres/tools/pg-tool.ts';
import { BifractError, cancelled } from '../../../../../src/core/contract/errors.ts';
import type { RestoreTool } from '../../../../../src/core/ports/database-server.ts';
import { collect, refuses } from '../../../../contracts/storage.ts';
import { testServices } from '../../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../../helpers/until.ts';

const { postgres, sql } = await testServices();
const { host, port, user, password, database } = postgres;
const connection = { host, port, user, password, database };
const server = databaseServer(connection);
const scratch = `bifract_restore_${database}`;
let dir: string;
let dump: Buffer;

/** A fake docker: runs the commands for the container on this machine. */
const DOCKER = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/docker.log"
case "$*" in
  "compose exec -T postgres "*) shift 4; exec "$@" ;;
  "compose config --services") printf 'postgres\\nbifract\\n' ;;
  "compose ps --quiet bifract") echo abc ;;
  "inspect abc") echo '[{"Name":"/bifract-app","State":{"Running":true}}]' ;;
  "compose stop bifract" | "compose start bifract") ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
`;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-restore-tool-'));
  await writeFile(join(dir, 'docker'), DOCKER);
  await chmod(join(dir, 'docker'), 0o755);
  await writeFile(join(dir, 'docker-compose.yml'), '');
  const best = bestFor('1', await findPrograms('pg_restore'));
  process.env.PATH = [dir, dirname(best?.path ?? ''), process.env.PATH].join(delimiter);
  Object.assign(process.env, { PGHOST: host, PGPORT: String(port), POSTGRES_PASSWORD: password });
  await sql('CREATE TABLE stuff AS SELECT i, md5(i::text) AS t FROM generate_series(1, 50000) i');
  const tool = await findDumpTool({ connection, server_version: '1', compose_dir: undefined });
  dump = await collect(tool.dump({}));
});

after(async () => {
  await server.drop(scratch);
  await rm(dir, { recursive: true });
});

async function* pieces(bytes: Buffer, error?: Error): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  if (error) throw error;
}

async function fresh(): Promise<void> {
  await server.drop(scratch);
  await server.create(scratch, { comment: 'test' });
}

const tools: Record<string, () => Promise<RestoreTool>> = {
  local: () => findRestoreTool({ connection, server_version: '1', compose_dir: undefined }),
  'of the container': async () => restoreTool(composeTool('pg_restore', dir, connection)),
};

for (const [which, make] of Object.entries(tools)) {
  test(`the pg_restore ${which}: lists and restores a dump, and reports the tables`, async () => {
    const tool = await make();
    assert.match(await tool.version(), /^\d+\.\d+/);
    const contents = await tool.contents(pieces(dump));
    assert.ok(contents.tables.some(({ schema, name }) => schema === 'public' && name === 'stuff'));
    assert.equal(contents.database, database);
    assert.match(contents.server_version ?? '', /^\d+\.\d+$/);
    await fresh();
    const tables: string[] = [];
    const onTable = (table: string) => tables.push(table);
    await tool.restore(pieces(dump), { database: scratch, no_owner: false, onTable });
    assert.ok(tables.includes('public.stuff'), tables.join());
    const snapshot = await server.open(scratch).snapshot();
    assert.equal((await snapshot.tables()).find(({ name }) => name === 'stuff')?.rows, 50_000);
    await snapshot.close();
  });

  test(`the pg_restore ${which}: stops at the first error with the message of pg_restore, without the password`, async () => {
    const tool = await make();
    const restoring = tool.restore(pieces(dump), { database, no_owner: false });
    await refuses('RESTORE_FAILED', restoring);
    await assert.rejects(restoring, /already exists/);
    await assert.rejects(
      restoring,
      (error: BifractError) => !JSON.stringify(error.report()).includes(password),
    );
  });

  test(`the pg_restore ${which}: a dump that is truncated or throws does not count as restored`, async () => {
    const tool = await make();
    await fresh();
    const half = dump.subarray(0, dump.length - 200_000);
    await refuses('RESTORE_FAILED', tool.restore(pieces(half), { database: scratch, no_owner: false }));
    await fresh();
    const late = new BifractError('DAMAGED', 'late');
    const restoring = tool.restore(pieces(dump, late), { database: scratch, no_owner: false });
    await assert.rejects(restoring, (error) => error === late);
    await assert.rejects(tool.contents(pieces(dump, late)), (error) => error === late);
  });

  test(`the pg_restore ${which}: the signal ends it`, async () => {
    const tool = await make();
    await fresh();
    const controller = new AbortController();
    const reason = cancelled();
    const slow = async function* () {
      yield dump.subarray(0, dump.length / 2);
      controller.abort(reason);
      yield dump.subarray(dump.length / 2);
    };
    const restoring = tool.restore(slow(), {
      database: scratch,
      no_owner: false,
      signal: controller.signal,
    });
    await assert.rejects(restoring, (error) => error === reason);
    const sessions = () => sql(`SELECT 1 FROM pg_stat_activity WHERE datname = '${scratch}'`);
    await until(async () => (await sessions()).length === 0, LIMIT_MS, 'the restore has ended on the server');
  });
}

test('the password is never in an argument', async () => {
  assert.ok(!(await readFile(join(dir, 'docker.log'), 'utf8')).includes(password));
});

test('an invalid dump fails with UNSUPPORTED, a missing program with PROGRAM_MISSING', async () => {
  const tool = await (tools.local as () => Promise<RestoreTool>)();
  await refuses('UNSUPPORTED', tool.contents(pieces(Buffer.from('no dump at all'))));
  const missing = restoreTool(
    localTool('pg_restore', { path: join(dir, 'missing'), version: '15.0' }, connection),
  );
  await refuses('PROGRAM_MISSING', missing.contents(pieces(dump)));
});

test('the error for an old pg_restore names both versions', async () => {
  const target = { connection, server_version: '99.1', compose_dir: undefined };
  const older = /^pg_restore \d.*99\.1/;
  await assert.rejects(findRestoreTool(target), { code: 'PROGRAM_TOO_OLD', message: older });
});

test('parses the tables of a table of contents', () => {
  const contents = parseContents(
    [
      ';     dbname: x',
      ';     Dumped from database version: 16.4 (Debian 16.4-1)',
      '3340; 0 16385 TABLE DATA public a bifract',
      '3341; 0 16386 TABLE DATA odd a table bifract',
      '5; 3079 1 EXTENSION - pgcrypto ',
    ].join('\n'),
  );
  assert.equal(contents.server_version, '16.4');
  assert.deepEqual(contents.tables, [
    { schema: 'public', name: 'a' },
    { schema: 'odd', name: 'a table' },
  ]);
});

test("finds, stops and starts the server's container by its service", async () => {
  const [app] = await findWritingContainers(dir);
  assert.equal(await app?.running(), true);
  await app?.stop();
  await app?.start();
  const log = await readFile(join(dir, 'docker.log'), 'utf8');
  assert.match(log, /compose stop bifract\n[\s\S]*compose start bifract\n/);
  assert.deepEqual(await findWritingContainers(tmpdir()), []);
});
