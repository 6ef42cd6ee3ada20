import { Worker } from 'node:worker_threads';
import { BifractError } from '../../../contract/errors.ts';
import type { LineBlock } from '../../../ports/log-database.ts';
import type { Decoded } from './decoder.ts';
import type { ResponseScope } from './line-assembler.ts';

/** Next to the source file, or next to the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './decode-thread-main.ts' : './decode-thread.js';

/** Limits of the JavaScript heap, which does not include buffers. */
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

/** Messages to the thread: a response starts; bytes of it, with line buffers to reuse; the response has ended. */
export type ToThread =
  | { start: ResponseScope }
  | { buffer: ArrayBuffer; length: number; recycled: ArrayBuffer[] }
  | { finish: true };
/** Reply to each message except `start`: the buffer, to be refilled, and the decoded lines. */
export interface FromThread {
  buffer: ArrayBuffer | undefined;
  blocks: { memory: ArrayBuffer; length: number; lines: number }[];
  end: Decoded['end'];
}

/** Runs a `Decoder` in a worker thread, in parallel with compression and encryption. Must be closed. */
export class DecodeThread {
  readonly #worker: Worker;
  readonly #free: ArrayBuffer[] = [];
  readonly #recycled: ArrayBuffer[] = [];
  readonly #pending: PromiseWithResolvers<Decoded>[] = [];
  #failure: BifractError | undefined;

  constructor() {
    this.#worker = new Worker(new URL(ENTRY, import.meta.url), { resourceLimits: LIMITS });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  /** Whether the thread has failed or exited. */
  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /** Starts decoding a response; the previous one must be finished. */
  start(of: ResponseScope): void {
    this.#worker.ref();
    const message: ToThread = { start: of };
    this.#worker.postMessage(message);
  }

  /** Parks the thread, so that it does not keep the process alive; false if it cannot be reused. */
  park(): boolean {
    if (this.ended || this.#pending.length > 0) return false;
    this.#worker.unref();
    return true;
  }

  /** A buffer of at least `size` bytes for `add`. */
  buffer(size: number): ArrayBuffer {
    const kept = this.#free.pop();
    return kept && kept.byteLength >= size ? kept : new ArrayBuffer(size);
  }

  /** Decodes the first `length` bytes of the buffer, which is transferred. Results resolve in call order. */
  add(buffer: ArrayBuffer, length: number): Promise<Decoded> {
    const recycled = this.#recycled.splice(0);
    return this.#send({ buffer, length, recycled }, [buffer, ...recycled]);
  }

  /** Returns the memory of lines to the thread. */
  recycle({ buffer }: Buffer): void {
    if (buffer instanceof ArrayBuffer && !buffer.detached) this.#recycled.push(buffer);
  }

  finish(): Promise<Decoded> {
    return this.#send({ finish: true }, []);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(message: ToThread, transfer: ArrayBuffer[]): Promise<Decoded> {
    const pending = Promise.withResolvers<Decoded>();
    // A reader that stopped early does not await the remaining results.
    pending.promise.catch(() => undefined);
    if (this.#failure) pending.reject(this.#failure);
    else {
      this.#pending.push(pending);
      this.#worker.postMessage(message, transfer);
    }
    return pending.promise;
  }

  #receive({ buffer, blocks, end }: FromThread): void {
    if (buffer) this.#free.push(buffer);
    const lines = blocks.map(
      (block): LineBlock => ({
        bytes: Buffer.from(block.memory, 0, block.length),
        lines: block.lines,
      }),
    );
    this.#pending.shift()?.resolve({ blocks: lines, end });
  }

  #fail(cause: unknown): void {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    this.#failure ??= new BifractError('INTERNAL', `The row decoder thread exited${reason}`, {
      cause,
    });
    for (const pending of this.#pending.splice(0)) pending.reject(this.#failure);
  }
}

/** Keeps threads between responses, because starting one takes longer than decoding a small response. Must be closed. */
export class DecodeThreads {
  #idle: DecodeThread[] = [];
  #closed = false;

  /** Starts a thread ahead of the response, unless one is idle. */
  prepare(): void {
    this.#idle = this.#idle.filter(({ ended }) => !ended);
    if (this.#closed || this.#idle.length > 0) return;
    const thread = new DecodeThread();
    thread.park();
    this.#idle.push(thread);
  }

  /** A thread for a response; must be released. */
  acquire(of: ResponseScope): DecodeThread {
    const kept = this.#idle.pop();
    const thread = kept && !kept.ended ? kept : new DecodeThread();
    thread.start(of);
    return thread;
  }

  /** Takes a thread back. It is closed if it failed or has not finished its response. */
  async release(thread: DecodeThread): Promise<void> {
    if (this.#closed || !thread.park()) return thread.close();
    this.#idle.push(thread);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((thread) => thread.close()));
  }
}
