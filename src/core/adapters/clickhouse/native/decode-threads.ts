import { DecodeThread } from './decode-thread.ts';
import type { ResponseScope } from './line-assembler.ts';

/** Keeps one thread between responses, because starting a thread takes longer than decoding a small response. Must be closed. */
export class DecodeThreads {
  #idle: DecodeThread | undefined;
  #closed = false;

  /** Starts a thread ahead of the response, unless one is idle. */
  prepare(): void {
    if (this.#closed || (this.#idle && !this.#idle.ended)) return;
    this.#idle = new DecodeThread();
    this.#idle.park();
  }

  /** A thread for a response; must be released. */
  acquire(of: ResponseScope): DecodeThread {
    const kept = this.#idle?.ended ? undefined : this.#idle;
    const thread = kept ?? new DecodeThread();
    this.#idle = undefined;
    thread.start(of);
    return thread;
  }

  /** Takes a thread back. It is closed if it failed or has not finished its response. */
  async release(thread: DecodeThread): Promise<void> {
    if (this.#closed || this.#idle || !thread.park()) return thread.close();
    this.#idle = thread;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#idle?.close();
    this.#idle = undefined;
  }
}
