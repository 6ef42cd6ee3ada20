import { Worker } from 'node:worker_threads';
import type { LineTotals } from '../../format/index.ts';

/** Blocks in flight. */
const BUFFERS = 4;
const BUFFER_BYTES = 2 * 1024 * 1024 + 64 * 1024;
/** Next to the sources, or next to the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './row-check-worker-main.ts' : './row-check-worker.js';

/** A block of lines to check, or the request for the totals. */
export type CheckRequest = { buffer: ArrayBuffer; length: number } | { finish: true };
/** The returned buffer with the rows so far, or the totals. */
export type CheckResponse = { buffer: ArrayBuffer; rows: number } | { totals: LineTotals };

/**
 * Checks lines like `LineChecker`, in a worker thread: this is the only part of reading a file that can run
 * in parallel. Must be closed.
 */
export class RowCheckWorker {
  /** Rows checked so far. */
  rows = 0;
  readonly #worker = new Worker(new URL(ENTRY, import.meta.url));
  readonly #free: ArrayBuffer[] = Array.from({ length: BUFFERS }, () => new ArrayBuffer(BUFFER_BYTES));
  #freed = Promise.withResolvers<void>();
  readonly #totals = Promise.withResolvers<LineTotals>();
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    this.#failed.promise.catch(() => undefined);
    this.#worker.on('message', (message: CheckResponse) => this.#take(message));
    this.#worker.on('error', (error) => this.#failed.reject(error));
  }

  /** Adds complete lines, which are copied; resolves when there is room for more. */
  async add(bytes: Buffer): Promise<void> {
    while (this.#free.length === 0) await Promise.race([this.#freed.promise, this.#failed.promise]);
    const kept = this.#free.pop() as ArrayBuffer;
    const buffer = kept.byteLength < bytes.length ? new ArrayBuffer(bytes.length) : kept;
    new Uint8Array(buffer).set(bytes);
    this.#post({ buffer, length: bytes.length }, [buffer]);
  }

  /** Totals of all lines. */
  finish(): Promise<LineTotals> {
    this.#post({ finish: true }, []);
    return Promise.race([this.#totals.promise, this.#failed.promise]);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: CheckRequest, transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #take(message: CheckResponse): void {
    if ('totals' in message) {
      this.#totals.resolve(message.totals);
      return;
    }
    this.rows = message.rows;
    // A buffer enlarged for a long line is not reused.
    this.#free.push(
      message.buffer.byteLength > BUFFER_BYTES ? new ArrayBuffer(BUFFER_BYTES) : message.buffer,
    );
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }
}
