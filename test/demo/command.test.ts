import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isRunning } from '../helpers/processes.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const MODULE = pathToFileURL(join(import.meta.dirname, '../../bin/demo/command.ts')).href;
const SCRIPT = `
  const { runDemo } = await import('${MODULE}');
  const exec = process.env.EXEC;
  process.exitCode = await runDemo({ generation: 'A', exec, scale: 0.02, openConsole: async (dir) => {
    console.log(JSON.stringify([dir, process.env.BIFRACT_DIR, process.env.POSTGRES_HOST ?? null]));
    return 9;
  } });`;

function demo(exec?: string): ChildProcess {
  const env = { ...process.env, POSTGRES_HOST: 'production', ...(exec === undefined ? {} : { EXEC: exec }) };
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', SCRIPT], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const [out, err] = await Promise.all([text(child.stdout as never), text(child.stderr as never)]);
  const [code] = await exit;
  return { code, out, err };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let seen = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    seen += chunk;
    if (seen.includes('\n')) break;
  }
  return seen.split('\n')[0] ?? '';
}

const isGone = (dir: string): Promise<boolean> =>
  access(dirname(dir)).then(
    () => false,
    () => true,
  );

test('--exec runs a command in the installation and exits with its code', async () => {
  const { code, out, err } = await ended(
    demo(
      'echo "$BIFRACT_DIR $(printenv POSTGRES_HOST || echo none)"; test -f "$BIFRACT_DIR/.env" && bifract --version && exit 3',
    ),
  );
  const [location = '', version] = out.split('\n');
  assert.equal(code, 3, err);
  assert.match(location, /^\/.*\/bifract-demo-\w+\/bifract none$/);
  assert.match(version ?? '', /\d+\.\d+\.\d+/);
  assert.match(err, /PostgreSQL \d.*\(\d+\.\d s\)/);
  assert.equal(await isGone(location.split(' ')[0] ?? ''), true);
});

test('the console opens the demo installation, whatever the environment', async () => {
  const { code, out } = await ended(demo());
  const [dir, seen, host] = JSON.parse(out) as [string, string, string | null];
  assert.deepEqual([code, seen, host], [9, dir, null]);
  assert.equal(await isGone(dir), true);
});

test('a signal reaches the command, and the demo ends with it', async () => {
  const child = demo(`trap 'echo asked; exit 44' TERM; echo "$BIFRACT_DIR"; while :; do sleep 0.05; done`);
  const rest = ended(child);
  const dir = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim())),
  );
  child.kill('SIGTERM');
  const { code, out } = await rest;
  assert.deepEqual([code, out.split('\n')[1]], [44, 'asked']);
  assert.equal(await isGone(dir), true);
});

test('kill -9 leaves no process and no folder', async () => {
  const child = demo('echo "$$ $BIFRACT_DIR"; sleep 600; true');
  const [pid, dir = ''] = (await firstLine(child)).split(' ');
  assert.equal(await isRunning(Number(pid)), true);
  child.kill('SIGKILL');
  await until(() => isGone(dir), LIMIT_MS, 'the folder is gone');
  await until(async () => !(await isRunning(Number(pid))), LIMIT_MS, 'the command has ended');
});

test('a signal during the start stops the demo and cleans up', async () => {
  const child = demo('echo never');
  const rest = ended(child);
  let err = '';
  child.stderr?.on('data', (data: Buffer) => {
    err += data;
    if (!child.killed && err.includes('ClickHouse')) child.kill('SIGINT');
  });
  const { code, out } = await rest;
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /SIGINT/);
});
