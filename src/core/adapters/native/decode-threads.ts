import { DecodeThread } from './decode-thread.ts';
import type { AnswerOf } from './line-feed.ts';

/** Keeps a thread from one answer to the next: to start one takes longer than to decode a small answer. Must be closed. */
export class DecodeThreads {
  #resting: DecodeThread | undefined;
  #closed = false;

  /** Starts a thread, unless one waits: it comes up while the query is on its way. */
  prepare(): void {
    if (this.#closed || (this.#resting && !this.#resting.ended)) return;
    this.#resting = new DecodeThread();
    this.#resting.rest();
  }

  /** A thread for the answer of a query, to be given back. */
  take(of: AnswerOf): DecodeThread {
    const kept = this.#resting?.ended ? undefined : this.#resting;
    const thread = kept ?? new DecodeThread();
    this.#resting = undefined;
    thread.begin(of);
    return thread;
  }

  /** Takes a thread back. One that failed, or has not come to the end of its answer, ends. */
  async give(thread: DecodeThread): Promise<void> {
    if (this.#closed || this.#resting || !thread.rest()) return thread.close();
    this.#resting = thread;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#resting?.close();
    this.#resting = undefined;
  }
}
