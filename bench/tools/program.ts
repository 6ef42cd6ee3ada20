import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export const PROGRAM = join(import.meta.dirname, '../../dist/bifract.js');

/** What a run of a program took. */
export interface Run {
  seconds: number;
  /** Highest resident set of the process itself, bytes; 0 where the system does not tell. */
  peak_rss: number;
  stdout: string;
}

/** Runs a command to its end, and throws with its stderr unless that is a good one. */
export async function measure(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Run> {
  const began = performance.now();
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
    peak_rss = Math.max(peak_rss, await highWater(child.pid));
    await Promise.race([ended, wait(50)]);
  }
  const code = await ended;
  if (code !== 0)
    throw new Error(`${command} ended with ${code}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  return { seconds: (performance.now() - began) / 1000, peak_rss, stdout };
}

async function highWater(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
