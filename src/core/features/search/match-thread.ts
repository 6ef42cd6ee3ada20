import { Worker } from 'node:worker_threads';
import { BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { SearchPattern } from './contract.ts';
import { LineMatcher, type MatchingLine, type TimeWindow } from './matcher.ts';

/** Next to the source file, or next to the bundle. */
const ENTRY = import.meta.url.endsWith('.ts') ? './match-thread-main.ts' : './match-thread.js';

/** A block of about 1.5 MiB takes milliseconds; a regular expression that backtracks without end takes years. */
const LIMIT_SECONDS = 10;

/** Finds the matching rows in blocks of complete lines. Must be closed. */
export interface BlockSearch {
  /** The first matching lines of a block, in order, by default all. Throws `TIMED_OUT` if that takes too long. */
  find(block: Buffer, options?: CallOptions & { limit?: number }): Promise<readonly MatchingLine[]>;
  close(): void;
}

/** What the thread is to match. */
export interface MatchTask {
  pattern: SearchPattern;
  window: TimeWindow;
}
/** A block of lines, which is sent back to be used again. */
export interface MatchRequest {
  buffer: ArrayBuffer;
  length: number;
  limit: number;
}
export interface MatchResponse {
  buffer: ArrayBuffer;
  lines: readonly MatchingLine[];
}

/**
 * Text is matched here, since that takes time in proportion to its length. A regular expression can take any time, which
 * cannot be interrupted: it is matched in a thread, which is ended when the search is. Throws `USAGE` for an invalid
 * pattern.
 */
export function searchBlocks(
  pattern: SearchPattern,
  window: TimeWindow = {},
  limit_seconds = LIMIT_SECONDS,
): BlockSearch {
  const matcher = new LineMatcher(pattern, window);
  if ('regex' in pattern) return new MatchThread({ pattern, window }, limit_seconds);
  return {
    find: async (block, { limit, signal } = {}) => {
      signal?.throwIfAborted();
      return matcher
        .find(block)
        .take(limit ?? Number.POSITIVE_INFINITY)
        .toArray();
    },
    close() {},
  };
}

/** Runs a `LineMatcher` in a thread, one block at a time. */
class MatchThread implements BlockSearch {
  readonly #task: MatchTask;
  readonly #limit_seconds: number;
  #worker: Worker | undefined;
  #answer: PromiseWithResolvers<MatchResponse> | undefined;
  #buffer = new ArrayBuffer(0);

  constructor(task: MatchTask, limit_seconds: number) {
    this.#task = task;
    this.#limit_seconds = limit_seconds;
  }

  async find(
    block: Buffer,
    { limit = Number.POSITIVE_INFINITY, signal }: CallOptions & { limit?: number } = {},
  ): Promise<readonly MatchingLine[]> {
    signal?.throwIfAborted();
    if (block.length === 0) return [];
    const worker = this.#start();
    const buffer = this.#buffer.byteLength < block.length ? new ArrayBuffer(block.length) : this.#buffer;
    new Uint8Array(buffer).set(block);
    const answer = Promise.withResolvers<MatchResponse>();
    this.#answer = answer;
    const stop = () => answer.reject(signal?.reason);
    const timer = everySecond((seconds) => {
      if (seconds >= this.#limit_seconds) answer.reject(this.#tooSlow());
    });
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const request: MatchRequest = { buffer, length: block.length, limit };
      worker.postMessage(request, [buffer]);
      const { buffer: returned, lines } = await answer.promise;
      this.#buffer = returned;
      return lines;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', stop);
      worker.unref();
    }
  }

  /** Ends the thread; the next search starts another one. */
  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#buffer = new ArrayBuffer(0);
  }

  #tooSlow(): BifractError {
    const { pattern } = this.#task;
    const text = 'regex' in pattern ? `/${pattern.regex}/${pattern.flags ?? ''}` : pattern.text;
    const message = `The regular expression ${text} takes too long: stopped after ${this.#limit_seconds} seconds`;
    return new BifractError('TIMED_OUT', message, {
      hint: 'A repetition within a repetition, such as (a+)+, can take forever: write it as a+, or search for a text.',
    });
  }

  #start(): Worker {
    if (this.#worker) {
      this.#worker.ref();
      return this.#worker;
    }
    const worker = new Worker(new URL(ENTRY, import.meta.url), { workerData: this.#task });
    this.#worker = worker;
    worker.on('message', (response: MatchResponse) => {
      // A thread that is being ended may still answer the search before.
      if (worker === this.#worker) this.#answer?.resolve(response);
    });
    worker.on('error', (error) => this.#answer?.reject(error));
    return worker;
  }
}

/** Counts seconds in which this process ran: while it is suspended, its threads stand still too. */
function everySecond(tick: (seconds: number) => void): NodeJS.Timeout {
  let seconds = 0;
  return setInterval(() => tick(++seconds), 1_000);
}
