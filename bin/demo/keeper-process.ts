/**
 * The keeper: a process of its own that starts the servers, and ends them and removes their folder as soon as
 * its standard input ends. The system closes that pipe however the parent dies, so nothing is ever left.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { logFile, type Order, type Program, type Report } from './keeper-protocol.ts';

const GRACE_MS = 8_000;

const running = new Map<ChildProcess, Program>();
const adopted = new Set<number>();
const dir = await mkdtemp(join(tmpdir(), 'bifract-demo-'));
// A server that runs as another user has to pass through this folder; what is in it is closed to others.
if (process.getuid?.() === 0) await chmod(dir, 0o711);

let ending = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());
process.stdout.on('error', () => void end());
process.on('uncaughtException', () => void end());

createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as Order))
  .on('close', () => void end());
report({ report: 'ready', dir });

function report(message: Report): void {
  if (!ending) process.stdout.write(`${JSON.stringify(message)}\n`);
}

function obey(order: Order): void {
  if (ending) return;
  if (order.order === 'adopt') adopted.add(order.pid);
  else if (order.order === 'release') adopted.delete(order.pid);
  else start(order.program);
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

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await Promise.all([...[...adopted].map(endTree), ...[...running].map(endProgram)]);
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }).catch(() => {});
  process.exit();
}

async function endProgram([child, program]: [ChildProcess, Program]): Promise<void> {
  const ended = once(child, 'exit');
  const group = -(child.pid ?? 0);
  signalTo(group, program.stop_signal);
  const timer = setTimeout(() => signalTo(group, 'SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(timer);
}

function endTree(pid: number): void {
  for (const member of [-pid, pid, ...descendants(pid)]) signalTo(member, 'SIGKILL');
}

/** Every process below one, as `ps` tells it; none where there is no `ps`. */
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
  for (const parent of found) found.push(...pairs.filter(([, of]) => of === parent).map(([pid]) => pid ?? 0));
  return found.slice(1);
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
