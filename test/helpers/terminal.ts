import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';

const POLL_MS = 5;
const PATIENCE_MS = 8_000;

const NAMED: Readonly<Record<string, string>> = {
  enter: '\r',
  esc: '\x1b',
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

/** What is to be seen: a part of the screen's text, a pattern in it, or any condition on its lines. */
export type Sight = string | RegExp | ((lines: readonly string[]) => boolean);

/** A terminal without a window: keys go in, escape sequences come out and are drawn by a real emulator. */
export class FakeTerminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Everything that was written, as it was written. */
  written = '';
  /** Whether the program has put the keyboard into raw mode. */
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

  /** The lines of the screen, without the spaces at their ends. */
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

  /** The first line that holds the text. */
  line(part: string): string {
    return this.lines().find((line) => line.includes(part)) ?? '';
  }

  /** Column of a text in its line, as the terminal counts: wide characters take two. */
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

  /** Everything in one chunk, as a slow line or a held key delivers it. */
  type(text: string): void {
    this.#input.write(text);
  }

  /** Keys one by one, by name or as characters. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.type(NAMED[key] ?? key);
      await new Promise((resolve) => setImmediate(resolve));
      await this.settle();
    }
  }

  /** Waits until what was written is drawn. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#screen.write('', resolve));
  }

  /** Waits until the sight is on the screen. */
  async see(sight: Sight): Promise<void> {
    await this.#until(() => this.#shows(sight), sight);
  }

  /** Waits until the sight has gone. */
  async miss(sight: Sight): Promise<void> {
    await this.#until(() => !this.#shows(sight), sight);
  }

  #shows(sight: Sight): boolean {
    if (typeof sight === 'function') return sight(this.lines());
    const text = this.text();
    return typeof sight === 'string' ? text.includes(sight) : sight.test(text);
  }

  async #until(met: () => boolean, sight: Sight): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    await this.settle();
    while (!met()) {
      if (Date.now() > end) throw new Error(`Waited in vain for ${sight}; the screen is:\n${this.text()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.settle();
    }
    // No hand is quicker than the turn of the event loop in which a frame came out.
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
