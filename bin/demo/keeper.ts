import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { BifractError } from '../../src/core/errors.ts';
import { entryCommand } from './entry.ts';
import { logFile, type Order, type Program, type Report } from './keeper-protocol.ts';

/** A program that runs under the keeper. */
export interface Running {
  pid: number;
  /** The next line of its standard output; undefined when the program has ended before it wrote one. */
  line(): Promise<string | undefined>;
  /** Resolves when the program has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The end of what it wrote to standard error: what to show when it failed. */
  complaint(): Promise<string>;
}

/** Runs programs that end, and a folder that goes, together with this process, however it dies. */
export interface Keeper {
  /** The temporary folder. Others can pass through it but not list it. */
  dir: string;
  start(program: Program): Promise<Running>;
  /** Starts a program and waits for its end; throws `INTERNAL` with its own words when that is not a good one. */
  run(program: Program): Promise<void>;
  /** The keeper also ends this process, and what it has started, should we be gone. Returns the way to undo that. */
  adopt(pid: number): () => void;
  /** Ends every program, removes the folder. Can be called again. */
  stop(): Promise<void>;
}

/** Starts the keeper. The servers stay its children, so that not even a moment exists in which one can be lost. */
export async function startKeeper(): Promise<Keeper> {
  const { command, args } = entryCommand('keeper-process');
  const child = spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  const link = new Link(child);
  const dir = await link.ready;
  child.once('exit', () => link.lost(dir));
  return {
    dir,
    start: (program) => link.start(dir, program),
    run: async (program) => {
      const running = await link.start(dir, program);
      const { code } = await link.whileAlive(running.ended);
      if (code !== 0) {
        throw new BifractError('INTERNAL', `${program.name} failed: ${await running.complaint()}`);
      }
    },
    adopt: (pid) => {
      link.send({ order: 'adopt', pid });
      return () => link.send({ order: 'release', pid });
    },
    stop: () => link.stop(),
  };
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Waiting {
  pid: number;
  started: PromiseWithResolvers<void>;
  first: PromiseWithResolvers<string | undefined>;
  ended: PromiseWithResolvers<{ code: number | null; signal: NodeJS.Signals | null }>;
}

class Link {
  readonly ready: Promise<string>;
  readonly #child: Child;
  readonly #programs = new Map<string, Waiting>();
  #stopping = false;
  #holds = 0;

  constructor(child: Child) {
    this.#child = child;
    child.stdin.on('error', () => {});
    const ready = Promise.withResolvers<string>();
    child.once('error', ready.reject);
    child.once('exit', () =>
      ready.reject(new BifractError('INTERNAL', 'The keeper of the servers did not start')),
    );
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as Report;
      if (message.report === 'ready') ready.resolve(message.dir);
      else this.#hear(message);
    });
    this.ready = this.whileAlive(ready.promise);
  }

  send(order: Order): void {
    if (!this.#stopping) this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  async start(dir: string, program: Program): Promise<Running> {
    if (this.#stopping || this.#exited)
      throw new BifractError('INTERNAL', `The keeper has ended: it cannot start ${program.name}`);
    const waiting: Waiting = {
      pid: 0,
      started: Promise.withResolvers(),
      first: Promise.withResolvers(),
      ended: Promise.withResolvers(),
    };
    this.#programs.set(program.name, waiting);
    this.send({ order: 'start', program });
    await this.whileAlive(waiting.started.promise);
    return {
      pid: waiting.pid,
      line: () => this.whileAlive(waiting.first.promise),
      ended: waiting.ended.promise,
      complaint: () => lastLines(logFile(dir, program.name)),
    };
  }

  #hear(message: Exclude<Report, { report: 'ready' }>): void {
    const program = this.#programs.get(message.name);
    if (!program) return;
    if (message.report === 'started') {
      program.pid = message.pid;
      program.started.resolve();
    } else if (message.report === 'line') program.first.resolve(message.text);
    else if (message.report === 'failed') {
      this.#programs.delete(message.name);
      program.started.reject(
        new BifractError('PROGRAM_MISSING', `${message.name} cannot be started: ${message.message}`),
      );
    } else {
      this.#programs.delete(message.name);
      program.first.resolve(undefined);
      program.ended.resolve(message);
    }
  }

  /** The pipes hold the event loop only as long as something is awaited: an idle keeper never keeps us alive. */
  async whileAlive<T>(promise: Promise<T>): Promise<T> {
    if (this.#holds++ === 0) for (const part of this.#parts()) part.ref?.();
    try {
      return await promise;
    } finally {
      if (--this.#holds === 0) for (const part of this.#parts()) part.unref?.();
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

  /** The keeper itself was killed: do its work as well as it can be done from here. */
  lost(dir: string): void {
    for (const program of this.#programs.values()) {
      program.started.reject(new BifractError('INTERNAL', 'The keeper of the servers has died'));
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
    // It has ended already.
  }
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join(' ') || 'it said nothing';
}
