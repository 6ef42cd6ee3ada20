import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** `/proc/PID/stat` counts in these. */
const TICKS_PER_SECOND = 100;

export const PROGRAM = join(import.meta.dirname, '../../dist/bifract.js');

/** Measurements of a program run. */
export interface Run {
  seconds: number;
  /** CPU seconds of the process and those it waited for; 0 if unknown. */
  cpu: number;
  /** Peak resident set of the process, bytes; 0 if unknown. */
  peak_rss: number;
  stdout: string;
}

/** Runs a command. Throws with its output unless it exits with 0. */
export async function measure(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Run> {
  const [cpu, started] = [await cpuOfChildren(), performance.now()];
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr, running] = ['', '', true];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve)).finally(() => {
    running = false;
  });
  let peak_rss = 0;
  while (running) {
    peak_rss = Math.max(peak_rss, await peakRss(child.pid));
    await Promise.race([ended, wait(50)]);
  }
  const code = await ended;
  if (code !== 0)
    throw new Error(`${command} exited with ${code}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, cpu: (await cpuOfChildren()) - cpu, peak_rss, stdout };
}

/** CPU seconds of all processes that have ended and that this one started. */
async function cpuOfChildren(): Promise<number> {
  const [, , user = 0, system = 0] = await ticksOf('self');
  return (user + system) / TICKS_PER_SECOND;
}

/** CPU seconds of a running process; 0 if unknown. */
export async function cpuOf(pid: number | undefined): Promise<number> {
  const [user = 0, system = 0] = await ticksOf(pid);
  return (user + system) / TICKS_PER_SECOND;
}

/** Times of a process, user and system, and of its ended children. */
async function ticksOf(pid: number | 'self' | undefined): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
}

async function peakRss(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
