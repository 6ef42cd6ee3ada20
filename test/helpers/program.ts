import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** The built program; `npm test` builds it first. */
export const PROGRAM = join(import.meta.dirname, '../../dist/bifract.js');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  pid: number;
  ended: Promise<Ended>;
}

/** Variables of a real installation, which must not reach a test. */
const OVERRIDES = /^(BIFRACT_|POSTGRES_|CLICKHOUSE_|PG[A-Z]+$)/;

/** Starts the program without a terminal. */
export function start(args: string[], env: NodeJS.ProcessEnv = {}): Started {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OVERRIDES.test(name)));
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => out.push(data));
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(out), stderr }));
  });
  return { child, pid: child.pid ?? 0, ended };
}

/** Runs the program to its end. */
export function run(args: string[], env?: NodeJS.ProcessEnv): Promise<Ended> {
  return start(args, env).ended;
}

/** Parses the NDJSON output of a run. */
export function ndjson<Line = Record<string, unknown>>({ stdout }: Ended): Line[] {
  return stdout
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}
