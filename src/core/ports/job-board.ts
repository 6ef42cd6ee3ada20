import type { BifractError } from '../errors.ts';
import type { JobEvent } from '../events.ts';

export type { JobEvent, JobKind, JobOwner } from '../events.ts';

/** A job as its journal tells it. */
export interface BoardJob {
  id: string;
  /** Whether its process runs. An ended job is not live, nor is one whose process is gone without a word. */
  live: boolean;
  /**
   * What it said, from its first event on; of much progress only the last. Of a job whose process is gone without a
   * word the last one is made up here: `job:failed` with `JOB_DIED`.
   */
  events: JobEvent[];
}

/** What a job of this process tells to other processes. */
export interface Publication {
  /** Hands an event on. Never throws, never waits. */
  add(event: JobEvent): void;
  /** To be called after the last event: resolves once it is on disk and sent, as far as that can be. */
  close(): Promise<void>;
}

/** What a job of this process is told from outside. */
export interface PublishOptions {
  /** Somebody wants it to end. */
  onCancel(reason: BifractError): void;
  /** Its journal cannot be written, as on a full disk; said once. */
  onTrouble(error: BifractError): void;
}

/** Where every process of an installation sees the jobs of every other. */
export interface JobBoard {
  /** Makes a job of this process known. Rejects where the state folder cannot be written. */
  publish(id: string, options: PublishOptions): Promise<Publication>;
  /** The ids of all jobs that are known, running or ended, in no order. */
  ids(): Promise<string[]>;
  /** What is known of a job; undefined for none, or one that was forgotten since. */
  find(id: string): Promise<BoardJob | undefined>;
  /**
   * All events of a job, from its first to its end, live where it runs. Ends with its end; that of a job whose
   * process dies meanwhile is `JOB_DIED`. `NOT_FOUND`.
   */
  follow(id: string, options?: { signal?: AbortSignal }): AsyncIterable<JobEvent>;
  /** Asks a job, of whatever process, to end. `NOT_FOUND` where none of that id runs, `BUSY` where it does not answer. */
  cancel(id: string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Forgets jobs of long ago, and removes what dead processes left to be talked to. Never rejects. */
  sweep(): Promise<void>;
}
