import { after } from 'node:test';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { until } from './until.ts';

const running = new Set<IPty>();

// Programs left over by a failed test would keep the test process alive.
after(() => {
  for (const pty of running) pty.kill('SIGKILL');
});

/** A program on a real pseudo-terminal, and what its screen shows. */
export class PtyProgram {
  readonly screen: InstanceType<typeof xterm.Terminal>;
  readonly ended: Promise<{ exitCode: number; signal?: number }>;
  /** All raw output so far. */
  written = '';
  readonly #pty: IPty;

  constructor(
    command: string,
    args: string[],
    options: { columns?: number; rows?: number; env?: NodeJS.ProcessEnv } = {},
  ) {
    const { columns = 80, rows = 24, env = process.env } = options;
    this.screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const clean = Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    this.#pty = spawn(command, args, {
      cols: columns,
      rows,
      name: 'xterm-256color',
      // CI machines may have no locale, but tests wait for non-ASCII text.
      env: { ...clean, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' },
    });
    running.add(this.#pty);
    this.#pty.onExit(() => running.delete(this.#pty));
    this.#pty.onData((data) => {
      this.written += data;
      this.screen.write(data);
    });
    this.ended = new Promise((resolve) => this.#pty.onExit(resolve));
  }

  get pid(): number {
    return this.#pty.pid;
  }

  lines(): string[] {
    const { active } = this.screen.buffer;
    return Array.from(
      { length: this.screen.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    );
  }

  text(): string {
    return this.lines().join('\n');
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until the screen shows a text or pattern; fails with the screen. */
  async waitFor(match: string | RegExp, ms = 15_000): Promise<void> {
    const shows = () => (typeof match === 'string' ? this.text().includes(match) : match.test(this.text()));
    await until(shows, ms, String(match)).catch((cause: unknown) => {
      throw new Error(`The screen never showed ${match}:\n${this.text()}`, { cause });
    });
  }

  kill(signal?: string): void {
    this.#pty.kill(signal);
  }
}
