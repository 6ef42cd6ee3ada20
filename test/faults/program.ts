import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { PROGRAM } from '../helpers/program.ts';

/** A call that takes longer hangs. */
const LIMIT_MS = 120_000;

export interface Line {
  event?: string;
  job?: string;
  result?: Record<string, unknown>;
  error?: { code: string; message: string };
  [key: string]: unknown;
}

export interface ProgramOptions {
  dir: string;
  env?: Record<string, string>;
  /** Arguments of Node before the program. */
  node?: string[];
  /** A command that runs the program. */
  wrapper?: string[];
  limit_ms?: number;
}

/** The built program, called with `--json`, in a process group of its own. */
export class Call {
  readonly args: string[];
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  /** Resolves when the process has ended. */
  readonly ended: Promise<this>;
  code: number | null = null;
  signal: NodeJS.Signals | null = null;
  hung = false;
  stderr = '';
  #trigger: { lines: number; run: () => void } | undefined;

  constructor(args: string[], { dir, env, node = [], wrapper = [], limit_ms = LIMIT_MS }: ProgramOptions) {
    this.args = args;
    const [command = '', ...rest] = [...wrapper, process.execPath, ...node, PROGRAM, ...args];
    this.child = spawn(command, [...rest, '--json', '--dir', dir], {
      env: { ...env, HOME: process.env.HOME },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
    });
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', (line) => this.#onLine(line));
    this.ended = this.#end(limit_ms);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get result(): Record<string, unknown> | undefined {
    return this.lines.at(-1)?.result;
  }

  /** ID of its job. */
  get job(): string | undefined {
    return this.lines.find(({ job }) => job !== undefined)?.job;
  }

  /** How it ended: exit code and error code, or the signal. */
  get outcome(): string {
    const error = this.lines.at(-1)?.error;
    return this.hung ? 'hung' : (this.signal ?? (error ? `${this.code} ${error.code}` : String(this.code)));
  }

  /** Calls `run` once it has printed that many lines. */
  afterLines(lines: number, run: () => void): void {
    this.#trigger = { lines, run };
  }

  /** IDs of its children that run one of these programs. */
  async children(programs: RegExp): Promise<number[]> {
    const read = (path: string) => readFile(path, 'utf8').catch(() => '');
    const ids = (await read(`/proc/${this.pid}/task/${this.pid}/children`)).split(' ').filter(Boolean);
    const commands = await Promise.all(ids.map((id) => read(`/proc/${id}/cmdline`)));
    return ids.filter((_, at) => programs.test(commands[at] ?? '')).map(Number);
  }

  /** What still runs of its process group. */
  async left(): Promise<string[]> {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const stats = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')));
    // Name, state and, two fields later, the group; zombies have ended.
    const members = stats.map((stat) => /\((.*)\) ([^Z]) \d+ (\d+) /s.exec(stat));
    return members.filter((found) => Number(found?.[3]) === this.pid).map((found) => found?.[1] ?? '');
  }

  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // All have ended.
    }
  }

  #onLine(text: string): void {
    try {
      this.lines.push(JSON.parse(text) as Line);
    } catch {
      // A line cut by a kill.
    }
    if (!this.#trigger || this.lines.length < this.#trigger.lines) return;
    const { run } = this.#trigger;
    this.#trigger = undefined;
    run();
  }

  async #end(limit_ms: number): Promise<this> {
    const closed = new Promise<void>((resolve) => {
      this.child.on('close', (code, signal) => {
        this.code = code;
        this.signal = signal;
        resolve();
      });
    });
    const timer = new AbortController();
    const late = wait(limit_ms, true, { signal: timer.signal }).catch(() => false);
    this.hung = (await Promise.race([closed.then(() => false), late])) as boolean;
    timer.abort();
    if (this.hung) this.killGroup();
    await closed;
    return this;
  }
}
