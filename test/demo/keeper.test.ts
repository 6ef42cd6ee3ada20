import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { startKeeper } from '../../bin/demo/keeper.ts';
import type { Program } from '../../bin/demo/keeper-protocol.ts';
import { isRunning } from '../helpers/processes.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const gone = (path: string): Promise<boolean> =>
  access(path).then(
    () => false,
    () => true,
  );

function shell(name: string, script: string): Program {
  return {
    name,
    command: 'sh',
    args: ['-c', script],
    env: { PATH: process.env.PATH ?? '' },
    stop_signal: 'SIGTERM',
  };
}

test('stop ends the programs and removes the folder', async () => {
  const keeper = await startKeeper();
  const running = await keeper.start(shell('one', 'echo up; exec sleep 600'));
  assert.equal(await running.line(), 'up');
  assert.equal(await isRunning(running.pid), true);
  await keeper.stop();
  assert.equal(await isRunning(running.pid), false);
  assert.equal(await gone(keeper.dir), true);
  await keeper.stop();
});

test('a program is told by its own words when it fails', async () => {
  const keeper = await startKeeper();
  try {
    await keeper.run(shell('good', 'exit 0'));
    await assert.rejects(keeper.run(shell('bad', 'echo it is full >&2; exit 3')), /bad failed: it is full/);
    await assert.rejects(keeper.run({ ...shell('none', ''), command: '/no/such/program' }), {
      code: 'PROGRAM_MISSING',
    });
    const silent = await keeper.start(shell('silent', 'exit 0'));
    assert.equal(await silent.line(), undefined);
  } finally {
    await keeper.stop();
  }
  await assert.rejects(keeper.start(shell('late', 'true')), /has ended/);
});

const PARENT = `
  import { spawn } from 'node:child_process';
  import { startKeeper } from '${join(import.meta.dirname, '../../bin/demo/keeper.ts')}';
  const keeper = await startKeeper();
  const env = { PATH: process.env.PATH };
  const kept = await keeper.start({ name: 'kept', command: 'sleep', args: ['600'], env, stop_signal: 'SIGTERM' });
  const own = spawn('sh', ['-c', 'sleep 600; true']);
  keeper.adopt(own.pid);
  console.log(JSON.stringify({ dir: keeper.dir, pids: [kept.pid, own.pid] }));
  setInterval(() => {}, 1000);`;

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`${signal} to the parent leaves no process and no folder`, async () => {
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', PARENT], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { dir, pids } = JSON.parse(line) as { dir: string; pids: number[] };
    for (const pid of pids) assert.equal(await isRunning(pid), true);
    parent.kill(signal);
    await until(() => gone(dir), LIMIT_MS, 'the folder is gone');
    for (const pid of pids) await until(async () => !(await isRunning(pid)), LIMIT_MS, `${pid} has ended`);
  });
}

test('programs end even when the keeper itself is killed', async () => {
  const keeper = await startKeeper();
  const running = await keeper.start(shell('one', 'ps -o ppid= -p $$; exec sleep 600'));
  process.kill(Number(await running.line()), 'SIGKILL');
  await until(async () => !(await isRunning(running.pid)), LIMIT_MS, 'the program has ended');
  await until(() => gone(keeper.dir), LIMIT_MS, 'the folder is gone');
});
