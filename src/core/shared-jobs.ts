import type { Engine, JobHandle, JobOutcome, JobRequest, StartOptions } from './engine.ts';
import { asBifractError, BifractError, cancelled } from './errors.ts';
import type { JobEvent } from './events.ts';
import { type JobRunner, jobId } from './job-runner.ts';
import { started } from './perform.ts';
import type { Services } from './services.ts';

/** How the jobs of an engine are run. */
export type Jobs = Pick<Engine, 'start' | 'cancel' | 'outlives' | 'subscribe'> & {
  /** Ends what ends with this process, and waits for it to clean up. */
  end(reason: BifractError): Promise<void>;
};

const LOOK_MS = 1_000;
/** The first look waits for the first frame. */
const FIRST_LOOK_MS = 150;
/** How long ago a job may have ended that is told of as if it were new here. */
const RECENT_MS = 86_400_000;

/**
 * Jobs in processes of their own, and those of all other processes of the installation: whoever subscribes hears of
 * every one. Where no process can be started a job runs in this one, and ends with it.
 */
export class SharedJobs implements Jobs {
  readonly #services: Services;
  readonly #here: JobRunner;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  /** Jobs that are followed, or were. */
  readonly #known = new Set<string>();
  readonly #starting = new Map<string, Promise<void>>();
  readonly #over = new AbortController();
  #look: NodeJS.Timeout | undefined;
  #first = true;

  /** `here` runs what cannot be run elsewhere. */
  constructor(services: Services, here: JobRunner) {
    this.#services = services;
    this.#here = here;
    here.subscribe((event) => this.#tell(event));
  }

  start(
    request: JobRequest,
    { id = jobId(request.kind, this.#services.now()) }: StartOptions = {},
  ): JobHandle {
    const { promise: outcome, resolve } = Promise.withResolvers<JobOutcome>();
    this.#known.add(id);
    const starting = this.#begin(id, request);
    this.#starting.set(
      id,
      starting.then(() => void this.#starting.delete(id)),
    );
    void starting.then(async (here) => {
      resolve(await (here?.outcome ?? this.#follow(id)));
    });
    return { id, kind: request.kind, outcome };
  }

  cancel(job: string, reason = cancelled()) {
    void this.#cancel(job, reason).catch((error: unknown) => {
      if (this.#over.signal.aborted) return;
      this.#tell({ ...this.#stamp(job), event: 'job:warning', message: asBifractError(error).message });
    });
  }

  outlives(job: string) {
    return !this.#here.runs(job);
  }

  subscribe(listener: (event: JobEvent) => void) {
    this.#listeners.add(listener);
    this.#look ??= setTimeout(() => void this.#lookAround(), FIRST_LOOK_MS);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async end(reason: BifractError) {
    clearTimeout(this.#look);
    // An order that is half handed over would be lost.
    await Promise.allSettled(this.#starting.values());
    this.#over.abort(reason);
    await this.#here.end(reason);
  }

  /** Begins a job in a process of its own; where that cannot be, in this one, and returns its handle. */
  async #begin(id: string, request: JobRequest): Promise<JobHandle | undefined> {
    const { installation, starter, owner } = this.#services;
    // The caller gets its handle, and can subscribe, before the first event.
    await Promise.resolve();
    const by = owner();
    // Told again once it has begun: until then nobody is to think that the key was not heard.
    this.#tell({ ...this.#stamp(id), event: 'job:started', ...started(request), by });
    if (installation.read_only) return this.#here.start(request, { id });
    try {
      await starter.start(id, { request, by });
      return undefined;
    } catch (error) {
      const message = `This job ends with the console: ${asBifractError(error).message}`;
      this.#tell({ ...this.#stamp(id), event: 'job:warning', message });
      return this.#here.start(request, { id });
    }
  }

  async #cancel(job: string, reason: BifractError): Promise<void> {
    await this.#starting.get(job);
    if (this.#here.runs(job)) this.#here.cancel(job, reason);
    else await this.#services.board.cancel(job, { signal: this.#over.signal });
  }

  /** Tells the events of a job to its end. Never rejects: what cannot be followed any more has ended for us. */
  async #follow(id: string): Promise<JobOutcome> {
    try {
      for await (const event of this.#services.board.follow(id, { signal: this.#over.signal })) {
        this.#tell(event);
        if (isEnd(event)) return event;
      }
      throw new BifractError('INTERNAL', 'The job fell silent');
    } catch (error) {
      const end = { ...this.#stamp(id), event: 'job:failed', error: asBifractError(error).report() } as const;
      if (!this.#over.signal.aborted) this.#tell(end);
      return end;
    }
  }

  /** Finds jobs of other processes: the first time those that run or have ended lately, then whatever is new. */
  async #lookAround(): Promise<void> {
    const { board, now } = this.#services;
    try {
      const ids = (await board.ids()).filter((id) => !this.#known.has(id)).sort(byStart);
      for (const id of ids) {
        const job = await board.find(id);
        const last = job?.events.at(-1);
        // Its first event is about to be written.
        if (!job || !last) continue;
        this.#known.add(id);
        const isOld = now().getTime() - Date.parse(last.time) > RECENT_MS;
        if (this.#over.signal.aborted || (this.#first && !job.live && isOld)) continue;
        if (job.live) void this.#follow(id);
        else for (const event of job.events) this.#tell(event);
      }
      this.#first = false;
    } catch {
      // A state folder that cannot be read now may be at the next look.
    }
    if (!this.#over.signal.aborted) this.#look = setTimeout(() => void this.#lookAround(), LOOK_MS).unref();
  }

  #stamp(job: string) {
    return { job, time: this.#services.now().toISOString() };
  }

  #tell(event: JobEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A listener that breaks is its own trouble; the job goes on.
      }
    }
  }
}

function isEnd(event: JobEvent): event is JobOutcome {
  return event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
}

/** Ids end with the time of their start and a random part. */
function byStart(one: string, other: string): number {
  const [a, b] = [one.slice(-22), other.slice(-22)];
  return a < b ? -1 : Number(a > b);
}
