import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { type Ended, ndjson, start } from '../helpers/program.ts';
import { TEST_CREDENTIALS } from '../helpers/s3/server.ts';
import { BUCKET, startS3Server } from '../helpers/s3/test-server.ts';
import { testServices } from '../helpers/services.ts';

const FRACTAL = 'a0000000-0000-4000-8000-00000000000a';
const ROWS = 5_000;

const services = await testServices();
const lab = await startS3Server({ versioning: true });
after(() => lab.stop());
const { dir, env } = await services.installation({
  BIFRACT_S3_BUCKET: BUCKET,
  BIFRACT_S3_ENDPOINT: lab.server.url,
  BIFRACT_S3_ACCESS_KEY: TEST_CREDENTIALS.access_key,
  BIFRACT_S3_SECRET_KEY: TEST_CREDENTIALS.secret_key,
});
await services.sql(`INSERT INTO fractals (id, name) VALUES ($1, 'bucketed')`, [FRACTAL]);
await seedRows(services.clickhouse, services.clickhouse.database, {
  fractal_id: FRACTAL,
  kind: 'mixed',
  rows: ROWS,
  seed: 5,
  from: new Date(Date.now() - 86_400_000),
  to: new Date(),
});

/** Output and arguments of all runs. */
const seen: string[] = [];

async function bifract(...args: string[]): Promise<Ended> {
  const program = start([...args, '--dir', dir]);
  const command = () => readFile(`/proc/${program.pid}/cmdline`, 'utf8').catch(() => '');
  seen.push(await command());
  const ended = await program.ended;
  seen.push(ended.stdout.toString(), ended.stderr);
  return ended;
}

async function good(...args: string[]): Promise<Ended> {
  const ended = await bifract(...args);
  assert.equal(ended.code, 0, `${args.join(' ')}: ${ended.stderr}${ended.stdout}`);
  return ended;
}

/** Objects of the bucket. */
function keys(): string[] {
  return [...(lab.server.buckets.get(BUCKET)?.objects.keys() ?? [])].sort();
}

let backup = '';
let archive = '';
let archive_id = '';

test('backups and archives are stored in the bucket only', async () => {
  const [made] = ndjson<{ result: { name: string } }>(await good('backup', '--json')).slice(-1);
  backup = made?.result.name ?? '';
  const [done] = ndjson<{ result: { storage_path: string } }>(
    await good('archive', 'bucketed', '--json'),
  ).slice(-1);
  archive = done?.result.storage_path ?? '';
  assert.deepEqual(keys(), [archive, backup].sort());
  assert.deepEqual(await readdir(join(dir, 'backups')), []);
  const [record] = await services.sql('SELECT * FROM archives WHERE fractal_id = $1', [FRACTAL]);
  archive_id = record?.id ?? '';
  assert.deepEqual(
    [record?.storage_type, record?.storage_path, record?.status],
    ['s3', archive, 'completed'],
  );
});

test('list, show, verify and extract read from the bucket', async () => {
  const [listed] = ndjson<{ name: string; storage_type: string; path: string }>(
    await good('list', 'backups', '--json'),
  );
  assert.deepEqual(listed, { ...listed, name: backup, storage_type: 's3', path: `s3://${BUCKET}/${backup}` });
  const [shown] = ndjson<{ rows: number; path: string }>(await good('show', archive_id, '--json'));
  assert.deepEqual([shown?.rows, shown?.path], [ROWS, `s3://${BUCKET}/${archive}`]);
  await good('verify', '--all');
  await good('verify', '--all', '--quick');
  const { stdout } = await good('extract', archive);
  assert.equal(stdout.toString().trimEnd().split('\n').length, ROWS + 1);
  assert.equal((await good('extract', backup)).stdout.subarray(0, 5).toString(), 'PGDMP');
});

test('status checks the bucket and reports versioning', async () => {
  const [status] = ndjson<{
    health: Record<string, { ok: boolean; detail: string }>;
  }>(await good('status', '--json'));
  const { backups } = status?.health ?? {};
  assert.ok(backups?.ok, backups?.detail ?? 'no answer');
  assert.match(backups?.detail ?? '', /versioning/i);
});

test('a drill restores from the bucket', async () => {
  const ended = await good('restore', backup, '--drill', '--json');
  const [done] = ndjson<{ event: string }>(ended).slice(-1);
  assert.equal(done?.event, 'job:done');
});

test('files are copied to disk and back, and records follow', async () => {
  const stored = (await good('extract', archive)).stdout;
  await good('copy', archive_id, backup, '--to', 'disk');
  const path = join(dir, archive);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual((await readdir(join(dir, 'backups'))).length, 1);
  assert.equal(await storageTypeOf(archive_id), 'disk');
  assert.equal((await bifract('copy', archive_id, '--to', 'tape')).code, 2);
  await good('copy', archive_id, '--to', 's3');
  assert.equal(await storageTypeOf(archive_id), 's3');
  await good('copy', archive_id, backup, '--to', 'disk', '--move', '--yes');
  assert.deepEqual(keys(), []);
  await good('verify', archive_id);
  assert.deepEqual((await good('extract', archive)).stdout, stored);
  await good('copy', archive_id, backup, '--to', 's3', '--move', '--yes');
  assert.deepEqual(keys(), [archive, backup].sort());
  await assert.rejects(stat(path));
  assert.deepEqual(ndjson(await good('list', 'orphans', '--json')), []);
});

async function storageTypeOf(id: string): Promise<string | null | undefined> {
  const [record] = await services.sql('SELECT storage_type FROM archives WHERE id = $1', [id]);
  return record?.storage_type;
}

test('a move requires confirmation', async () => {
  const ended = await bifract('copy', archive_id, '--to', 'disk', '--move');
  assert.equal(ended.code, 2, ended.stderr);
  assert.equal(await storageTypeOf(archive_id), 's3');
});

test('delete removes file and record, but not the last backup', async () => {
  assert.equal((await bifract('delete', 'archive', archive_id)).code, 2, 'requires confirmation');
  await good('delete', 'archive', archive_id, '--yes');
  assert.deepEqual(keys(), [backup]);
  assert.deepEqual(await services.sql('SELECT id FROM archives WHERE id = $1', [archive_id]), []);
  const refused = await bifract('delete', 'backup', backup, '--yes');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /LAST_BACKUP/);
  assert.deepEqual(keys(), [backup]);
  await good('delete', 'backup', backup, '--last-backup', '--yes');
  assert.deepEqual(keys(), []);
  const audit = await readFile(join(dir, '.bifract/audit.log'), 'utf8');
  assert.match(audit, new RegExp(backup));
  seen.push(audit);
});

test('wrong S3 credentials exit with 4', async () => {
  const settings = await readFile(join(dir, '.env'), 'utf8');
  await writeFile(join(dir, '.env'), settings.replace(TEST_CREDENTIALS.secret_key, 'anothersecret'));
  const ended = await bifract('backup');
  assert.equal(ended.code, 4, ended.stderr);
  assert.match(ended.stderr, /STORAGE_DENIED/);
  assert.equal((await bifract('status')).code, 4);
  await writeFile(join(dir, '.env'), settings);
});

test('no secret appears in any output, argument or log', () => {
  const secrets = [
    TEST_CREDENTIALS.secret_key,
    env.BIFRACT_BACKUP_ENCRYPTION_KEY,
    services.postgres.password,
    'anothersecret',
  ];
  assert.ok(seen.length > 40);
  for (const secret of secrets) assert.ok(secret && !seen.some((text) => text.includes(secret)));
});
