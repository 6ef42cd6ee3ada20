import type { JobRequest } from './engine.ts';
import type { JobEvent } from './events.ts';
import type { JobView } from './job-fold.ts';
import type { CallOptions } from './ports/types.ts';

/** A job of some process on the installation. */
export interface KnownJob extends JobView {
  /** Whether its process runs. */
  live: boolean;
  /** Its process died, and what it left is not put right yet: the next job does that, and so does opening the console. */
  unsettled: boolean;
}

/** What can be asked about jobs of every console, cron and shell on the installation. */
export interface JobQueries {
  /** Those that run first, then those that ended, the newest first. */
  knownJobs(options?: CallOptions): Promise<KnownJob[]>;
  /** The full id of a job, given by that or by its last letters. `NOT_FOUND`, `USAGE` where several end so. */
  findJob(id: string): Promise<string>;
  /** Every event of a job from its first to its end, live where it runs. `NOT_FOUND`. */
  follow(job: string, options?: CallOptions): AsyncIterable<JobEvent>;
  /** Asks a job of any process to end; its own end tells how it went. `NOT_FOUND` where it does not run, `BUSY`. */
  askToEnd(job: string, options?: CallOptions): Promise<void>;
  /**
   * What is to be started to go on with work that ended too early: given by its job, or by the archive or the group that
   * it was writing. `NOT_FOUND` where nothing is left of it to go on with.
   */
  goOn(id: string, options?: CallOptions): Promise<JobRequest>;
}
