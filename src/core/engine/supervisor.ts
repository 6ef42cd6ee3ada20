import { asBifractError, type BifractError, cancelled, readOnly } from '../contract/errors.ts';
import type { Engine, EngineServices, JobHandle, JobOutcome, StartOptions } from './contract.ts';
import type { JobFeed } from './job-feed.ts';
import { jobId } from './job-id.ts';
import { describeJob, type JobRequest } from './jobs.ts';
import type { JobRunner } from './runner.ts';

/** How an engine runs jobs. */
export type JobControl = Pick<Engine, 'start' | 'cancel' | 'outlives'> & {
  /** Stops jobs of this process and waits for their clean-up. */
  shutdown(reason: BifractError): Promise<void>;
};

/**
 * Runs jobs in their own processes and adds their events to the feed. If no process can be started, the job runs in
 * this one and ends with it.
 */
export class JobSupervisor implements JobControl {
  readonly #services: EngineServices;
  readonly #feed: JobFeed;
  readonly #local: JobRunner;
  readonly #starting = new Map<string, Promise<void>>();
  readonly #closed = new AbortController();

  /** `local` runs jobs that cannot get their own process. */
  constructor(services: EngineServices, feed: JobFeed, local: JobRunner) {
    this.#services = services;
    this.#feed = feed;
    this.#local = local;
  }

  start<Request extends JobRequest>(
    request: Request,
    { id = jobId(request.kind, this.#services.now()) }: StartOptions = {},
  ): JobHandle<Request['kind']> {
    const { promise: outcome, resolve } = Promise.withResolvers<JobOutcome<Request['kind']>>();
    this.#feed.claim(id);
    const starting = this.#launch(id, request);
    this.#starting.set(
      id,
      starting.then(() => void this.#starting.delete(id)),
    );
    void starting.then(async (local) => {
      // The result is that of the request, whichever process made it.
      resolve((await (local?.outcome ?? this.#feed.follow(id))) as JobOutcome<Request['kind']>);
    });
    return { id, ...describeJob(request), outcome };
  }

  cancel(job: string, reason = cancelled()) {
    void this.#cancel(job, reason).catch((error: unknown) => {
      if (this.#closed.signal.aborted) return;
      const time = this.#services.now().toISOString();
      this.#feed.add({ event: 'job:warning', job, time, message: asBifractError(error).message });
    });
  }

  outlives(job: string) {
    return !this.#local.isRunning(job);
  }

  async shutdown(reason: BifractError) {
    // Wait for pending launches, or their requests would be lost.
    await Promise.allSettled(this.#starting.values());
    this.#closed.abort(reason);
    await this.#local.shutdown(reason);
  }

  /** Launches a process for the job; if that fails, runs it here and returns its handle. */
  async #launch(id: string, request: JobRequest): Promise<JobHandle | undefined> {
    const { installation, launcher, owner } = this.#services;
    // Lets the caller subscribe before the first event.
    await Promise.resolve();
    if (installation.read_only) return this.#local.start(request, { id });
    try {
      await launcher.start(id, { request, by: owner() });
      return undefined;
    } catch (error) {
      const warning = `Runs inside the console and stops when you quit: ${asBifractError(error).message}`;
      return this.#local.start(request, { id, warning });
    }
  }

  async #cancel(job: string, reason: BifractError): Promise<void> {
    await this.#starting.get(job);
    if (this.#local.isRunning(job)) this.#local.cancel(job, reason);
    else if (this.#services.installation.read_only) throw readOnly();
    else await this.#services.jobBus.cancel(job, { signal: this.#closed.signal });
  }
}
