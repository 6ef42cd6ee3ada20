import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import type { Bench } from './run.ts';

const ARCHIVES = 10_000;
/** The cursor goes this far down, then up again. */
const STEPS = 15;
const KEYS = 6 * STEPS;
const TYPED_MS = 130;
/** Auto-repeat of 30 keys a second. */
const REPEAT_MS = 33;
const WATCH_MS = 8_000;
/** Starts each frame. */
const FRAME = '\x1b[?2026h';

export const bench: Bench = {
  title: `the console at 80×24 and 200×50: from key to screen with ${ARCHIVES} archives listed; a frame; idle`,
  async run() {
    const rows = [];
    for (const [columns, lines] of [
      [80, 24],
      [200, 50],
    ] as const)
      for (const jobs of [0, 2]) rows.push(...(await measure(columns, lines, jobs)));
    return rows;
  },
};

async function measure(columns: number, lines: number, jobs: number) {
  const console = new Console(columns, lines, jobs);
  const screen = `${columns}×${lines}, ${jobs} jobs`;
  try {
    await console.shows('Storage');
    console.type('3');
    await console.shows(`${ARCHIVES.toLocaleString('en')} archives`);
    const typed = await console.latencies(TYPED_MS);
    const repeated = await console.latencies(REPEAT_MS);
    console.type('5');
    await console.shows(jobs === 0 ? 'No jobs' : 'Left');
    await wait(2_000);
    const watched = await console.watch();
    return [
      { screen, measured: 'typed keys', ...typed },
      { screen, measured: '30 keys a second', ...repeated },
      { screen, measured: jobs === 0 ? 'idle' : 'progress', ...watched },
    ];
  } finally {
    console.close();
  }
}

/** When a key was sent, and how far the cursor is from a line after it. */
interface PressedKey {
  sent: number;
  steps: number;
  from: number;
  direction: number;
}

class Console {
  readonly #pty: IPty;
  readonly #screen: InstanceType<typeof xterm.Terminal>;
  /** Keys that are not on the screen yet. */
  #waiting: PressedKey[] = [];
  #times: number[] = [];
  #written = '';

  constructor(columns: number, lines: number, jobs: number) {
    this.#screen = new xterm.Terminal({ cols: columns, rows: lines, allowProposedApi: true });
    const program = join(import.meta.dirname, 'tools/console-program.tsx');
    this.#pty = spawn(process.execPath, ['--import', 'tsx', program, String(ARCHIVES), String(jobs)], {
      cols: columns,
      rows: lines,
      name: 'xterm-256color',
      env: { ...process.env, NODE_ENV: 'production', LC_ALL: 'C.UTF-8' } as Record<string, string>,
    });
    this.#pty.onData((data) => {
      this.#written += data;
      this.#screen.write(data, () => this.#drawn());
    });
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  async shows(text: string): Promise<void> {
    const until = performance.now() + 60_000;
    while (!this.#lines().some((line) => line.includes(text))) {
      if (performance.now() > until) throw new Error(`The screen never showed ${text}`);
      await wait(20);
    }
  }

  /** Moves the cursor down and up again, with a pause after each key. */
  async latencies(gap: number) {
    await wait(1_000);
    this.#times = [];
    for (let count = 0; count < KEYS; count += STEPS) {
      const direction = (count / STEPS) % 2 === 0 ? 1 : -1;
      const from = this.#cursor();
      for (let step = 1; step <= STEPS; step++) {
        this.#waiting.push({ sent: performance.now(), steps: step, from, direction });
        this.type(direction === 1 ? 'j' : 'k');
        await wait(gap);
      }
      await wait(1_000);
      if (this.#waiting.length > 0) throw new Error(`${this.#waiting.length} keys were never shown`);
    }
    const sorted = this.#times.toSorted((a, b) => a - b);
    const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(0);
    return { 'median ms': at(0.5), 'p95 ms': at(0.95) };
  }

  /** What is written, and the processor time, while nothing is typed. */
  async watch() {
    this.#written = '';
    const before = await this.#processorMs();
    await wait(WATCH_MS);
    const used = (await this.#processorMs()) - before;
    const bytes = Buffer.byteLength(this.#written);
    const frames = this.#written.split(FRAME).length - 1;
    return {
      'bytes per frame': frames === 0 ? '-' : (bytes / frames).toFixed(0),
      'frames/s': ((frames * 1_000) / WATCH_MS).toFixed(1),
      'bytes/s': ((bytes * 1_000) / WATCH_MS).toFixed(0),
      'CPU %': ((used / WATCH_MS) * 100).toFixed(1),
    };
  }

  close(): void {
    this.#pty.kill('SIGKILL');
  }

  /** Linux only. */
  async #processorMs(): Promise<number> {
    const stat = await readFile(`/proc/${this.#pty.pid}/stat`, 'utf8').catch(() => '');
    const [user = 0, system = 0] = stat.split(') ').at(-1)?.split(' ').slice(11, 13).map(Number) ?? [];
    return (user + system) * 10;
  }

  #drawn(): void {
    const line = this.#cursor();
    const isShown = ({ steps, from, direction }: PressedKey) =>
      line >= 0 && (line - from) * direction >= steps;
    for (const { sent } of this.#waiting.filter(isShown)) this.#times.push(performance.now() - sent);
    this.#waiting = this.#waiting.filter((one) => !isShown(one));
  }

  #cursor(): number {
    return this.#lines().findIndex((line) => line.startsWith('▌'));
  }

  #lines(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from(
      { length: this.#screen.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    );
  }
}
