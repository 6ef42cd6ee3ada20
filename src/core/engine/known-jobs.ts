import type { JobEvent } from '../contract/events.ts';
import type { JobView } from '../job/job-view.ts';
import type { CallOptions } from '../ports/types.ts';
import type { JobRequest } from './jobs.ts';

/** A job of any process of the installation. */
export interface KnownJob extends JobView {
  /** Whether its process is running. */
  live: boolean;
  /** Its process crashed and has not been cleaned up after yet; the next job or console does that. */
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
