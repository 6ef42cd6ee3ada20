import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import { isRoot, NOBODY } from '../helpers/nobody.ts';
import { ndjson, PROGRAM, run } from '../helpers/program.ts';

const ROOT = join(import.meta.dirname, '../..');
const VECTORS = join(ROOT, 'test/fixtures/vectors');
const INTACT = join(VECTORS, 'c-archive/lines-1.bifract-archive');
const LARGE = join(VECTORS, 'c-archive/lines-5000.bifract-archive');
const DAMAGED = join(VECTORS, 'd-tampered/flip-ciphertext-chunk1.bifract-archive');

async function keyOf(file: string): Promise<string> {
  return JSON.parse(await readFile(`${file}.json`, 'utf8')).key_hex;
}

async function installation(env: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-fail-'));
  after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'backups'));
  await writeFile(join(dir, '.env'), env);
  return dir;
}

async function fails(args: string[], code: keyof typeof ERROR_EXITS): Promise<string> {
  const human = await run(args);
  assert.equal(human.code, ERROR_EXITS[code], human.stderr);
  assert.match(human.stderr, new RegExp(`\\[${code}\\]`));
  const json = await run([...args, '--json']);
  const { event, error } =
    ndjson<{ event: string; error: { code: string; message: string; hint: string } }>(json).at(-1) ?? {};
  assert.deepEqual([event, error?.code, json.code], ['job:failed', code, human.code]);
  assert.ok(error?.hint, `no hint: ${error?.message}`);
  return human.stderr;
}

test('a missing .env and a missing folder are configuration errors that name the path', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'bifract-fail-'));
  after(() => rm(empty, { recursive: true, force: true }));
  assert.match(await fails(['status', '--dir', empty], 'ENV_MISSING'), new RegExp(join(empty, '.env')));
  assert.match(
    await fails(['backup', '--dir', join(empty, 'no')], 'ENV_MISSING'),
    new RegExp(join(empty, 'no')),
  );
});

test('a .env that is not a regular file, or no .env at all, is named without being opened', {
  timeout: 30_000,
}, async () => {
  const replace: ((path: string) => unknown)[] = [
    (path) => execFileSync('mkfifo', [path]),
    (path) => mkdir(path),
    (path) => symlink('/dev/zero', path),
    (path) => writeFile(path, '').then(() => truncate(path, 2 ** 32)),
  ];
  for (const make of replace) {
    const dir = await installation('');
    await rm(join(dir, '.env'));
    await make(join(dir, '.env'));
    for (const command of ['backup', 'key'])
      assert.match(
        await fails(
          [...(command === 'key' ? ['key', 'rotate', '--yes'] : [command]), '--dir', dir],
          'ENV_INVALID',
        ),
        /\.env/,
      );
  }
});

test('an invalid value is an error that names its variable', async () => {
  const dir = await installation('BIFRACT_ARCHIVE_MAX_DURATION=soon\n');
  assert.match(await fails(['archive', 'x', '--dir', dir], 'ENV_INVALID'), /BIFRACT_ARCHIVE_MAX_DURATION/);
});

test('a missing, a malformed and a wrong key are different errors, and no key is printed', async () => {
  await fails(['extract', INTACT, '--dir', await installation('\n')], 'KEY_MISSING');
  const malformed = 'abcdef0123456789'.repeat(3);
  const stderr = await fails(
    ['extract', INTACT, '--dir', await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${malformed}\n`)],
    'KEY_MALFORMED',
  );
  assert.ok(!stderr.includes(malformed));
  const other = 'ab'.repeat(32);
  const wrong = await run([
    'extract',
    INTACT,
    '--dir',
    await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${other}\n`),
  ]);
  assert.equal(wrong.code, 5, wrong.stderr);
  assert.ok(!wrong.stderr.includes(other));
});

test('an unreachable database exits with 4 and a hint', async () => {
  const key = 'cd'.repeat(32);
  const dir = await installation(
    `BIFRACT_BACKUP_ENCRYPTION_KEY=${key}\nPOSTGRES_HOST=127.0.0.1\nPOSTGRES_PORT=1\nCLICKHOUSE_URL=http://127.0.0.1:1\n`,
  );
  await fails(['backup', '--dir', dir], 'POSTGRES_UNREACHABLE');
  await fails(['list', 'fractals', '--dir', dir], 'POSTGRES_UNREACHABLE');
  assert.deepEqual(await readdir(join(dir, 'backups')), []);
  const status = await run(['status', '--dir', dir]);
  assert.equal(status.code, 4);
  assert.match(status.stdout.toString(), /PostgreSQL +FAILED +.*127\.0\.0\.1:1/);
});

test('extract writes complete files only, and overwrites nothing', async () => {
  const dir = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${await keyOf(DAMAGED)}\n`);
  const out = join(dir, 'out.ndjson');
  await fails(['extract', DAMAGED, '-o', out, '--dir', dir], 'DAMAGED');
  assert.ok(!(await readdir(dir)).some((name) => name.includes('out.ndjson')));
  const good = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${await keyOf(INTACT)}\n`);
  assert.equal((await run(['extract', INTACT, '-o', out, '--dir', good])).code, 0);
  assert.match(await readFile(out, 'utf8'), /^\{"_bifract_archive_version":1\}\n\{/);
  await fails(['extract', INTACT, '-o', out, '--dir', good], 'EXISTS');
  await fails(['extract', INTACT, '-o', join(good, '.env'), '--dir', good], 'EXISTS');
});

test('an invalid file name is a USAGE error, printed without control characters', async () => {
  const dir = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${'ab'.repeat(32)}\n`);
  for (const [command, name] of [
    ['restore', ''],
    ['extract', ''],
    ['verify', 'x\u001b[31m'],
    ['show', 'a\nb'],
  ] as const) {
    const stderr = await fails([command, name, '--dir', dir], 'USAGE');
    assert.match(stderr, /\[USAGE\]\n/);
    assert.doesNotMatch(stderr, /[^\P{Cc}\n]/u);
  }
});

test('a missing file is NOT_FOUND, with the folders searched', async () => {
  const dir = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${'ab'.repeat(32)}\n`);
  assert.match(await fails(['extract', 'nothing.bifract-backup', '--dir', dir], 'NOT_FOUND'), /backups/);
});

test('without a terminal, the console prints the status and a hint and exits with 2', async () => {
  const dir = await installation(
    `BIFRACT_BACKUP_ENCRYPTION_KEY=${'ab'.repeat(32)}\nPOSTGRES_HOST=127.0.0.1\nPOSTGRES_PORT=1\n`,
  );
  const ended = await run(['--dir', dir]);
  assert.equal(ended.code, 2);
  assert.ok(ended.stdout.toString().includes(dir));
  assert.match(ended.stderr, /\[NO_TERMINAL\]/);
});

test('the page of exit codes lists every code with its exit', async () => {
  const page = await readFile(join(ROOT, 'docs/reference/errors.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| \d/.test(line));
  for (const [code, exit] of Object.entries(ERROR_EXITS)) {
    const row = rows.find((line) => line.includes(`\`${code}\``));
    assert.ok(row?.startsWith(`| ${exit} |`), `${code} belongs to the row of exit ${exit}`);
  }
});

test('a limit on the size of files is an error, and leaves no part of a file', async () => {
  const dir = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${await keyOf(LARGE)}\n`);
  const limited = (script: string) =>
    spawnSync('bash', ['-c', `ulimit -f 1; ${script}`, 'bash', process.execPath, PROGRAM, LARGE, dir], {
      encoding: 'utf8',
    });
  const to_file = limited('exec "$1" "$2" extract "$3" -o "$4/out" --dir "$4" --json');
  assert.deepEqual([to_file.status, to_file.signal], [1, null], to_file.stderr);
  assert.equal(JSON.parse(to_file.stdout).error.code, 'STORAGE_FAILED');
  assert.deepEqual((await readdir(dir)).sort(), ['.env', 'backups']);
  const to_stdout = limited('exec "$1" "$2" extract "$3" --dir "$4" > "$4/stdout"');
  assert.deepEqual([to_stdout.status, to_stdout.signal], [1, null], to_stdout.stderr);
  assert.match(to_stdout.stderr, /\[STORAGE_FAILED\]/);
  assert.equal((await stat(join(dir, 'stdout'))).size, 1024);
});

test('a file that extract writes is for its user alone, whoever owns the folder', async () => {
  const dir = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${await keyOf(INTACT)}\n`);
  if (isRoot) await chown(dir, NOBODY, NOBODY);
  await symlink('elsewhere', join(dir, 'link'));
  assert.equal((await run(['extract', INTACT, '-o', join(dir, 'out'), '--dir', dir])).code, 0);
  const { uid, mode } = await stat(join(dir, 'out'));
  assert.deepEqual([uid, mode & 0o777], [process.getuid?.(), 0o600]);
  await fails(['extract', INTACT, '-o', join(dir, 'link'), '--dir', dir], 'EXISTS');
  await symlink(INTACT, join(dir, 'named.bifract-archive'));
  assert.equal((await run(['verify', join(dir, 'named.bifract-archive'), '--dir', dir])).code, 0);
});

test('metrics that cannot go where they should stop the job before it starts, and are reported', async () => {
  const dir = await installation(`BIFRACT_BACKUP_ENCRYPTION_KEY=${'ab'.repeat(32)}\nPOSTGRES_PORT=1\n`);
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  for (const name of ['fifo', 'backups']) {
    for (const command of ['backup', 'run-due']) {
      const args = [command, '--metrics', join(dir, name), '--dir', dir];
      await fails([...args, '--on-failure', `echo "$BIFRACT_CODE" > '${dir}/hook'`], 'USAGE');
      assert.equal(await readFile(join(dir, 'hook'), 'utf8'), 'USAGE\n');
      await rm(join(dir, 'hook'));
    }
  }
  assert.equal((await lstat(join(dir, 'fifo'))).isFIFO(), true);
  assert.deepEqual((await readdir(dir)).sort(), ['.env', 'backups', 'fifo']);
});
