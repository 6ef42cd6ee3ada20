import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { BifractError } from '../../src/core/contract/errors.ts';
import { entryCommand } from './entry.ts';
import {
  logFile,
  type Program,
  type SupervisorCommand,
  type SupervisorReport,
} from './supervisor-protocol.ts';

/** A program started by the supervisor. */
export interface RunningProgram {
  pid: number;
  /** The first line of its stdout; undefined if the program ended without one. */
  firstLine(): Promise<string | undefined>;
  /** Resolves when the program has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The last lines of its stderr, for error messages. */
  errorOutput(): Promise<string>;
}

/** Runs programs in a temporary folder; both are gone when this process ends, however it ends. */
export interface DemoSupervisor {
  /** The temporary folder. Other users can enter it but not list it. */
  dir: string;
  start(program: Program): Promise<RunningProgram>;
  /** Runs a program to its end; throws `INTERNAL` with its error output if it fails. */
  run(program: Program): Promise<void>;
  /** Also kills this process and its descendants when the parent is gone. Returns the function that undoes it. */
  adopt(pid: number): () => void;
  /** Stops all programs and removes the folder. Can be called again. */
  stop(): Promise<void>;
}

/** Starts the supervisor. The servers are its children, so none can be lost at any moment. */
export async function startDemoSupervisor(): Promise<DemoSupervisor> {
  const { command, args } = entryCommand('supervisor-process');
  const child = spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  const connection = new SupervisorConnection(child);
  const dir = await connection.ready;
  child.once('exit', () => connection.onCrash(dir));
  return {
    dir,
    start: (program) => connection.start(dir, program),
    run: async (program) => {
      const running = await connection.start(dir, program);
      const { code } = await connection.whileAlive(running.ended);
      if (code !== 0) {
        throw new BifractError('INTERNAL', `${program.name} failed: ${await running.errorOutput()}`);
      }
    },
    adopt: (pid) => {
      connection.send({ order: 'adopt', pid });
      return () => connection.send({ order: 'release', pid });
    },
    stop: () => connection.stop(),
  };
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface ProgramState {
  pid: number;
  started: PromiseWithResolvers<void>;
  first: PromiseWithResolvers<string | undefined>;
  ended: PromiseWithResolvers<{ code: number | null; signal: NodeJS.Signals | null }>;
}

class SupervisorConnection {
  readonly ready: Promise<string>;
  readonly #child: Child;
  readonly #programs = new Map<string, ProgramState>();
  #stopping = false;
  #pending = 0;

  constructor(child: Child) {
    this.#child = child;
    child.stdin.on('error', () => {});
    const ready = Promise.withResolvers<string>();
    child.once('error', ready.reject);
    child.once('exit', () => ready.reject(new BifractError('INTERNAL', 'The demo supervisor did not start')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as SupervisorReport;
      if (message.report === 'ready') ready.resolve(message.dir);
      else this.#onReport(message);
    });
    this.ready = this.whileAlive(ready.promise);
  }

  send(command: SupervisorCommand): void {
    if (!this.#stopping) this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async start(dir: string, program: Program): Promise<RunningProgram> {
    if (this.#stopping || this.#exited)
      throw new BifractError('INTERNAL', `Cannot start ${program.name}: the demo supervisor has ended`);
    const state: ProgramState = {
      pid: 0,
      started: Promise.withResolvers(),
      first: Promise.withResolvers(),
      ended: Promise.withResolvers(),
    };
    this.#programs.set(program.name, state);
    this.send({ order: 'start', program });
    await this.whileAlive(state.started.promise);
    return {
      pid: state.pid,
      firstLine: () => this.whileAlive(state.first.promise),
      ended: state.ended.promise,
      errorOutput: () => lastLines(logFile(dir, program.name)),
    };
  }

  #onReport(message: Exclude<SupervisorReport, { report: 'ready' }>): void {
    const program = this.#programs.get(message.name);
    if (!program) return;
    if (message.report === 'started') {
      program.pid = message.pid;
      program.started.resolve();
    } else if (message.report === 'line') program.first.resolve(message.text);
    else if (message.report === 'failed') {
      this.#programs.delete(message.name);
      program.started.reject(
        new BifractError('PROGRAM_MISSING', `Cannot start ${message.name}: ${message.message}`),
      );
    } else {
      this.#programs.delete(message.name);
      program.first.resolve(undefined);
      program.ended.resolve(message);
    }
  }

  /** The pipes keep the event loop alive only while something is awaited, so an idle supervisor does not. */
  async whileAlive<T>(promise: Promise<T>): Promise<T> {
    if (this.#pending++ === 0) for (const part of this.#parts()) part.ref?.();
    try {
      return await promise;
    } finally {
      if (--this.#pending === 0) for (const part of this.#parts()) part.unref?.();
    }
  }

  get #exited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #parts(): { ref?(): unknown; unref?(): unknown }[] {
    return [this.#child, this.#child.stdout as object, this.#child.stdin as object];
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#exited) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await this.whileAlive(exited);
  }

  /** The supervisor was killed: clean up as far as possible from here. */
  onCrash(dir: string): void {
    for (const program of this.#programs.values()) {
      program.started.reject(new BifractError('INTERNAL', 'The demo supervisor crashed'));
      program.first.resolve(undefined);
      program.ended.resolve({ code: null, signal: null });
      if (!this.#stopping) killGroup(program.pid);
    }
    if (!this.#stopping) void rm(dir, { recursive: true, force: true, maxRetries: 10 }).catch(() => {});
  }
}

function killGroup(pid: number): void {
  try {
    if (pid > 0) process.kill(-pid, 'SIGQUIT');
  } catch {
    // It has already ended.
  }
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join(' ') || 'no error output';
}
