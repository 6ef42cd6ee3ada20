import { asBifractError, BifractError, cancelled } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import type { Engine, JobHandle, JobOutcome, StartOptions } from './contract.ts';
import type { JobRequest } from './jobs.ts';
import { startedEvent } from './perform.ts';
import { type JobRunner, jobId } from './runner.ts';
import type { EngineServices } from './services.ts';

/** How an engine runs jobs. */
export type JobControl = Pick<Engine, 'start' | 'cancel' | 'outlives' | 'subscribe'> & {
  /** Stops jobs of this process and waits for their clean-up. */
  shutdown(reason: BifractError): Promise<void>;
};

const POLL_MS = 1_000;
/** Waits until the first frame is drawn. */
const FIRST_POLL_MS = 150;
/** Jobs that ended longer ago are not replayed, ms. */
const RECENT_MS = 86_400_000;

/**
 * Runs jobs in their own processes, and reports the events of all jobs of the installation to subscribers. If
 * no process can be started, the job runs in this one and ends with it.
 */
export class JobSupervisor implements JobControl {
  readonly #services: EngineServices;
  readonly #local: JobRunner;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  /** Jobs that are or were followed. */
  readonly #known = new Set<string>();
  readonly #starting = new Map<string, Promise<void>>();
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #first = true;

  /** `local` runs jobs that cannot get their own process. */
  constructor(services: EngineServices, local: JobRunner) {
    this.#services = services;
    this.#local = local;
    local.subscribe((event) => this.#notify(event));
  }

  start(
    request: JobRequest,
    { id = jobId(request.kind, this.#services.now()) }: StartOptions = {},
  ): JobHandle {
    const { promise: outcome, resolve } = Promise.withResolvers<JobOutcome>();
    this.#known.add(id);
    const starting = this.#launch(id, request);
    this.#starting.set(
      id,
      starting.then(() => void this.#starting.delete(id)),
    );
    void starting.then(async (local) => {
      resolve(await (local?.outcome ?? this.#follow(id)));
    });
    return { id, kind: request.kind, outcome };
  }

  cancel(job: string, reason = cancelled()) {
    void this.#cancel(job, reason).catch((error: unknown) => {
      if (this.#closed.signal.aborted) return;
      this.#notify({ ...this.#stamp(job), event: 'job:warning', message: asBifractError(error).message });
    });
  }

  outlives(job: string) {
    return !this.#local.isRunning(job);
  }

  subscribe(listener: (event: JobEvent) => void) {
    this.#listeners.add(listener);
    this.#timer ??= setTimeout(() => void this.#discoverJobs(), FIRST_POLL_MS);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async shutdown(reason: BifractError) {
    clearTimeout(this.#timer);
    // Wait for pending launches, or their requests would be lost.
    await Promise.allSettled(this.#starting.values());
    this.#closed.abort(reason);
    await this.#local.shutdown(reason);
  }

  /** Launches a process for the job; if that fails, runs it here and returns its handle. */
  async #launch(id: string, request: JobRequest): Promise<JobHandle | undefined> {
    const { installation, launcher: starter, owner } = this.#services;
    // Lets the caller subscribe before the first event.
    await Promise.resolve();
    const by = owner();
    // Gives feedback at once; the event is repeated when the job starts.
    this.#notify({ ...this.#stamp(id), event: 'job:started', ...startedEvent(request), by });
    if (installation.read_only) return this.#local.start(request, { id });
    try {
      await starter.start(id, { request, by });
      return undefined;
    } catch (error) {
      const message = `This job stops when the console is closed: ${asBifractError(error).message}`;
      this.#notify({ ...this.#stamp(id), event: 'job:warning', message });
      return this.#local.start(request, { id });
    }
  }

  async #cancel(job: string, reason: BifractError): Promise<void> {
    await this.#starting.get(job);
    if (this.#local.isRunning(job)) this.#local.cancel(job, reason);
    else await this.#services.jobBus.cancel(job, { signal: this.#closed.signal });
  }

  /**
   * Reports the events of a job until it ends. Never rejects: a job that cannot be followed counts as ended.
   */
  async #follow(id: string): Promise<JobOutcome> {
    try {
      for await (const event of this.#services.jobBus.follow(id, { signal: this.#closed.signal })) {
        this.#notify(event);
        if (isEnd(event)) return event;
      }
      throw new BifractError('INTERNAL', 'Lost contact with the job');
    } catch (error) {
      const end = { ...this.#stamp(id), event: 'job:failed', error: asBifractError(error).report() } as const;
      if (!this.#closed.signal.aborted) this.#notify(end);
      return end;
    }
  }

  /** Finds jobs of other processes: at first running and recent ones, then new ones. */
  async #discoverJobs(): Promise<void> {
    const { jobBus: board, now } = this.#services;
    try {
      const ids = (await board.ids()).filter((id) => !this.#known.has(id)).sort(byStart);
      for (const id of ids) {
        const job = await board.find(id);
        const last = job?.events.at(-1);
        // Its first event is not written yet.
        if (!job || !last) continue;
        this.#known.add(id);
        const isOld = now().getTime() - Date.parse(last.time) > RECENT_MS;
        if (this.#closed.signal.aborted || (this.#first && !job.live && isOld)) continue;
        if (job.live) void this.#follow(id);
        else for (const event of job.events) this.#notify(event);
      }
      this.#first = false;
    } catch {
      // The state folder may be readable again at the next poll.
    }
    if (!this.#closed.signal.aborted)
      this.#timer = setTimeout(() => void this.#discoverJobs(), POLL_MS).unref();
  }

  #stamp(job: string) {
    return { job, time: this.#services.now().toISOString() };
  }

  #notify(event: JobEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A failing listener must not affect the job.
      }
    }
  }
}

function isEnd(event: JobEvent): event is JobOutcome {
  return event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
}

/** Ids end with the start time and a random part. */
function byStart(one: string, other: string): number {
  const [a, b] = [one.slice(-22), other.slice(-22)];
  return a < b ? -1 : Number(a > b);
}
