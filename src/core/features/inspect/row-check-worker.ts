import { Worker } from 'node:worker_threads';
import {
  type DigestOptions,
  type DigestTotals,
  LineChecker,
  type LineTotals,
  RowDigester,
} from '../../format/index.ts';

/** Stored size of a file from which starting a thread pays off. */
const THREAD_FROM_BYTES = 8 * 1024 * 1024;
/** Blocks in flight. */
const BUFFERS = 4;
const BUFFER_BYTES = 2 * 1024 * 1024 + 64 * 1024;
/** Next to the sources, or next to the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './row-check-worker-main.ts' : './row-check-worker.js';

/** A block of lines to check, or the request for the totals. */
export type CheckRequest = { buffer: ArrayBuffer; length: number } | { finish: true };
/** The returned buffer with the rows so far, or the totals. */
export type CheckResponse<Totals = LineTotals | DigestTotals> =
  | { buffer: ArrayBuffer; rows: number }
  | { totals: Totals };

/**
 * Checks lines like `LineChecker`, or digests them like `RowDigester`, in a worker thread: this is the only part of reading a
 * file that can run in parallel. Must be closed.
 */
export class RowCheckWorker<Totals extends LineTotals | DigestTotals = LineTotals> {
  /** Rows checked so far. */
  rows = 0;
  readonly #worker: Worker;
  readonly #free: ArrayBuffer[] = Array.from({ length: BUFFERS }, () => new ArrayBuffer(BUFFER_BYTES));
  #freed = Promise.withResolvers<void>();
  readonly #totals = Promise.withResolvers<Totals>();
  readonly #failed = Promise.withResolvers<never>();

  private constructor(digest: DigestOptions | null) {
    this.#worker = new Worker(new URL(ENTRY, import.meta.url), { workerData: digest });
    this.#failed.promise.catch(() => undefined);
    this.#worker.on('message', (message: CheckResponse<Totals>) => this.#take(message));
    this.#worker.on('error', (error) => this.#failed.reject(error));
  }

  static check(): RowCheckWorker<LineTotals> {
    return new RowCheckWorker<LineTotals>(null);
  }

  static digest(options: DigestOptions): RowCheckWorker<DigestTotals> {
    return new RowCheckWorker<DigestTotals>(options);
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
  finish(): Promise<Totals> {
    this.#post({ finish: true }, []);
    return Promise.race([this.#totals.promise, this.#failed.promise]);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: CheckRequest, transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #take(message: CheckResponse<Totals>): void {
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

/** Reports the rows so far. */
type Report = (rows: number) => void;

/** Checks the lines of a file of `stored` bytes, in a thread if it is large. */
export function checkLines(
  blocks: AsyncIterable<Buffer>,
  stored: number,
  report: Report,
): Promise<LineTotals> {
  const reader = stored < THREAD_FROM_BYTES ? new LineChecker() : RowCheckWorker.check();
  return readAll<LineTotals>(blocks, reader, report);
}

/** Digests the lines of a file of `stored` bytes, in a thread if it is large. */
export function digestLines(
  blocks: AsyncIterable<Buffer>,
  stored: number,
  options: DigestOptions,
  report: Report,
): Promise<DigestTotals> {
  const reader = stored < THREAD_FROM_BYTES ? new RowDigester(options) : RowCheckWorker.digest(options);
  return readAll<DigestTotals>(blocks, reader, report);
}

/** A reader of lines, here or in a thread. */
interface LineReader<Totals> {
  readonly rows: number;
  add(bytes: Buffer): void | Promise<void>;
  finish(): Totals | Promise<Totals>;
  close?(): Promise<void>;
}

async function readAll<Totals>(
  blocks: AsyncIterable<Buffer>,
  reader: LineReader<Totals>,
  report: Report,
): Promise<Totals> {
  try {
    for await (const block of blocks) {
      await reader.add(block);
      report(reader.rows);
    }
    return await reader.finish();
  } finally {
    await reader.close?.();
  }
}
