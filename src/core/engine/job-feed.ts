import { asBifractError, BifractError } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import type { EngineServices, JobOutcome } from './contract.ts';

const POLL_MS = 1_000;
/** Waits until the first frame is drawn. */
const FIRST_POLL_MS = 150;
/** Jobs that ended longer ago are not replayed, ms. */
const RECENT_MS = 86_400_000;

/**
 * The events of jobs, for the subscribers of an engine: of this process and, if it is shared, of all processes of the
 * installation. A shared feed replays the events of running and recently ended jobs first.
 */
export class JobFeed {
  readonly #services: Pick<EngineServices, 'jobBus' | 'now'>;
  readonly #shared: boolean;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  /** Jobs that run here, or are or were followed. */
  readonly #known = new Set<string>();
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #first = true;

  constructor(services: Pick<EngineServices, 'jobBus' | 'now'>, { shared }: { shared: boolean }) {
    this.#services = services;
    this.#shared = shared;
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#shared) this.#timer ??= setTimeout(() => void this.#discoverJobs(), FIRST_POLL_MS);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Passes an event to all subscribers. */
  add(event: JobEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A failing listener must not affect the job.
      }
    }
  }

  /** Leaves the events of a job to the caller: it is not discovered. */
  claim(id: string): void {
    this.#known.add(id);
  }

  /** Passes on the events of a job of another process until it ends. Never rejects: a lost job counts as failed. */
  async follow(id: string): Promise<JobOutcome> {
    const { signal } = this.#closed;
    this.claim(id);
    try {
      for await (const event of this.#services.jobBus.follow(id, { signal })) {
        this.add(event);
        if (isOutcome(event)) return event;
      }
      throw new BifractError('INTERNAL', 'Lost contact with the job');
    } catch (error) {
      const time = this.#services.now().toISOString();
      const end = { event: 'job:failed', job: id, time, error: asBifractError(error).report() } as const;
      if (!signal.aborted) this.add(end);
      return end;
    }
  }

  /** Stops following jobs of other processes. */
  close(reason: BifractError): void {
    clearTimeout(this.#timer);
    this.#closed.abort(reason);
  }

  /** Finds jobs of other processes: at first running and recent ones, then new ones. */
  async #discoverJobs(): Promise<void> {
    try {
      const ids = (await this.#services.jobBus.ids()).filter((id) => !this.#known.has(id));
      for (const id of ids.sort(byStart)) await this.#discover(id);
      this.#first = false;
    } catch {
      // The state folder may be readable again at the next poll.
    }
    if (!this.#closed.signal.aborted)
      this.#timer = setTimeout(() => void this.#discoverJobs(), POLL_MS).unref();
  }

  async #discover(id: string): Promise<void> {
    const { jobBus, now } = this.#services;
    const oldest = now().getTime() - RECENT_MS;
    if (this.#first && (await jobBus.endedBefore(id, oldest))) return this.claim(id);
    const job = await jobBus.find(id);
    const last = job?.events.at(-1);
    // Its first event is not written yet.
    if (!job || !last || this.#known.has(id)) return;
    this.claim(id);
    const isOld = Date.parse(last.time) < oldest;
    if (this.#closed.signal.aborted || (this.#first && !job.live && isOld)) return;
    if (job.live) void this.follow(id);
    else for (const event of job.events) this.add(event);
  }
}

function isOutcome(event: JobEvent): event is JobOutcome {
  return event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
}

/** Ids end with the start time and a random part. */
function byStart(one: string, other: string): number {
  const [a, b] = [one.slice(-22), other.slice(-22)];
  return a < b ? -1 : Number(a > b);
}
