import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export const PROGRAM = join(import.meta.dirname, '../../dist/bifract.js');

/** Measurements of a program run. */
export interface Run {
  seconds: number;
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
  const started = performance.now();
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
  return { seconds: (performance.now() - started) / 1000, peak_rss, stdout };
}

async function peakRss(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
