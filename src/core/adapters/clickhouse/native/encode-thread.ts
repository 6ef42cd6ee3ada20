import { Worker } from 'node:worker_threads';
import { BifractError } from '../../../contract/errors.ts';
import type { EncoderShape } from './line-encoder.ts';

/** Next to the source file, or next to the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './encode-thread-main.ts' : './encode-thread.js';

/** Limits of the JavaScript heap, which does not include buffers. */
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

/** Messages to the thread: a load starts; complete lines; the load has ended. */
export type ToEncoder = { start: EncoderShape } | { buffer: ArrayBuffer; length: number } | { finish: true };
/** Reply to each message except `start`: the buffer, to be refilled, complete blocks, and lines to send as text. */
export interface FromEncoder {
  buffer: ArrayBuffer | undefined;
  blocks: { memory: ArrayBuffer; length: number }[];
  text: Uint8Array;
}

/** Blocks in Native format, and lines to send as text. */
export interface EncodedLines {
  blocks: Buffer[];
  text: Buffer;
}

/** Runs a `LineEncoder` in a worker thread. Must be closed. */
export class EncodeThread {
  readonly #worker: Worker;
  readonly #pending: PromiseWithResolvers<EncodedLines>[] = [];
  readonly #onFree: (buffer: ArrayBuffer) => void;
  #failure: BifractError | undefined;

  /** `onFree` gets the buffers of lines back. */
  constructor(onFree: (buffer: ArrayBuffer) => void) {
    this.#onFree = onFree;
    this.#worker = new Worker(new URL(ENTRY, import.meta.url), { resourceLimits: LIMITS });
    this.#worker.on('message', (message: FromEncoder) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  /** Why the thread ended, if it did. */
  get failure(): BifractError | undefined {
    return this.#failure;
  }

  start(shape: EncoderShape): void {
    this.#worker.ref();
    const message: ToEncoder = { start: shape };
    this.#worker.postMessage(message);
  }

  /** Encodes the lines in the first `length` bytes of the buffer, which is transferred. Results resolve in call order. */
  add(buffer: ArrayBuffer, length: number): Promise<EncodedLines> {
    return this.#send({ buffer, length }, [buffer]);
  }

  finish(): Promise<EncodedLines> {
    return this.#send({ finish: true }, []);
  }

  /** Parks the thread, so that it does not keep the process alive; false if it cannot be reused. */
  park(): boolean {
    if (this.#failure || this.#pending.length > 0) return false;
    this.#worker.unref();
    return true;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(message: ToEncoder, transfer: ArrayBuffer[]): Promise<EncodedLines> {
    const pending = Promise.withResolvers<EncodedLines>();
    // A load that failed does not await the remaining results.
    pending.promise.catch(() => undefined);
    if (this.#failure) pending.reject(this.#failure);
    else {
      this.#pending.push(pending);
      this.#worker.postMessage(message, transfer);
    }
    return pending.promise;
  }

  #receive({ buffer, blocks, text }: FromEncoder): void {
    if (buffer) this.#onFree(buffer);
    this.#pending.shift()?.resolve({
      blocks: blocks.map(({ memory, length }) => Buffer.from(memory, 0, length)),
      text: Buffer.from(text.buffer, text.byteOffset, text.byteLength),
    });
  }

  #fail(cause: unknown): void {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    // The next attempt does not need it.
    this.#failure ??= new BifractError('INTERNAL', `The row encoder thread exited${reason}`, {
      cause,
      transient: true,
    });
    for (const pending of this.#pending.splice(0)) pending.reject(this.#failure);
  }
}
