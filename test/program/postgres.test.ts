import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { assertSameDump, dumpText } from '../helpers/dump-text.ts';
import { isRunning } from '../helpers/processes.ts';
import { type Ended, ndjson, run, type Started, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

/** A fake docker: a project with a running server. */
const DOCKER = `#!/bin/sh
echo "$*" >> "$(dirname "$0")/docker.log"
case "$*" in
  "compose config --services") printf 'postgres\\nbifract\\n' ;;
  "compose ps --quiet bifract") echo abc ;;
  "inspect abc") echo '[{"Name":"/bifract-app","State":{"Running":true}}]' ;;
  "compose stop bifract" | "compose start bifract") ;;
  *) exit 1 ;;
esac
`;

const services = await testServices();
const { postgres, sql } = services;
const { dir } = await services.installation();
await sql(
  `CREATE TABLE large AS SELECT n, repeat(md5(n::text), 40) AS t FROM generate_series(1, 50000) AS n`,
);

function bifract(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run([...args, '--dir', dir], env);
}

/** Waits for a condition while the program runs; fails if it ends before. */
function reached(program: Started, condition: () => Promise<boolean>, what: string): Promise<boolean> {
  const ended = program.ended.then(({ stderr }) => {
    throw new Error(`The program ended before ${what}: ${stderr}`);
  });
  return Promise.race([ended, until(condition, LIMIT_MS, what)]);
}

/** Whether a PostgreSQL program is connected to a database of that pattern. */
async function isConnected(name: string, pattern: string): Promise<boolean> {
  const sessions = await sql('SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND datname ~ $2', [
    name,
    pattern,
  ]);
  return sessions.length > 0;
}

/** Everything a job can leave behind: files, unfinished files, job records, databases, sessions. */
async function traces() {
  const list = async (folder: string) => readdir(join(dir, folder)).catch(() => []);
  const databases = await sql(
    // A test in another file may be renaming its own.
    `SELECT regexp_replace(datname, '^bifract_(restore|drill|replaced)_', '') AS name FROM pg_database
       WHERE datname ~ '^bifract_(restore|drill|replaced)_' ORDER BY 1`,
  );
  const sessions = await sql(
    `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND application_name ~ '^(pg_|bifract)'`,
  );
  return { files: (await list('backups')).sort(), records: await list('.bifract/jobs'), databases, sessions };
}

async function leavesNothing(before: Awaited<ReturnType<typeof traces>>): Promise<void> {
  await until(async () => (await traces()).sessions.length === 0, LIMIT_MS, 'its sessions have ended');
  assert.deepEqual(await traces(), before);
}

test('a second backup at the same time exits with 6', async () => {
  const { host, port, user, password, database } = postgres;
  const blocker = new pg.Client({ host, port, user, password, database });
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE large IN ACCESS EXCLUSIVE MODE');
  const first = start(['backup', '--json', '--dir', dir]);
  const isWaiting = async () =>
    (await sql('SELECT 1 FROM pg_locks WHERE relation = $1::regclass AND NOT granted', ['large'])).length > 0;
  await reached(first, isWaiting, 'the backup waits for the table');
  const second = await bifract(['backup']);
  assert.equal(second.code, 6, second.stderr);
  assert.match(second.stderr, /since \d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|\+00)? \(session \d+\)/);
  await sql('SELECT count(*) FROM fractals');
  await blocker.end();
  assert.equal((await first.ended).code, 0);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 143],
] as const) {
  test(`${signal} stops a backup with exit ${code} and leaves nothing behind`, async () => {
    const before = await traces();
    const program = start(['backup', '--json', '--dir', dir]);
    await reached(program, () => isConnected('pg_dump', `^${postgres.database}$`), 'pg_dump is connected');
    program.child.kill(signal);
    assert.equal((await program.ended).code, code);
    await leavesNothing(before);
  });
}

test('SIGTERM stops a restore with exit 143, and the live database does not change', async () => {
  const [file = ''] = (await traces()).files;
  const before = await traces();
  const text = await dumpText(postgres, postgres.database);
  const program = start(['restore', file, '--yes', '--json', '--dir', dir]);
  await reached(program, () => isConnected('pg_restore', '^bifract_restore_'), 'pg_restore is connected');
  program.child.kill('SIGTERM');
  assert.equal((await program.ended).code, 143);
  await leavesNothing(before);
  assertSameDump(await dumpText(postgres, postgres.database), text);
  assert.equal(await isRunning(program.pid), false);
});

test('a backup from cron applies retention, writes metrics and runs a hook', async () => {
  const hook_output = join(dir, 'hook-output');
  const metrics = join(dir, 'bifract.prom');
  const ended = await bifract(
    [
      ...['backup', '--non-interactive', '--prune', '--keep-last', '1', '--metrics', metrics],
      ...[
        '--on-success',
        `env | grep ^BIFRACT_ | sort > ${hook_output}`,
        '--on-failure',
        `touch ${hook_output}.bad`,
      ],
    ],
    { HOME: undefined, PATH: '/usr/bin:/bin' },
  );
  assert.equal(ended.code, 0, ended.stderr);
  const { files } = await traces();
  assert.equal(files.length, 1, 'the older backup was deleted');
  const variables = await readFile(hook_output, 'utf8');
  assert.match(variables, new RegExp(`BIFRACT_FILE=${files[0]}\n`));
  assert.match(variables, /BIFRACT_RESULT=success\n/);
  assert.ok(!/KEY|PASSWORD/.test(variables), variables);
  assert.match(await readFile(metrics, 'utf8'), /^bifract_backup_last_run_success 1$/m);
  assert.ok(!(await readdir(dir)).some((name) => name.endsWith('.bad') || /prom\./.test(name)));
});

test('a restore stops and starts the server container, if the user consents', async () => {
  const bin = join(dir, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'docker'), DOCKER);
  await chmod(join(bin, 'docker'), 0o755);
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  const [file = ''] = (await traces()).files;
  const log = () => readFile(join(bin, 'docker.log'), 'utf8');
  const kept = await bifract(['restore', file, '--yes', '--no-stop-app', '--no-safety-backup'], env);
  assert.equal(kept.code, 0, kept.stderr);
  assert.doesNotMatch(await log(), /compose (stop|start)/);
  await sql('CREATE TABLE since (x int)');
  const ended = await bifract(['restore', file, '--non-interactive'], env);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(await log(), /compose stop bifract\n(.*\n)*compose start bifract\n/);
  assert.deepEqual(await sql(`SELECT to_regclass('since')::text AS it`), [{ it: null }]);
  assert.equal((await traces()).files.length, 2, 'a safety backup was made');
  await rm(join(dir, 'docker-compose.yml'));
});

test('a failed restore also starts the container again', async () => {
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  const bin = join(dir, 'bin');
  await rm(join(bin, 'docker.log'));
  const [file = ''] = (await traces()).files;
  const program = start(['restore', file, '--yes', '--json', '--dir', dir], { PATH: `${bin}:/usr/bin:/bin` });
  const isStopping = async () =>
    (await readFile(join(bin, 'docker.log'), 'utf8').catch(() => '')).includes('compose stop bifract');
  await reached(program, isStopping, 'the container is stopped');
  program.child.kill('SIGTERM');
  const { code, stdout } = await program.ended;
  assert.ok(code === 143 || code === 0, String(code));
  assert.equal(
    ndjson<{ event: string }>({ stdout } as Ended)
      .at(-1)
      ?.event.startsWith('job:'),
    true,
  );
  assert.match(
    await readFile(join(bin, 'docker.log'), 'utf8'),
    /compose stop bifract\n(.*\n)*compose start bifract\n/,
  );
});

test('a login without a password fails at once', async () => {
  const settings = await readFile(join(dir, '.env'), 'utf8');
  await writeFile(join(dir, '.env'), settings.replace(/^POSTGRES_PASSWORD=.*$/m, ''));
  const began = performance.now();
  const ended = await bifract(['list', 'fractals']);
  await writeFile(join(dir, '.env'), settings);
  assert.equal(ended.code, 4, ended.stderr);
  // The server would wait for a minute.
  assert.ok(performance.now() - began < 30_000);
});
