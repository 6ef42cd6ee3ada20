import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import pg from 'pg';
import { entryCommand } from '../../../bin/demo/entry.ts';
import { findDumpTool } from '../../../src/core/adapters/postgres/tools/pg-dump.ts';
import { Sealer } from '../../../src/core/format/envelope/sealer.ts';
import { parseKey } from '../../../src/core/format/index.ts';
import { collect } from '../../contracts/storage.ts';
import { testServices } from '../../helpers/services.ts';

const { postgres, sql, installation } = await testServices();
const { dir, env } = await installation();
const SEPARATOR = '\n---BIFRACT_BACKUP_SEPARATOR---\n';

/** Runs the program as cron does: minimal environment, no home, no terminal. */
async function bifract(...args: string[]) {
  const { command, args: own } = entryCommand('bifract');
  const child = spawn(command, [...own, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: { PATH: [postgres.bin, '/usr/bin', '/bin'].join(delimiter) },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** A file as the server's own command line writes it: no header, trailer or row counts, and its key inside. */
async function serversFile(): Promise<Buffer> {
  const { host, port, user, password, database } = postgres;
  const connection = { host, port, user, password, database };
  const tool = await findDumpTool({ connection, server_version: '1', compose_dir: undefined });
  const manifest = { version: '0.9', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: env };
  const content = [Buffer.from(JSON.stringify(manifest) + SEPARATOR), await collect(tool.dump({}))];
  const key = env.BIFRACT_BACKUP_ENCRYPTION_KEY ?? '';
  const sealer = new Sealer(parseKey(key), randomBytes(32));
  sealer.push(zstdCompressSync(Buffer.concat(content)));
  sealer.end();
  return sealer.take(0) as Buffer;
}

test('the cron form restores a file written by the server, even while the server is connected', async () => {
  const path = join(dir, 'backups', 'bifract-backup-20260301-000000.bifract-backup');
  await writeFile(path, await serversFile());
  await sql(`CREATE TABLE since (a int); INSERT INTO users (username, password_hash) VALUES ('late', 'x')`);
  const { host, port, user, password, database } = postgres;
  const server = new pg.Client({ host, port, user, password, database });
  server.on('error', () => {});
  await server.connect();
  const planned = await bifract('restore', path, '--dir', dir, '--dry-run', '--json');
  const { tables } = JSON.parse(planned.stdout) as { tables: { rows_backup: number | null }[] };
  assert.ok(
    tables.every(({ rows_backup }) => rows_backup === null),
    'the file has no row counts',
  );
  const run = await bifract('--restore', '--dir', dir, '--restore-file', path, '--non-interactive');
  assert.equal(run.code, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /\b1 session\b/);
  assert.deepEqual(await sql(`SELECT username FROM users WHERE username = 'late'`), []);
  assert.equal((await sql(`SELECT 1 FROM pg_class WHERE relname = 'since'`)).length, 0);
  const files = await readdir(join(dir, 'backups'));
  assert.equal(files.length, 2, 'a safety backup was made');
  assert.ok(!(run.stdout + run.stderr).includes(password));
  await server.end().catch(() => undefined);
});

test('a drill reports in NDJSON; a damaged file exits 5 and changes nothing; a missing one exits 1', async () => {
  const made = await bifract('backup', '--dir', dir, '--json');
  const { result } = JSON.parse(made.stdout.trim().split('\n').at(-1) ?? '') as { result: { name: string } };
  const drilled = await bifract('restore', result.name, '--drill', '--dir', dir, '--json');
  const last = JSON.parse(drilled.stdout.trim().split('\n').at(-1) ?? '') as {
    event: string;
    result: { compared: boolean };
  };
  assert.deepEqual([drilled.code, last.event, last.result.compared], [0, 'job:done', true]);
  const path = join(dir, 'backups', result.name);
  const bytes = await readFile(path);
  bytes[bytes.length - 100] = (bytes.at(-100) ?? 0) ^ 1;
  await writeFile(path, bytes);
  const live = 'SELECT oid FROM pg_database WHERE datname = current_database()';
  const before = await sql(live);
  const damaged = await bifract('restore', result.name, '--yes', '--dir', dir);
  assert.equal(damaged.code, 5, damaged.stderr);
  assert.deepEqual(await sql(live), before);
  assert.equal((await bifract('restore', 'nothing', '--yes', '--dir', dir)).code, 1);
});

test('without a terminal and --yes, the plan is shown and nothing changes', async () => {
  const made = await bifract('backup', '--dir', dir, '--json');
  const { result } = JSON.parse(made.stdout.trim().split('\n').at(-1) ?? '') as { result: { name: string } };
  const run = await bifract('restore', result.name, '--dir', dir);
  assert.equal(run.code, 2);
  assert.match(run.stdout, /REPLACING/);
  const dry = await bifract('restore', result.name, '--dir', dir, '--dry-run', '--json');
  const plan = JSON.parse(dry.stdout) as { file: { name: string }; tables: object[] };
  assert.equal(plan.file.name, result.name);
  assert.ok(plan.tables.length > 3);
});
