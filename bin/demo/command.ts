import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { demoEnvironment, makeProgramFolder } from './environment.ts';
import type { Generation } from './generations.ts';
import { type Demo, startDemo } from './installation.ts';
import { SignalRelay } from './signal-relay.ts';

export interface DemoCommand {
  generation: Generation;
  /** A shell command to run in the demo instead of the console. */
  exec?: string;
  /** Opens the console on an installation directory; resolves with its exit code. */
  openConsole: (dir: string) => Promise<number>;
  /** Cancels jobs that would outlive the installation. */
  cancelJobs?: (dir: string) => Promise<void>;
  /** Factor for the number of log rows. */
  scale?: number;
  /** Prints a line of progress; on stderr by default. */
  print?: (line: string) => void;
}

/**
 * Starts a throwaway installation, runs the console or a command in it, and removes it. Returns the exit code of the
 * command, or 128 plus the signal that killed it. Throws the errors of the start; a signal during the start is
 * `CANCELLED` or `TERMINATED`.
 */
export async function runDemo(command: DemoCommand): Promise<number> {
  const signals = new SignalRelay();
  try {
    return await run(command, signals);
  } finally {
    signals.dispose();
  }
}

async function run(command: DemoCommand, signals: SignalRelay): Promise<number> {
  const { generation, exec, openConsole, cancelJobs, scale, print = printToStderr } = command;
  print('Starting a throwaway installation …');
  const started = Date.now();
  const onStep = (what: string, ms: number) => print(`  ${what} (${seconds(ms)})`);
  const demo = await startDemo({ generation, scale, onStep, signal: signals.abortSignal() });
  try {
    print(`Ready in ${seconds(Date.now() - started)}: ${demo.dir}`);
    const programs = await makeProgramFolder(join(demo.dir, '../bin'));
    const environment = demoEnvironment(process.env, demo.dir, [programs, demo.postgres.bin]);
    if (exec !== undefined) return await runCommand(exec, environment, demo, signals);
    replaceEnvironment(environment);
    signals.abortSignal().throwIfAborted();
    signals.dispose();
    return await openConsole(demo.dir);
  } finally {
    await cancelJobs?.(demo.dir).catch(() => undefined);
    await demo.stop();
    print('Removed the throwaway installation.');
  }
}

function printToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Makes the shell wait until the supervisor has adopted it, and exit if this process dies before. */
const GATE = 'read -r _ <&3 && exec 3<&- && exec /bin/sh -c "$0"';

/**
 * Runs a command to its end. On a terminal it shares the process group of this program, and the terminal signals both.
 * Elsewhere it leads its own group, which gets the same signals and is terminated at the end.
 */
async function runCommand(
  exec: string,
  env: NodeJS.ProcessEnv,
  demo: Demo,
  signals: SignalRelay,
): Promise<number> {
  const terminal = process.stdin.isTTY === true;
  const stdio = ['inherit', 'inherit', 'inherit', 'pipe'] as const;
  const child = spawn('/bin/sh', ['-c', GATE, exec], { stdio: [...stdio], env, detached: !terminal });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  if (child.pid !== undefined) demo.adopt(child.pid);
  const gate = child.stdio[3] as Writable;
  gate.on('error', () => {});
  gate.end('go\n');
  signals.forward((name) => {
    if (!terminal) signalGroup(child, name);
    else if (name === 'SIGTERM') child.kill(name);
  });
  try {
    const [code, signal] = await exit;
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  } finally {
    if (!terminal) signalGroup(child, 'SIGTERM');
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // The group has ended.
  }
}

/** The console runs in this process, where the environment takes precedence over `.env`. */
function replaceEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
}
