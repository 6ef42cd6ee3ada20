import { DecodeThread } from './decode-thread.ts';

/** Keeps a thread from one answer to the next: to start one takes longer than to decode a small answer. Must be closed. */
export class DecodeThreads {
  #resting: DecodeThread | undefined;
  #closed = false;

  /** A thread for the answer of a query, to be given back. */
  take(fractal_id: string): DecodeThread {
    const kept = this.#resting?.ended ? undefined : this.#resting;
    const thread = kept ?? new DecodeThread();
    this.#resting = undefined;
    thread.begin(fractal_id);
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
