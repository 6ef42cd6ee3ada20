import { setTimeout as wait } from 'node:timers/promises';
import { BifractError, readOnly } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import { fold, type JobView, newEntry, viewOf } from '../job/store.ts';
import type { BusJob, JobBus } from '../ports/job-bus.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Services } from '../ports/services.ts';
import type { CallOptions } from '../ports/types.ts';
import { type JobRequest, jobTypeOf } from './jobs.ts';
import { interruptedRecords } from './leftovers.ts';
import { idsOf } from './resumable.ts';

/** A job of any process of the installation. */
export interface KnownJob extends JobView {
  /** Whether its process is running. */
  live: boolean;
  /** Its process ended, and left something that a later job cleans up or resumes. */
  unsettled: boolean;
}

/** Queries about the jobs of all consoles, cron jobs and shells of the installation. */
export interface JobQueries {
  /** Running jobs first, then ended ones, newest first. */
  knownJobs(options?: CallOptions): Promise<KnownJob[]>;
  /** Completes the id of a job or a queued one, given in full or by its last characters. `NOT_FOUND`; `USAGE` if ambiguous. */
  findJob(id: string): Promise<string>;
  /**
   * All events of a job, live while it runs; those of a queued one when it has started. `NOT_FOUND`, `CANCELLED` if it
   * was removed from the queue.
   */
  follow(job: string, options?: CallOptions): AsyncIterable<JobEvent>;
  /** Cancels a job of any process; its final event follows. `NOT_FOUND` if it is not running, `BUSY`, `READ_ONLY`. */
  requestCancel(job: string, options?: CallOptions): Promise<void>;
  /** Ids of jobs, archives and groups whose interrupted work can be resumed. */
  resumable(options?: CallOptions): Promise<string[]>;
  /**
   * The request that resumes interrupted work, given the id of the job, archive or group. `NOT_FOUND` if no
   * partial data is left.
   */
  resumeRequest(id: string, options?: CallOptions): Promise<JobRequest>;
}

type JobServices = Pick<Services, 'state' | 'catalog' | 'now' | 'installation'> & {
  readonly jobBus: JobBus<JobEvent>;
  readonly queue: Pick<JobQueue, 'read'>;
};

/** How often a follower of a queued job looks whether it has started. */
const POLL_MS = 500;
/** How long a cancel waits for a job that is being started. */
const START_MS = 10_000;

/** Job queries on an installation's services. */
export class JobQueryService implements Omit<JobQueries, 'resumable'> {
  readonly #services: JobServices;
  /** Jobs that have ended: their journals do not change any more, and there may be many. */
  readonly #ended = new Map<string, JobView>();

  constructor(services: JobServices) {
    this.#services = services;
  }

  async knownJobs({ signal }: CallOptions = {}): Promise<KnownJob[]> {
    const { jobBus, state, now } = this.#services;
    const interrupted = (await state.interrupted()).map(({ id }) => id);
    // The archives of a scheduled run have records of their own, numbered after the run.
    const isUnsettled = (id: string) => interrupted.some((one) => one === id || one.startsWith(`${id}-`));
    const jobs: KnownJob[] = [];
    const ids = await jobBus.ids();
    for (const id of this.#ended.keys()) if (!ids.includes(id)) this.#ended.delete(id);
    for (const id of ids) {
      signal?.throwIfAborted();
      const ended = this.#ended.get(id);
      const job = ended ? undefined : await jobBus.find(id);
      // No event yet: the job is starting, or the disk was full.
      const view = ended ?? (job && job.events.length > 0 ? viewOfAll(job, now()) : undefined);
      if (!view) continue;
      const live = job?.live ?? false;
      if (!live) this.#ended.set(id, view);
      jobs.push({ ...view, live, unsettled: isUnsettled(id) });
    }
    return jobs.sort((a, b) => Number(b.live) - Number(a.live) || b.started_at - a.started_at);
  }

  async findJob(wanted: string): Promise<string> {
    const queued = (await this.#services.queue.read()).map(({ id }) => id);
    const ids = [...new Set([...(await this.#services.jobBus.ids()), ...queued])];
    if (ids.includes(wanted)) return wanted;
    const [found, ...others] = ids.filter((id) => id.endsWith(`-${wanted}`));
    if (found === undefined) {
      throw new BifractError('NOT_FOUND', `Job not found: ${wanted}`, {
        hint: 'List all known jobs with `bifract jobs --all`.',
      });
    }
    if (others.length > 0)
      throw new BifractError('USAGE', `Ambiguous job ID: several jobs end with ${wanted}`);
    return found;
  }

  async *follow(job: string, options: CallOptions = {}): AsyncIterable<JobEvent> {
    await this.#untilStarted(job, options);
    yield* this.#services.jobBus.follow(job, options);
  }

  async requestCancel(job: string, options?: CallOptions): Promise<void> {
    const { installation, jobBus } = this.#services;
    if (installation.read_only) throw readOnly();
    const limit = AbortSignal.timeout(START_MS);
    const signal = options?.signal ? AbortSignal.any([options.signal, limit]) : limit;
    await this.#untilStarted(job, { signal }).catch((error: unknown) => {
      options?.signal?.throwIfAborted();
      throw limit.aborted ? stillStarting(job) : error;
    });
    await jobBus.cancel(job, options);
  }

  /** Waits while a job is queued. */
  async #untilStarted(job: string, { signal }: CallOptions): Promise<void> {
    const { queue, jobBus } = this.#services;
    for (let queued = false; ; queued = true) {
      if ((await jobBus.ids()).includes(job)) return;
      if (!(await queue.read()).some(({ id }) => id === job)) {
        // It may have started in the meantime.
        if (!queued || (await jobBus.ids()).includes(job)) return;
        throw new BifractError('CANCELLED', `Job ${job} was removed from the queue`);
      }
      await wait(POLL_MS, undefined, { signal });
    }
  }

  async resumeRequest(id: string, options?: CallOptions): Promise<JobRequest> {
    const record = (await interruptedRecords(this.#services.state)).find((one) => idsOf(one).includes(id));
    const request = record && (await jobTypeOf(record)?.resumeRequest?.(this.#services, record, options));
    if (request) return request as JobRequest;
    throw new BifractError('NOT_FOUND', 'Cannot resume: no partial data is left', {
      hint: 'Start it again.',
    });
  }
}

function stillStarting(job: string): BifractError {
  return new BifractError('BUSY', `Job ${job} is being started`, { hint: 'Try again in a few seconds.' });
}

function viewOfAll({ id, events }: BusJob<JobEvent>, now: Date): JobView {
  const entry = newEntry(id, Date.parse(events[0]?.time ?? ''));
  for (const event of events) fold(entry, event, Date.parse(event.time), now.getTime());
  return viewOf(entry);
}
