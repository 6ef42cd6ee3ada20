import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { openArchive, openBackup } from '../helpers/plain-reader.ts';
import { ndjson, PROGRAM, run, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const FRACTAL = 'a0000000-0000-4000-8000-000000000001';
const EMPTY = 'a0000000-0000-4000-8000-000000000002';
const ROWS = 30_000;
const DAY_MS = 86_400_000;

const services = await testServices();
const dir = await services.installation();
const settings = await readFile(join(dir.dir, '.env'), 'utf8');
const key = /BIFRACT_BACKUP_ENCRYPTION_KEY=([0-9a-f]{64})/.exec(settings)?.[1] ?? '';
await services.sql(`INSERT INTO fractals (id, name) VALUES ($1, 'web'), ($2, 'nothing')`, [FRACTAL, EMPTY]);
await seedRows(services.clickhouse, services.clickhouse.database, {
  fractal_id: FRACTAL,
  kind: 'mixed',
  rows: ROWS,
  seed: 3,
  from: new Date(Date.now() - 30 * DAY_MS),
  to: new Date(),
});

interface Done {
  event: string;
  result: { log_count: number; storage_path: string };
}

test('a backup from cron can be restored with plain tools, table by table', async () => {
  const ended = await run(['--backup', '--dir', dir.dir, '--non-interactive'], {
    HOME: undefined,
    PATH: '/usr/bin:/bin',
  });
  assert.equal(ended.code, 0, ended.stderr);
  const lines = ended.stdout.toString().trimEnd().split('\n');
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /);
  const [name = ''] = await readdir(join(dir.dir, 'backups'));
  assert.match(name, /^bifract-backup-\d{8}-\d{6}\.bifract-backup$/);
  const path = join(dir.dir, 'backups', name);
  assert.equal((await stat(path)).mode & 0o777, 0o600);

  const { manifest, dump } = openBackup(await readFile(path), key);
  const extracted = await run(['extract', name, '--dir', dir.dir]);
  assert.equal(extracted.code, 0, extracted.stderr);
  assert.deepEqual(extracted.stdout, dump);
  await restoresInto(dump, JSON.parse(manifest).bifract_console.tables);
});

async function restoresInto(
  dump: Buffer,
  tables: { schema: string; name: string; rows: number }[],
): Promise<void> {
  const { host, port, user, password, database, bin } = services.postgres;
  const scratch = `${database}_r`;
  const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  await services.sql(`CREATE DATABASE ${scratch}`);
  try {
    execFileSync(join(bin, 'pg_restore'), ['-d', scratch, '--exit-on-error'], { input: dump, env });
    assert.ok(tables.length > 10);
    for (const { schema, name, rows } of tables) {
      const sql = `SELECT count(*) FROM "${schema}"."${name}"`;
      const counted = execFileSync(join(bin, 'psql'), ['-d', scratch, '-Atc', sql], { env }).toString();
      assert.equal(Number(counted), rows, `${schema}.${name}`);
    }
  } finally {
    await services.sql(`DROP DATABASE ${scratch}`);
  }
}

test('an archive contains every row, byte for byte, and its record matches', async () => {
  const ended = await run(['archive', 'web', '--dir', dir.dir, '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const events = ndjson<Done>(ended);
  assert.equal(events[0]?.event, 'job:started');
  const { event, result } = events.at(-1) as Done;
  assert.equal(event, 'job:done');
  assert.equal(result.log_count, ROWS);

  const bytes = await readFile(join(dir.dir, result.storage_path));
  const [record] = await services.sql('SELECT * FROM archives WHERE fractal_id = $1', [FRACTAL]);
  assert.equal(record?.status, 'completed');
  assert.equal(record.log_count, String(ROWS));
  assert.equal(record.size_bytes, String(bytes.length));
  assert.equal(record.checksum, createHash('sha256').update(bytes).digest('hex'));
  const [group] = await services.sql('SELECT * FROM archive_groups WHERE id = $1', [record.group_id]);
  assert.deepEqual(
    [group?.status, group?.completed_count, group?.total_log_count],
    ['completed', '1', String(ROWS)],
  );

  const rows = openArchive(bytes, key);
  assert.equal(rows.length, ROWS);
  assert.equal(hashOf(rows), await hashInClickhouse());
  const extracted = await run(['extract', result.storage_path, '--dir', dir.dir]);
  assert.equal(extracted.stdout.toString().split('\n').length, ROWS + 2);
});

/** Hash of ID and raw bytes of all rows, in the order of the archive. */
function hashOf(rows: Record<string, unknown>[]): string {
  const hash = createHash('sha256');
  for (const { id, raw, raw64 } of rows) {
    const bytes = raw64 ? Buffer.from(raw64 as string, 'base64') : Buffer.from(raw as string);
    hash.update(`${id}:${bytes.toString('hex')}\n`);
  }
  return hash.digest('hex');
}

async function hashInClickhouse(): Promise<string> {
  const text = await services.ch(
    'SELECT log_id, lower(hex(raw_log)) FROM logs WHERE fractal_id = {f:String} ORDER BY fractal_id, timestamp, log_id FORMAT TSV',
    { f: FRACTAL },
  );
  const hash = createHash('sha256');
  for (const line of text.trimEnd().split('\n')) hash.update(`${line.replace('\t', ':')}\n`);
  return hash.digest('hex');
}

test('an empty fractal is not archived', async () => {
  const ended = await run(['archive', 'nothing', '--dir', dir.dir, '--json']);
  assert.equal(ended.code, 0);
  const { event, result } = ndjson<{ event: string; result: Record<string, unknown> }>(ended).at(-1) ?? {};
  assert.deepEqual([event, result?.group_id, result?.storage_path], ['job:done', null, null]);
  assert.deepEqual(await services.sql('SELECT id FROM archives WHERE fractal_id = $1', [EMPTY]), []);
});

test('lists and status print tables and NDJSON', async () => {
  const fractals = ndjson<{ name: string }>(await run(['list', 'fractals', '--dir', dir.dir, '--json']));
  assert.deepEqual(
    fractals
      .map(({ name }) => name)
      .filter((name) => ['web', 'nothing'].includes(name))
      .sort(),
    ['nothing', 'web'],
  );
  const archives = ndjson<{ status: string }>(
    await run(['list', 'archives', '--fractal', 'web', '--dir', dir.dir, '--json']),
  );
  assert.deepEqual(
    archives.map(({ status }) => status),
    ['completed'],
  );
  const backups = await run(['--list-backups', '--dir', dir.dir]);
  assert.match(backups.stdout.toString(), /bifract-backup-\d{8}-\d{6}\.bifract-backup +\d/);
  const status = await run(['status', '--dir', dir.dir, '--json']);
  assert.equal(status.code, 0, status.stderr);
  const [{ health }] = ndjson(status) as [{ health: Record<string, { ok: boolean }> }];
  assert.deepEqual(
    ['release', 'postgres', 'clickhouse', 'backups', 'archives', 'key'].map((part) => health[part]?.ok),
    [true, true, true, true, true, true],
  );
});

test('status checks that the newest backup can be read with the current key', async () => {
  const args = ['status', '--dir', dir.dir];
  const [good] = ndjson<{ last_backup: object; last_backup_error: null }>(await run([...args, '--json']));
  assert.ok(good?.last_backup && good.last_backup_error === null);
  const other = await run(args, { BIFRACT_BACKUP_ENCRYPTION_KEY: 'ab'.repeat(32) });
  assert.equal(other.code, 5, other.stderr);
  assert.match(other.stdout.toString(), /Last backup .*\n +FAILED: /);
});

test('a full stdout does not fail a job, but a command that only prints', async () => {
  const before = await run(['--list-backups', '--dir', dir.dir, '--json']);
  const backup = await intoFull(['--backup', '--dir', dir.dir, '--non-interactive']);
  assert.equal(backup.code, 0, backup.stderr);
  assert.match(backup.stderr, /ENOSPC/);
  const after = await run(['--list-backups', '--dir', dir.dir, '--json']);
  assert.equal(ndjson(after).length, ndjson(before).length + 1);
  assert.equal((await intoFull(['status', '--dir', dir.dir])).code, 1);
});

/** Runs the program with stdout on a full disk. */
async function intoFull(args: string[]): Promise<{ code: number | null; stderr: string }> {
  const full = await open('/dev/full', 'w');
  try {
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', full.fd, 'pipe'] });
    let stderr = '';
    child.stderr?.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    const [code] = await once(child, 'close');
    return { code, stderr };
  } finally {
    await full.close();
  }
}

test('archiving a fractal in use exits with 6', async () => {
  const [{ id } = { id: null }] = await services.sql(
    `INSERT INTO archives (fractal_id, filename, storage_type, storage_path, status) VALUES ($1, 'f', 'disk', 'p', 'restoring') RETURNING id`,
    [EMPTY],
  );
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id) SELECT now64(3), 'x', 'y', '${EMPTY}'`,
  );
  const ended = await run(['archive', 'nothing', '--dir', dir.dir]);
  assert.equal(ended.code, 6, ended.stderr);
  await services.sql('DELETE FROM archives WHERE id = $1', [id]);
});

test('no secret appears in process arguments or output', async () => {
  const secrets = [key, services.postgres.password, services.clickhouse.password];
  const seen: string[] = [];
  for (const args of [
    ['backup', '--json'],
    ['archive', 'web', '--json'],
  ]) {
    const program = start([...args, '--dir', dir.dir]);
    let running = true;
    const ended = program.ended.finally(() => {
      running = false;
    });
    const sample = async () => {
      seen.push(...(await commandLines()));
      return !running;
    };
    await until(sample, 60_000, 'the program has ended');
    const { stdout, stderr, code } = await ended;
    assert.equal(code, 0, stderr);
    seen.push(stdout.toString(), stderr);
  }
  assert.ok(
    seen.some((text) => text.includes('pg_dump\0')),
    'pg_dump was running',
  );
  for (const secret of secrets) assert.ok(!seen.some((text) => text.includes(secret)));
});

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => /pg_dump|bifract/.test(line));
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 143],
] as const) {
  test(`${signal} stops an archive with exit ${code}, no file and a failed record`, async () => {
    const before = await files();
    const program = start(['archive', 'web', '--dir', dir.dir, '--json']);
    await reached(program, hasPartialFile, 'a file is being written');
    program.child.kill(signal);
    assert.equal((await program.ended).code, code);
    assert.deepEqual(await files(), before);
    const [record] = await services.sql(
      'SELECT status, error_message FROM archives ORDER BY created_at DESC LIMIT 1',
    );
    assert.equal(record?.status, 'failed');
    assert.match(record.error_message ?? '', new RegExp(signal));
  });
}

/** Waits for a condition while the program runs; fails if it ends before. */
function reached(
  program: ReturnType<typeof start>,
  condition: () => Promise<boolean>,
  what: string,
): Promise<boolean> {
  const ended = program.ended.then(({ stderr }) => {
    throw new Error(`The program ended before ${what}: ${stderr}`);
  });
  return Promise.race([ended, until(condition, LIMIT_MS, what)]);
}

const hasPartialFile = async () => (await files()).some((path) => path.endsWith('.partial'));

/** All backup and archive files, including unfinished ones. */
async function files(): Promise<string[]> {
  const all = await readdir(dir.dir, { recursive: true });
  return all.filter((path) => /bifract-(backup|archive)/.test(path)).sort();
}

test('a killed archive leaves no complete file, and the same command resumes it', async () => {
  const listed = ndjson(await run(['list', 'archives', '--dir', dir.dir, '--json'])).length;
  const program = start(['archive', 'web', '--dir', dir.dir, '--json']);
  await reached(program, hasPartialFile, 'a file is being written');
  program.child.kill('SIGKILL');
  await program.ended;
  const [record] = await services.sql('SELECT id, status FROM archives ORDER BY created_at DESC LIMIT 1');
  assert.equal(record?.status, 'in_progress');
  const interrupted = async () =>
    ndjson<{ interrupted: { id: string; hint: string }[] }>(
      await run(['status', '--dir', dir.dir, '--json']),
    ).flatMap((status) => status.interrupted);
  const [job, ...others] = await interrupted();
  assert.match(job?.id ?? '', /^archive-/);
  assert.ok(job?.hint && others.length === 0);

  // Another job updates the record and keeps the stored data.
  assert.equal((await run(['backup', '--dir', dir.dir])).code, 0);
  const [between] = await services.sql('SELECT status, error_message FROM archives WHERE id = $1', [
    record.id,
  ]);
  assert.deepEqual([between?.status, Boolean(between?.error_message)], ['failed', true]);

  const complete = (await files()).filter((path) => !path.split('/').at(-1)?.startsWith('.'));
  const again = await run(['archive', 'web', '--dir', dir.dir, '--json']);
  assert.equal(again.code, 0, again.stderr);
  const done = ndjson<{ event: string; result?: Record<string, unknown> }>(again).at(-1)?.result;
  assert.deepEqual([done?.continued, done?.archive_id], [true, record.id]);
  assert.deepEqual(await interrupted(), []);
  const [after] = await services.sql('SELECT * FROM archives WHERE id = $1', [record.id]);
  assert.deepEqual([after?.status, after?.error_message], ['completed', null]);
  assert.deepEqual([after?.checksum, Number(after?.log_count)], [done?.checksum, ROWS]);
  const now = await files();
  assert.deepEqual(
    now.filter((path) => !complete.includes(path)).map((path) => path.split('/').at(-1)),
    [after?.filename],
  );
  assert.equal(ndjson(await run(['list', 'archives', '--dir', dir.dir, '--json'])).length, listed + 1);
  const [file] = await files().then((all) => all.filter((path) => path.endsWith(String(after?.filename))));
  const rows = openArchive(await readFile(join(dir.dir, file as string)), key);
  assert.equal(rows.length, ROWS);
});

test('a killed backup leaves no file and no pg_dump process', async () => {
  const before = ndjson(await run(['list', 'backups', '--dir', dir.dir, '--json'])).length;
  await services.sql(
    `CREATE TABLE large AS SELECT n, repeat(md5(n::text), 40) AS t FROM generate_series(1, 150000) AS n`,
  );
  const program = start(['backup', '--dir', dir.dir, '--json']);
  const isDumping = async () => {
    const sql = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND datname = current_database()`;
    return (await services.sql(sql)).length > 0;
  };
  await reached(program, isDumping, 'pg_dump is connected');
  const [dumper = 0] = await children(program.pid);
  assert.ok(dumper > 0);
  program.child.kill('SIGKILL');
  await program.ended;
  await until(
    async () => !/pg_dump/.test(await readFile(`/proc/${dumper}/cmdline`, 'utf8').catch(() => '')),
    LIMIT_MS,
    'pg_dump has ended',
  );
  assert.equal(ndjson(await run(['list', 'backups', '--dir', dir.dir, '--json'])).length, before);
  assert.equal((await run(['backup', '--dir', dir.dir])).code, 0);
  assert.ok(
    !(await files()).some((path) => path.includes('partial')),
    'the next run deleted the unfinished file',
  );
  await services.sql('DROP TABLE large');
});

async function children(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
