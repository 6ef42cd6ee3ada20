/**
 * The demo supervisor: a separate process that starts the servers, and stops them and removes their folder as soon as its
 * stdin ends. The system closes that pipe however the parent dies, so nothing is left behind.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  logFile,
  type Program,
  type SupervisorCommand,
  type SupervisorReport,
} from './supervisor-protocol.ts';

const GRACE_MS = 8_000;

const running = new Map<ChildProcess, Program>();
const adopted = new Set<number>();
const dir = await mkdtemp(join(tmpdir(), 'bifract-demo-'));
// A server that runs as another user must be able to enter this folder; its contents are closed to others.
if (process.getuid?.() === 0) await chmod(dir, 0o711);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
process.stdout.on('error', () => void stop());
process.on('uncaughtException', () => void stop());

createInterface({ input: process.stdin })
  .on('line', (line) => handle(JSON.parse(line) as SupervisorCommand))
  .on('close', () => void stop());
report({ report: 'ready', dir });

function report(message: SupervisorReport): void {
  if (!stopping) process.stdout.write(`${JSON.stringify(message)}\n`);
}

function handle(command: SupervisorCommand): void {
  if (stopping) return;
  if (command.order === 'adopt') adopted.add(command.pid);
  else if (command.order === 'release') adopted.delete(command.pid);
  else start(command.program);
}

function start(program: Program): void {
  const { name } = program;
  const log = openSync(logFile(dir, name), 'a', 0o600);
  const child = spawn(program.command, program.args, {
    ...program.user,
    cwd: '/',
    env: program.env,
    detached: true,
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  child.once('error', (error) => report({ report: 'failed', name, message: error.message }));
  if (child.pid === undefined || !child.stdout) return;
  running.set(child, program);
  report({ report: 'started', name, pid: child.pid });
  createInterface({ input: child.stdout }).on('line', (text) => report({ report: 'line', name, text }));
  child.once('exit', (code, signal) => {
    running.delete(child);
    report({ report: 'ended', name, code, signal });
  });
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.all([...[...adopted].map(killTree), ...[...running].map(stopProgram)]);
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }).catch(() => {});
  process.exit();
}

async function stopProgram([child, program]: [ChildProcess, Program]): Promise<void> {
  const ended = once(child, 'exit');
  const group = -(child.pid ?? 0);
  sendSignal(group, program.stop_signal);
  const timer = setTimeout(() => sendSignal(group, 'SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(timer);
}

function killTree(pid: number): void {
  for (const member of [-pid, pid, ...descendants(pid)]) sendSignal(member, 'SIGKILL');
}

/** All descendants of a process, by `ps`; none if there is no `ps`. */
function descendants(root: number): number[] {
  let table: string;
  try {
    table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  } catch {
    return [];
  }
  const pairs = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found)
    found.push(...pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid ?? 0));
  return found.slice(1);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}
