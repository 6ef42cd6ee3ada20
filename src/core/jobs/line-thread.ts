import { Worker } from 'node:worker_threads';
import type { LineTotals } from '../format/index.ts';

/** Blocks on their way to the thread and back. */
const BUFFERS = 4;
const BUFFER_BYTES = 2 * 1024 * 1024 + 64 * 1024;
/** Beside the sources, or beside the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './line-thread-main.ts' : './line-thread.js';

/** What goes to the thread: a block of lines, or the question what they came to. */
export type ToThread = { buffer: ArrayBuffer; length: number } | { finish: true };
/** What comes back: the buffer and the rows so far, or what all lines came to. */
export type FromThread = { buffer: ArrayBuffer; rows: number } | { totals: LineTotals };

/**
 * Checks lines as `LineChecker` does, in a thread of its own: of all that reading a file takes, this alone can be
 * done beside the rest. Must be closed.
 */
export class LineThread {
  /** Rows checked so far. */
  rows = 0;
  readonly #worker = new Worker(new URL(ENTRY, import.meta.url));
  readonly #free: ArrayBuffer[] = Array.from({ length: BUFFERS }, () => new ArrayBuffer(BUFFER_BYTES));
  #room = Promise.withResolvers<void>();
  readonly #totals = Promise.withResolvers<LineTotals>();
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    this.#failed.promise.catch(() => undefined);
    this.#worker.on('message', (message: FromThread) => this.#take(message));
    this.#worker.on('error', (error) => this.#failed.reject(error));
  }

  /** Takes whole lines, which are copied; resolves once there is room for more. */
  async add(bytes: Buffer): Promise<void> {
    while (this.#free.length === 0) await Promise.race([this.#room.promise, this.#failed.promise]);
    const kept = this.#free.pop() as ArrayBuffer;
    const buffer = kept.byteLength < bytes.length ? new ArrayBuffer(bytes.length) : kept;
    new Uint8Array(buffer).set(bytes);
    this.#post({ buffer, length: bytes.length }, [buffer]);
  }

  /** What all lines came to. */
  finish(): Promise<LineTotals> {
    this.#post({ finish: true }, []);
    return Promise.race([this.#totals.promise, this.#failed.promise]);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: ToThread, transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #take(message: FromThread): void {
    if ('totals' in message) {
      this.#totals.resolve(message.totals);
      return;
    }
    this.rows = message.rows;
    // One that grew for a long line is not kept.
    this.#free.push(
      message.buffer.byteLength > BUFFER_BYTES ? new ArrayBuffer(BUFFER_BYTES) : message.buffer,
    );
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }
}
