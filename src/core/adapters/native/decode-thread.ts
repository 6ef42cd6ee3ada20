import { Worker } from 'node:worker_threads';
import { BifractError } from '../../errors.ts';
import type { LineBlock } from '../../ports/log-database.ts';
import type { Decoded } from './decoder.ts';
import type { AnswerOf } from './line-feed.ts';

/** Beside the sources, or beside the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './decode-thread-main.ts' : './decode-thread.js';

/** Of its JavaScript objects: the rows themselves are in buffers, which these do not count. */
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

/** What goes to the thread: that an answer begins, its bytes and memory of lines that are read, or that there are no more. */
export type ToThread =
  | { begin: AnswerOf }
  | { buffer: ArrayBuffer; length: number; read: ArrayBuffer[] }
  | { finish: true };
/** What comes back, once for each message but the first: the same buffer, to be filled again, and what was in it. */
export interface FromThread {
  buffer: ArrayBuffer | undefined;
  blocks: { memory: ArrayBuffer; length: number; lines: number }[];
  end: Decoded['end'];
}

/** A `Decoder` in a thread of its own, so that decoding goes on beside compression and encryption. Must be closed. */
export class DecodeThread {
  readonly #worker: Worker;
  readonly #free: ArrayBuffer[] = [];
  readonly #read: ArrayBuffer[] = [];
  readonly #asked: PromiseWithResolvers<Decoded>[] = [];
  #failure: BifractError | undefined;

  constructor() {
    this.#worker = new Worker(new URL(ENTRY, import.meta.url), { resourceLimits: LIMITS });
    this.#worker.on('message', (message: FromThread) => this.#take(message));
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  /** Whether it has died, and can take no more answers. */
  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /** Begins with the answer of a query; the one before it must be over. */
  begin(of: AnswerOf): void {
    this.#worker.ref();
    const message: ToThread = { begin: of };
    this.#worker.postMessage(message);
  }

  /** Lets the process end while the thread waits for the next answer; false where it cannot take one. */
  rest(): boolean {
    if (this.ended || this.#asked.length > 0) return false;
    this.#worker.unref();
    return true;
  }

  /** A buffer of at least that size, to be filled and given to `add`. */
  buffer(size: number): ArrayBuffer {
    const kept = this.#free.pop();
    return kept && kept.byteLength >= size ? kept : new ArrayBuffer(size);
  }

  /** Decodes the first `length` bytes of the buffer, which is gone with that. Answers come in the order of calls. */
  add(buffer: ArrayBuffer, length: number): Promise<Decoded> {
    const read = this.#read.splice(0);
    return this.#ask({ buffer, length, read }, [buffer, ...read]);
  }

  /** Takes the memory of lines that came from the thread, to be written again. */
  reuse({ buffer }: Buffer): void {
    if (buffer instanceof ArrayBuffer && !buffer.detached) this.#read.push(buffer);
  }

  finish(): Promise<Decoded> {
    return this.#ask({ finish: true }, []);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(message: ToThread, transfer: ArrayBuffer[]): Promise<Decoded> {
    const asked = Promise.withResolvers<Decoded>();
    // Whoever stopped reading awaits no more answers.
    asked.promise.catch(() => undefined);
    if (this.#failure) asked.reject(this.#failure);
    else {
      this.#asked.push(asked);
      this.#worker.postMessage(message, transfer);
    }
    return asked.promise;
  }

  #take({ buffer, blocks, end }: FromThread): void {
    if (buffer) this.#free.push(buffer);
    const lines = blocks.map(
      (block): LineBlock => ({
        bytes: Buffer.from(block.memory, 0, block.length),
        lines: block.lines,
      }),
    );
    this.#asked.shift()?.resolve({ blocks: lines, end });
  }

  #fail(cause: unknown): void {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    this.#failure ??= new BifractError('INTERNAL', `The thread that decodes rows has ended${reason}`, {
      cause,
    });
    for (const asked of this.#asked.splice(0)) asked.reject(this.#failure);
  }
}
