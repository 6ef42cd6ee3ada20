import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BACKUP_NOTIFICATIONS } from '../../bin/commands/backup.ts';
import { hookVariables, runHook } from '../../bin/jobs/hook.ts';
import { metricsText, writeMetrics } from '../../bin/jobs/metrics.ts';
import type { Printer } from '../../bin/output/printer.ts';
import { parseArguments } from '../../bin/program.ts';
import { replaceEnv } from '../../bin/wiring.ts';
import { parseEnvFile } from '../../src/core/config/env-file.ts';
import type { JobOutcome } from '../../src/core/index.ts';
import { refuses } from '../contracts/storage.ts';

const KEY = 'BIFRACT_BACKUP_ENCRYPTION_KEY';
const home = await mkdtemp(join(tmpdir(), 'bifract-upkeep-'));
after(() => rm(home, { recursive: true, force: true }));

const results: object[] = [];
const printer = {
  event: () => {},
  list: () => {},
  failed: () => {},
  result: (value: object) => void results.push(value),
} as unknown as Printer;

function init(dir: string): Promise<number> {
  return bifract('init', '--dir', dir);
}

async function bifract(...args: string[]): Promise<number> {
  const { run, flags } = await parseArguments(args, { version: '1', env: {} });
  return run({ flags, printer });
}

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

test('init creates a private installation and changes nothing of an existing one', async () => {
  const dir = join(home, 'new');
  await init(dir);
  const env = await readFile(join(dir, '.env'));
  assert.match(parseEnvFile(env)[KEY] ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(
    await Promise.all([mode(dir), mode(join(dir, '.env')), mode(join(dir, 'backups'))]),
    [0o700, 0o600, 0o700],
  );
  await init(dir);
  assert.ok(env.equals(await readFile(join(dir, '.env'))));
  assert.deepEqual((await readdir(dir)).sort(), ['.env', 'backups']);
  assert.ok(!JSON.stringify(results).includes(parseEnvFile(env)[KEY] ?? '?'));
});

test('init adds a missing key and keeps every other byte of .env', async () => {
  const dir = join(home, 'half');
  await init(dir);
  const text = `# mine\r\nPOSTGRES_USER = me\r\n${KEY}=\r\nLAST="x"`;
  await writeFile(join(dir, '.env'), text);
  await chmod(join(dir, '.env'), 0o640);
  await rm(join(dir, 'backups'), { recursive: true });
  await init(dir);
  const after = await readFile(join(dir, '.env'), 'utf8');
  assert.equal(after.replace(/KEY=[0-9a-f]{64}/, 'KEY='), text);
  assert.equal(await mode(join(dir, '.env')), 0o640);
  const { warnings } = results.at(-1) as { warnings: string[] };
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /half\/\.env/);
});

test('init keeps a malformed key and fails', async () => {
  const dir = join(home, 'bad');
  await init(dir);
  await writeFile(join(dir, '.env'), `${KEY}=abc\n`);
  await refuses('KEY_MALFORMED', init(dir));
  assert.equal(await readFile(join(dir, '.env'), 'utf8'), `${KEY}=abc\n`);
});

test('key generate creates a key only if there is none', async () => {
  const dir = join(home, 'nokey');
  await init(dir);
  await writeFile(join(dir, '.env'), 'A=1\n');
  const generate = () => bifract('key', 'generate', '--dir', dir);
  await generate();
  assert.match(
    await readFile(join(dir, '.env'), 'utf8'),
    /^A=1\nBIFRACT_BACKUP_ENCRYPTION_KEY=[0-9a-f]{64}\n$/,
  );
  await refuses('EXISTS', generate());
});

test('init and key generate never add a second key, and keep each byte of what is there', async () => {
  const dir = join(home, 'export');
  await init(dir);
  const path = join(dir, '.env');
  const key = 'ab'.repeat(32);
  for (const line of [
    `export ${KEY}=${key}`,
    `\t${KEY} : '${key}' # mine`,
    `SMTP=\xfc\r${KEY}="${key}"\rX=1`,
  ]) {
    const bytes = Buffer.from(line, 'latin1');
    await writeFile(path, bytes);
    await init(dir);
    await refuses('EXISTS', bifract('key', 'generate', '--dir', dir));
    assert.ok(bytes.equals(await readFile(path)), line);
  }
  const empty = Buffer.from(`SMTP=gr\xfc\xdfe\r\nexport ${KEY}= # to do\rX=1`, 'latin1');
  await writeFile(path, empty);
  await init(dir);
  const text = await readFile(path, 'latin1');
  assert.equal(text.replace(/KEY=[0-9a-f]{64}/, 'KEY='), empty.toString('latin1'));
});

test('init refuses a file in UTF-16, and a key that is a reference, and writes nothing', async () => {
  const dir = join(home, 'wide');
  await init(dir);
  const path = join(dir, '.env');
  for (const bytes of [Buffer.from('\uFEFFA=1\n', 'utf16le'), Buffer.from(`${KEY}=\${ELSEWHERE}\n`)]) {
    await writeFile(path, bytes);
    await refuses('ENV_INVALID', init(dir));
    await refuses('ENV_INVALID', bifract('key', 'generate', '--dir', dir));
    assert.ok(bytes.equals(await readFile(path)));
  }
});

test('a changed .env keeps its mode, its owner and the link that leads to it', async () => {
  const dir = join(home, 'linked');
  await init(dir);
  const [real, path] = [join(home, 'real.env'), join(dir, '.env')];
  await writeFile(real, 'A=\xff\r');
  await chmod(real, 0o640);
  if (process.getuid?.() === 0) await chown(real, 12345, 23456);
  const before = await stat(real);
  await rm(path);
  await symlink(real, path);
  await init(dir);
  const after = await stat(real);
  assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
  assert.equal(await readlink(path), real);
  assert.match(await readFile(real, 'utf8'), /KEY=[0-9a-f]{64}\r$/);
});

test('a .env edited by another process is not overwritten', async () => {
  const path = join(home, 'race.env');
  await writeFile(path, 'A=theirs\n');
  await refuses('BUSY', replaceEnv(path, Buffer.from('A=old\n'), Buffer.from('A=ours\n')));
  assert.equal(await readFile(path, 'utf8'), 'A=theirs\n');
  assert.deepEqual(
    (await readdir(home)).filter((name) => name.startsWith('.env.')),
    [],
  );
});

const GOOD = {
  event: 'job:done',
  job: 'b',
  time: '2026-03-01T00:00:00.000Z',
  result: { name: 'f', size_bytes: 10, content_bytes: 30, rows: 7, duration_ms: 1500, checksum: 'c' },
} as unknown as JobOutcome<'backup'>;
const BAD = {
  event: 'job:failed',
  job: 'b',
  time: '2026-03-02T00:00:00.000Z',
  error: { code: 'DUMP_FAILED', message: 'no' },
} as unknown as JobOutcome<'backup'>;

test('metrics of a failed backup keep the values of the last successful one', async () => {
  const path = join(home, 'm.prom');
  await writeMetrics(path, GOOD, BACKUP_NOTIFICATIONS);
  await writeMetrics(path, BAD, BACKUP_NOTIFICATIONS);
  const text = await readFile(path, 'utf8');
  assert.equal(text, metricsText(BAD, metricsText(GOOD, '', BACKUP_NOTIFICATIONS), BACKUP_NOTIFICATIONS));
  for (const line of [
    'bifract_backup_last_run_success 0',
    `bifract_backup_last_success_timestamp_seconds ${Date.UTC(2026, 2, 1) / 1000}`,
    `bifract_backup_last_run_timestamp_seconds ${Date.UTC(2026, 2, 2) / 1000}`,
    'bifract_backup_rows 7',
    'bifract_backup_duration_seconds 1.5',
  ])
    assert.ok(text.split('\n').includes(line), line);
  assert.equal(await mode(path), 0o644);
  await refuses('STORAGE_FAILED', writeMetrics(join(home, 'none', 'm.prom'), GOOD, BACKUP_NOTIFICATIONS));
});

const { variables } = BACKUP_NOTIFICATIONS;

test('a hook gets the outcome, and its failure is an error', async () => {
  const out = join(home, 'hook.out');
  await runHook(`echo "$BIFRACT_RESULT $BIFRACT_CODE" > '${out}'`, BAD, variables);
  assert.equal(await readFile(out, 'utf8'), 'failure DUMP_FAILED\n');
  assert.equal(hookVariables(GOOD, variables).BIFRACT_FILE, 'f');
  await refuses('PARTLY_DONE', runHook('exit 3', GOOD, variables));
  await refuses('DUMP_FAILED', runHook('exit 3', BAD, variables));
});
