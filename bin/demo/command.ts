import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BifractError } from '../../src/core/errors.ts';
import { demoEnvironment, makeProgramFolder } from './environment.ts';
import { type Demo, startDemo } from './installation.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type EndSignal = (typeof SIGNALS)[number];

export interface DemoCommand {
  /** A command for the shell, to be run in the demo in place of the console. */
  exec?: string;
  /** Opens the console on an installation directory; resolves with the exit code when it was left. */
  openConsole: (dir: string) => Promise<number>;
  /** Where progress goes; by default lines on stderr. */
  say?: (line: string) => void;
}

/**
 * Starts a throw-away installation, runs the console or a command in it, and removes it. Returns the exit code:
 * the command's own, or 128 and the number of the signal that ended it. Errors are those of the start; a signal
 * while it starts is `CANCELLED` or `TERMINATED`.
 */
export async function runDemo({ exec, openConsole, say = sayOnStderr }: DemoCommand): Promise<number> {
  say('Starting a throw-away installation …');
  const began = Date.now();
  const demo = await untilSignal((signal) =>
    startDemo({ signal, onStep: (what, ms) => say(`  ${what} (${seconds(ms)})`) }),
  );
  try {
    say(`Ready in ${seconds(Date.now() - began)}: ${demo.dir}`);
    const programs = await makeProgramFolder(join(demo.dir, '../bin'));
    const environment = demoEnvironment(process.env, demo.dir, [programs, demo.postgres.bin]);
    if (exec !== undefined) return await runCommand(exec, environment, demo);
    replaceEnvironment(environment);
    return await openConsole(demo.dir);
  } finally {
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

async function untilSignal<T>(start: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const release = onSignals((name) => {
    const code = name === 'SIGINT' ? 'CANCELLED' : 'TERMINATED';
    ending.abort(new BifractError(code, `Ended by ${name} while the demo was starting`));
  });
  try {
    return await start(ending.signal);
  } finally {
    release();
  }
}

/**
 * Runs a command to its end. On a terminal it shares our group, and the terminal itself signals both of us;
 * elsewhere it leads a group of its own, which gets what we get, and nothing of which is left behind.
 */
async function runCommand(exec: string, env: NodeJS.ProcessEnv, demo: Demo): Promise<number> {
  const terminal = process.stdin.isTTY === true;
  const child = spawn(exec, { shell: true, stdio: 'inherit', env, detached: !terminal });
  const release = onSignals((name) => {
    if (!terminal) signalGroup(child, name);
    else if (name === 'SIGTERM') child.kill(name);
  });
  try {
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    if (child.pid !== undefined) demo.adopt(child.pid);
    const [code, signal] = await exit;
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  } finally {
    release();
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

function onSignals(listener: (name: EndSignal) => void): () => void {
  for (const name of SIGNALS) process.on(name, listener);
  return () => {
    for (const name of SIGNALS) process.off(name, listener);
  };
}

/** The console runs in this process, and its settings prefer the environment over `.env`. */
function replaceEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
}
