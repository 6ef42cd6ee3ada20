import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { type Ended, ndjson, run, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const services = await testServices();

/**
 * An installation with a fake Docker: a file per running container, and a log of what was stopped and started. A container
 * with a file `.stuck` does not start.
 */
async function installation(running: string[]) {
  const { dir } = await services.installation();
  const state = join(dir, 'docker');
  await mkdir(state);
  await writeFile(
    join(state, 'docker'),
    `#!/bin/sh
cd "${state}"
case "$2" in
  config) printf 'postgres\nbifract\nbifract-archiver-maintain\nbifract-archiver\ncaddy\nbifract-ingest\n' ;;
  ps) test -e "run-$4" && echo "$4" ;;
  stop|start) echo "$2 $3" >> log
    if [ "$2" = stop ]; then rm "run-$3"; test ! -e "hang-$3" || exec sleep 60
    else test ! -e "$3.stuck" || { echo "port in use" >&2; exit 1; }; touch "run-$3"; fi ;;
  *) case "$1" in inspect) printf '[{"Name":"/%s","State":{"Running":true}}]' "$2" ;; *) exit 1 ;; esac ;;
esac
`,
  );
  await chmod(join(state, 'docker'), 0o755);
  for (const name of running) await writeFile(join(state, `run-${name}`), '');
  const env = { PATH: [state, process.env.PATH].join(delimiter) };
  const bifract = (...args: string[]) => run([...args, '--dir', dir], env);
  const [made] = ndjson<{ result: { name: string } }>(await bifract('backup', '--json')).slice(-1);
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
  const log = async () =>
    (await readFile(join(state, 'log'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { dir, state, env, bifract, backup: made?.result.name ?? '', log };
}

const ALL = ['bifract-ingest', 'bifract-archiver', 'bifract-archiver-maintain', 'bifract'];

function last<Result>(ended: Ended): Result {
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  const end = ndjson<{ event: string; result: Result }>(ended).at(-1);
  assert.equal(end?.event, 'job:done');
  return end.result;
}

test('every container that writes is named, stopped before the server, and started after it', async () => {
  const { bifract, backup, log } = await installation(ALL);
  const plan = (await bifract('restore', backup, '--dry-run')).stdout.toString();
  for (const name of ALL) assert.match(plan, new RegExp(`Container +${name} `));
  const ended = await bifract('restore', backup, '--stop-app', '--yes', '--json', '--no-safety-backup');
  const result = last<{ containers_stopped: string[]; app_stopped?: boolean }>(ended);
  assert.deepEqual([result.containers_stopped, result.app_stopped], [ALL, undefined]);
  assert.deepEqual(await log(), [
    ...ALL.map((name) => `stop ${name}`),
    ...ALL.toReversed().map((name) => `start ${name}`),
  ]);
  const phases = ndjson<{ event: string; phase?: string }>(ended).map(({ phase = '' }) => phase);
  for (const name of ALL) assert.equal(phases.filter((phase) => phase.endsWith(` ${name}`)).length, 2, name);
});

test('only those that run are stopped and started, and none without consent', async () => {
  const { bifract, backup, log } = await installation(['bifract', 'bifract-ingest', 'postgres']);
  const kept = await bifract('restore', backup, '--no-stop-app', '--yes', '--json', '--no-safety-backup');
  assert.equal(last<{ containers_stopped?: string[] }>(kept).containers_stopped, undefined);
  assert.deepEqual(await log(), []);
  const ended = await bifract('restore', backup, '--stop-app', '--yes', '--no-safety-backup');
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout.toString(), /Containers +bifract-ingest, bifract /);
  assert.deepEqual(await log(), [
    'stop bifract-ingest',
    'stop bifract',
    'start bifract',
    'start bifract-ingest',
  ]);
});

test('one that does not start again is named, the others are started, and later jobs try again', async () => {
  const { dir, state, bifract, backup, log } = await installation(ALL);
  const stuck = join(state, 'bifract-archiver.stuck');
  await writeFile(stuck, '');
  const ended = await bifract('restore', backup, '--stop-app', '--yes', '--json', '--no-safety-backup');
  const result = last<{ containers_left: string[]; app_stopped?: boolean }>(ended);
  assert.deepEqual([result.containers_left, result.app_stopped], [['bifract-archiver'], true]);
  assert.ok((await log()).includes('start bifract-ingest'));
  const leftovers = async () =>
    ndjson<{ leftovers: { hint: string }[] }>(await run(['status', '--json', '--dir', dir]))[0]?.leftovers ??
    [];
  assert.match((await leftovers())[0]?.hint ?? '', /docker compose up -d bifract-archiver /);
  await rm(stuck);
  assert.equal((await bifract('backup')).code, 0);
  assert.deepEqual(await leftovers(), []);
  assert.equal((await log()).at(-1), 'start bifract-archiver');
});

test('after a crash those are started again that were stopped, also one that was being stopped', async () => {
  const { dir, state, env, bifract, backup, log } = await installation(ALL);
  await writeFile(join(state, 'hang-bifract-archiver-maintain'), '');
  const restoring = start(
    ['restore', backup, '--stop-app', '--yes', '--no-safety-backup', '--dir', dir],
    env,
  );
  await until(
    async () => (await log()).includes('stop bifract-archiver-maintain'),
    LIMIT_MS,
    'the third stop',
  );
  process.kill(restoring.pid, 'SIGKILL');
  await restoring.ended;
  const ended = await bifract('clean', '--yes');
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  const [, , , ...started] = await log();
  assert.deepEqual(started, [
    'start bifract-archiver-maintain',
    'start bifract-archiver',
    'start bifract-ingest',
  ]);
});
