import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import type { Program } from '../../bin/demo/supervisor-protocol.ts';
import { isRunning } from '../helpers/processes.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const isGone = (path: string): Promise<boolean> =>
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

test('stop stops the programs and removes the folder', async () => {
  const supervisor = await startDemoSupervisor();
  const running = await supervisor.start(shell('one', 'echo up; exec sleep 600'));
  assert.equal(await running.firstLine(), 'up');
  assert.equal(await isRunning(running.pid), true);
  await supervisor.stop();
  assert.equal(await isRunning(running.pid), false);
  assert.equal(await isGone(supervisor.dir), true);
  await supervisor.stop();
});

test('a failed program is reported with its error output', async () => {
  const supervisor = await startDemoSupervisor();
  try {
    await supervisor.run(shell('good', 'exit 0'));
    await assert.rejects(supervisor.run(shell('bad', 'echo it is full >&2; exit 3')), /bad.*it is full/);
    await assert.rejects(supervisor.run({ ...shell('none', ''), command: '/no/such/program' }), {
      code: 'PROGRAM_MISSING',
    });
    const silent = await supervisor.start(shell('silent', 'exit 0'));
    assert.equal(await silent.firstLine(), undefined);
  } finally {
    await supervisor.stop();
  }
  await assert.rejects(supervisor.start(shell('late', 'true')), { code: 'INTERNAL', message: /late/ });
});

const PARENT = `
  import { spawn } from 'node:child_process';
  import { startDemoSupervisor } from '${join(import.meta.dirname, '../../bin/demo/supervisor.ts')}';
  const supervisor = await startDemoSupervisor();
  const env = { PATH: process.env.PATH };
  const started = await supervisor.start({ name: 'started', command: 'sleep', args: ['600'], env, stop_signal: 'SIGTERM' });
  const own = spawn('sh', ['-c', 'sleep 600; true']);
  supervisor.adopt(own.pid);
  console.log(JSON.stringify({ dir: supervisor.dir, pids: [started.pid, own.pid] }));
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
    await until(() => isGone(dir), LIMIT_MS, 'the folder is gone');
    for (const pid of pids) await until(async () => !(await isRunning(pid)), LIMIT_MS, `${pid} has ended`);
  });
}

test('programs end even if the supervisor is killed', async () => {
  const supervisor = await startDemoSupervisor();
  const running = await supervisor.start(shell('one', 'ps -o ppid= -p $$; exec sleep 600'));
  process.kill(Number(await running.firstLine()), 'SIGKILL');
  await until(async () => !(await isRunning(running.pid)), LIMIT_MS, 'the program has ended');
  await until(() => isGone(supervisor.dir), LIMIT_MS, 'the folder is gone');
});
