import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import { until } from './until.ts';

/** Far more than any frame takes, also on a busy machine. */
const SCREEN_MS = 8_000;

const NAMED: Readonly<Record<string, string>> = {
  enter: '\r',
  // A lone Esc is only a key after a moment.
  esc: '\x1b[27u',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  pgup: '\x1b[5~',
  pgdn: '\x1b[6~',
  home: '\x1b[H',
  end: '\x1b[F',
  tab: '\t',
  backspace: '\x7f',
  'ctrl-c': '\x03',
  'ctrl-l': '\x0c',
  'ctrl-z': '\x1a',
};

/** A text or pattern on the screen, or any condition on its lines. */
export type ScreenMatch = string | RegExp | ((lines: readonly string[]) => boolean);

/** A terminal in memory: takes keys, and renders the output with a real terminal emulator. */
export class FakeTerminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** All raw output so far. */
  written = '';
  /** Whether the program has set raw mode. */
  raw = false;
  readonly #input = new PassThrough();
  readonly #screen: InstanceType<typeof xterm.Terminal>;

  constructor(columns = 80, rows = 24) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true });
    const output = new Writable({
      decodeStrings: false,
      write: (data: string | Buffer, _encoding, done) => {
        const text = data.toString();
        this.written += text;
        this.#screen.write(text, done);
      },
    });
    this.stdout = Object.assign(output, { isTTY: true, columns, rows }) as unknown as NodeJS.WriteStream;
    const setRawMode = (raw: boolean) => {
      this.raw = raw;
    };
    const keyboard = { isTTY: true, setRawMode, ref: () => {}, unref: () => {} };
    this.stdin = Object.assign(this.#input, keyboard) as unknown as NodeJS.ReadStream;
  }

  /** The lines of the screen without trailing spaces. */
  lines(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from(
      { length: this.#screen.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    );
  }

  text(): string {
    return this.lines().join('\n');
  }

  /** The first line that contains a text. */
  line(part: string): string {
    return this.lines().find((line) => line.includes(part)) ?? '';
  }

  /** Column of a text in its line; wide characters take two columns. */
  columnOf(part: string): number {
    const { active } = this.#screen.buffer;
    for (let row = 0; row < this.#screen.rows; row++) {
      const line = active.getLine(active.viewportY + row);
      const at = line?.translateToString(true).indexOf(part) ?? -1;
      if (line && at >= 0) return this.#cellOf(line.translateToString(true).slice(0, at));
    }
    return -1;
  }

  #cellOf(before: string): number {
    return Array.from(before).reduce(
      (sum, part) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff01-\uff60]/.test(part) ? 2 : 1),
      0,
    );
  }

  /** Whether the alternate screen is shown. */
  get alternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** Sends all keys in one chunk, as a slow line or a held key does. */
  type(text: string): void {
    this.#input.write(text);
  }

  /** Sends keys one by one, by name or as characters. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.type(NAMED[key] ?? key);
      await new Promise((resolve) => setImmediate(resolve));
      await this.settle();
    }
  }

  /** Waits until all output is rendered. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#screen.write('', resolve));
  }

  /** Waits until the screen shows the match; fails with the screen. */
  async waitFor(match: ScreenMatch): Promise<void> {
    await this.#until(() => this.#shows(match), `${match} is shown`);
  }

  /** Waits until the screen no longer shows the match; fails with the screen. */
  async waitUntilGone(match: ScreenMatch): Promise<void> {
    await this.#until(() => !this.#shows(match), `${match} is gone`);
  }

  #shows(match: ScreenMatch): boolean {
    if (typeof match === 'function') return match(this.lines());
    const text = this.text();
    return typeof match === 'string' ? text.includes(match) : match.test(text);
  }

  async #until(met: () => boolean, what: string): Promise<void> {
    const rendered = async () => {
      await this.settle();
      return met();
    };
    await until(rendered, SCREEN_MS, what).catch((cause: Error) => {
      throw new Error(`${cause.message}; the screen is:\n${this.text()}`, { cause });
    });
    // A dialog accepts keys only in the event loop turn after its frame.
    await new Promise((resolve) => setImmediate(resolve));
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    Object.assign(this.stdout, { columns, rows });
    this.stdout.emit('resize');
  }

  dispose(): void {
    this.#screen.dispose();
    this.#input.destroy();
  }
}
