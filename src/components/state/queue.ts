import { asBifractError, type Engine, type QueuedJob } from '../../core/index.ts';

/** The queue of the installation. Other processes change it too, so it is read again all the time. */
export interface Queue {
  /** The jobs in the queue, the next one first; one that is starting or running has position 0. */
  state(): readonly QueuedJob[];
  /** Reads it now. Never rejects. */
  refresh(): Promise<void>;
  /** Reads it now, and then regularly. */
  start(): void;
  close(): void;
}

const POLL_MS = 1_000;

/** `failed` gets a reason why the queue cannot be read, once. */
export function createQueue(
  engine: Pick<Engine, 'queuedJobs'>,
  { changed, failed }: { changed(): void; failed(message: string, hint: string | undefined): void },
): Queue {
  let state: readonly QueuedJob[] = [];
  let problem: string | undefined;
  let reads = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function refresh(): Promise<void> {
    const read = ++reads;
    try {
      const jobs = await engine.queuedJobs();
      problem = undefined;
      // A later read has newer jobs.
      if (closed || read !== reads || JSON.stringify(jobs) === JSON.stringify(state)) return;
      state = jobs;
      changed();
    } catch (error) {
      const { message, hint } = asBifractError(error);
      if (closed || message === problem) return;
      problem = message;
      failed(message, hint);
    }
  }

  async function poll(): Promise<void> {
    await refresh();
    if (!closed) timer = setTimeout(() => void poll(), POLL_MS).unref();
  }

  return {
    state: () => state,
    refresh,
    start: () => void poll(),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
