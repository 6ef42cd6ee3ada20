import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { dumpText, sameDump } from '../helpers/dump-text.ts';
import { isRunning } from '../helpers/processes.ts';
import { type Ended, ndjson, run, type Started, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

/** Stands in for Docker: a project whose server runs. */
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

/** Resolves when the program says that it is at that. */
function phase(program: Started, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    void program.ended.then(({ stderr }) => reject(new Error(`It ended before "${name}": ${stderr}`)));
    let text = '';
    program.child.stdout?.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.includes(`"phase":"${name}"`)) resolve();
    });
  });
}

/** All that a job can leave: files, unfinished ones too, notes, databases, sessions of its programs. */
async function traces() {
  const list = async (folder: string) => readdir(join(dir, folder)).catch(() => []);
  const databases = await sql(
    `SELECT datname FROM pg_database WHERE datname ~ '^bifract_(restore|drill|replaced)_' ORDER BY 1`,
  );
  const sessions = await sql(
    `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND application_name ~ '^(pg_|bifract)'`,
  );
  return { files: (await list('backups')).sort(), notes: await list('.bifract/jobs'), databases, sessions };
}

async function leavesNothing(before: Awaited<ReturnType<typeof traces>>): Promise<void> {
  await until(async () => (await traces()).sessions.length === 0, LIMIT_MS, 'sessions end');
  assert.deepEqual(await traces(), before);
}

test('a backup during another, which waits for a table, is a conflict: exit 6', async () => {
  const { host, port, user, password, database } = postgres;
  const blocker = new pg.Client({ host, port, user, password, database });
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE large IN ACCESS EXCLUSIVE MODE');
  const first = start(['backup', '--json', '--dir', dir]);
  await phase(first, 'Counting rows');
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
  test(`${signal} ends a backup with exit ${code}, and nothing of it is left`, async () => {
    const before = await traces();
    const program = start(['backup', '--json', '--dir', dir]);
    await phase(program, 'Dumping');
    program.child.kill(signal);
    assert.equal((await program.ended).code, code);
    await leavesNothing(before);
  });
}

test('SIGTERM ends a restore with exit 143, and the live database is as before', async () => {
  const [file = ''] = (await traces()).files;
  const before = await traces();
  const text = await dumpText(postgres, postgres.database);
  const program = start(['restore', file, '--yes', '--json', '--dir', dir]);
  await phase(program, 'Restoring');
  program.child.kill('SIGTERM');
  assert.equal((await program.ended).code, 143);
  await leavesNothing(before);
  sameDump(await dumpText(postgres, postgres.database), text);
  assert.equal(await isRunning(program.pid), false);
});

test('a backup from cron is followed by retention, metrics and a hook', async () => {
  const told = join(dir, 'told');
  const metrics = join(dir, 'bifract.prom');
  const ended = await bifract(
    [
      ...['backup', '--non-interactive', '--prune', '--keep-last', '1', '--metrics', metrics],
      ...['--on-success', `env | grep ^BIFRACT_ | sort > ${told}`, '--on-failure', `touch ${told}.bad`],
    ],
    { HOME: undefined, PATH: '/usr/bin:/bin' },
  );
  assert.equal(ended.code, 0, ended.stderr);
  const { files } = await traces();
  assert.equal(files.length, 1, 'the older one went');
  const variables = await readFile(told, 'utf8');
  assert.match(variables, new RegExp(`BIFRACT_FILE=${files[0]}\n`));
  assert.match(variables, /BIFRACT_RESULT=success\n/);
  assert.ok(!/KEY|PASSWORD/.test(variables), variables);
  assert.match(await readFile(metrics, 'utf8'), /^bifract_backup_last_run_success 1$/m);
  assert.ok(!(await readdir(dir)).some((name) => name.endsWith('.bad') || /prom\./.test(name)));
});

test('a restore stops the container of the server, and starts it again, as was agreed', async () => {
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
  assert.equal((await traces()).files.length, 2, 'what was there before is in a backup');
  await rm(join(dir, 'docker-compose.yml'));
});

test('a restore that fails starts the container again as well', async () => {
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  const bin = join(dir, 'bin');
  await rm(join(bin, 'docker.log'));
  const [file = ''] = (await traces()).files;
  const program = start(['restore', file, '--yes', '--json', '--dir', dir], { PATH: `${bin}:/usr/bin:/bin` });
  await phase(program, 'Stopping bifract');
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

test('a login without a password ends at once', async () => {
  const settings = await readFile(join(dir, '.env'), 'utf8');
  await writeFile(join(dir, '.env'), settings.replace(/^POSTGRES_PASSWORD=.*$/m, ''));
  const began = performance.now();
  const ended = await bifract(['list', 'fractals']);
  await writeFile(join(dir, '.env'), settings);
  assert.equal(ended.code, 4, ended.stderr);
  // The server itself would wait for a minute.
  assert.ok(performance.now() - began < 30_000);
});
