import { BifractError } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import { fold, type JobView, newEntry, viewOf } from '../job/store.ts';
import type { BusJob, JobBus } from '../ports/job-bus.ts';
import type { Services } from '../ports/services.ts';
import type { JobRecord } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { type JobRequest, jobTypeOf } from './jobs.ts';
import { interruptedRecords } from './leftovers.ts';

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
  /** Completes a job id given in full or by its last characters. `NOT_FOUND`; `USAGE` if ambiguous. */
  findJob(id: string): Promise<string>;
  /** All events of a job, live while it runs. `NOT_FOUND`. */
  follow(job: string, options?: CallOptions): AsyncIterable<JobEvent>;
  /** Cancels a job of any process; its final event follows. `NOT_FOUND` if it is not running, `BUSY`. */
  requestCancel(job: string, options?: CallOptions): Promise<void>;
  /**
   * The request that resumes interrupted work, given the id of the job, archive or group. `NOT_FOUND` if no
   * partial data is left.
   */
  resumeRequest(id: string, options?: CallOptions): Promise<JobRequest>;
}

type JobServices = Pick<Services, 'state' | 'catalog' | 'now'> & { readonly jobBus: JobBus<JobEvent> };

/** Job queries on an installation's services. */
export class JobQueryService implements JobQueries {
  readonly #services: JobServices;

  constructor(services: JobServices) {
    this.#services = services;
  }

  async knownJobs({ signal }: CallOptions = {}): Promise<KnownJob[]> {
    const { jobBus, state, now } = this.#services;
    const interrupted = (await state.interrupted()).map(({ id }) => id);
    // The archives of a scheduled run have records of their own, numbered after the run.
    const isUnsettled = (id: string) => interrupted.some((one) => one === id || one.startsWith(`${id}-`));
    const jobs: KnownJob[] = [];
    for (const id of await jobBus.ids()) {
      signal?.throwIfAborted();
      const job = await jobBus.find(id);
      // No event yet: the job is starting, or the disk was full.
      if (!job || job.events.length === 0) continue;
      jobs.push({ ...viewOfAll(job, now()), live: job.live, unsettled: isUnsettled(id) });
    }
    return jobs.sort((a, b) => Number(b.live) - Number(a.live) || b.started_at - a.started_at);
  }

  async findJob(wanted: string): Promise<string> {
    const ids = await this.#services.jobBus.ids();
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

  follow(job: string, options?: CallOptions): AsyncIterable<JobEvent> {
    return this.#services.jobBus.follow(job, options);
  }

  requestCancel(job: string, options?: CallOptions): Promise<void> {
    return this.#services.jobBus.cancel(job, options);
  }

  async resumeRequest(id: string, options?: CallOptions): Promise<JobRequest> {
    const record = (await interruptedRecords(this.#services.state)).find((one) => isAbout(one, id));
    const request = record && (await jobTypeOf(record)?.resumeRequest?.(this.#services, record, options));
    if (request) return request as JobRequest;
    throw new BifractError('NOT_FOUND', 'Cannot resume: no partial data is left', {
      hint: 'Start it again.',
    });
  }
}

function viewOfAll({ id, events }: BusJob<JobEvent>, now: Date): JobView {
  const entry = newEntry(id, Date.parse(events[0]?.time ?? ''));
  for (const event of events) fold(entry, event, Date.parse(event.time), now.getTime());
  return viewOf(entry);
}

function isAbout({ id, archive_id, archive, restoring }: JobRecord, wanted: string): boolean {
  return [id, archive_id, archive?.group_id, ...(restoring?.archive_ids ?? [])].includes(wanted);
}
