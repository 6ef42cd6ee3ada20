import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { demoEnvironment, makeProgramFolder } from './environment.ts';
import { type Demo, startDemo } from './installation.ts';
import { SignalRelay } from './signal-relay.ts';

export interface DemoCommand {
  /** A command for the shell, to be run in the demo in place of the console. */
  exec?: string;
  /** Opens the console on an installation directory; resolves with the exit code when it was left. */
  openConsole: (dir: string) => Promise<number>;
  /** Ends jobs that would outlive the installation. */
  endJobs?: (dir: string) => Promise<void>;
  /** Multiplies the rows of the demo's logs. */
  scale?: number;
  /** Where progress goes; by default lines on stderr. */
  say?: (line: string) => void;
}

/**
 * Starts a throw-away installation, runs the console or a command in it, and removes it. Returns the exit code:
 * the command's own, or 128 and the number of the signal that ended it. Errors are those of the start; a signal
 * while it starts is `CANCELLED` or `TERMINATED`.
 */
export async function runDemo(command: DemoCommand): Promise<number> {
  const signals = new SignalRelay();
  try {
    return await run(command, signals);
  } finally {
    signals.release();
  }
}

async function run(command: DemoCommand, signals: SignalRelay): Promise<number> {
  const { exec, openConsole, endJobs, scale, say = sayOnStderr } = command;
  say('Starting a throw-away installation …');
  const began = Date.now();
  const onStep = (what: string, ms: number) => say(`  ${what} (${seconds(ms)})`);
  const demo = await startDemo({ scale, onStep, signal: signals.abortSignal() });
  try {
    say(`Ready in ${seconds(Date.now() - began)}: ${demo.dir}`);
    const programs = await makeProgramFolder(join(demo.dir, '../bin'));
    const environment = demoEnvironment(process.env, demo.dir, [programs, demo.postgres.bin]);
    if (exec !== undefined) return await runCommand(exec, environment, demo, signals);
    replaceEnvironment(environment);
    signals.abortSignal().throwIfAborted();
    signals.release();
    return await openConsole(demo.dir);
  } finally {
    await endJobs?.(demo.dir).catch(() => undefined);
    await demo.stop();
    say('The throw-away installation is removed.');
  }
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** What a shell runs first: nothing, until it is told that the keeper knows of it, nor when we die before that. */
const GATE = 'read -r _ <&3 && exec 3<&- && exec /bin/sh -c "$0"';

/**
 * Runs a command to its end. On a terminal it shares our group, and the terminal itself signals both of us;
 * elsewhere it leads a group of its own, which gets what we get, and nothing of which is left behind.
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
    // All of it has ended.
  }
}

/** The console runs in this process, and its settings prefer the environment over `.env`. */
function replaceEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
}
