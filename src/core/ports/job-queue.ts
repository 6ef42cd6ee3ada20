import type { JobOwner } from './job-launcher.ts';
import type { Timestamp } from './types.ts';

/** A job that waits for its turn. The keys are persisted. */
export interface QueuedRecord {
  /** The id of the job, before it runs and from then on. */
  id: string;
  /** A `JobRequest`; what is in it is not checked. */
  request: { kind: string };
  queued_at: Timestamp;
  by: JobOwner;
  /** When a process was last started for it: if that succeeded, the job has a journal. Null before. */
  started_at: Timestamp | null;
  /** Why its process could not be started; null if that was not tried or has not failed. */
  problem: { code: string; message: string; hint: string } | null;
}

/**
 * The jobs of an installation that run one after another, shared by all its processes. It outlives them, and a reboot:
 * a job leaves it when it has ended.
 */
export interface JobQueue {
  /** The next one first; one that is running before all others. `STORAGE_FAILED` if it cannot be read. */
  read(): Promise<QueuedRecord[]>;
  /**
   * Replaces the queue by what `change` makes of it; one process at a time. It is on disk when this resolves. An error
   * of `change` is passed on, and nothing is changed.
   */
  change(change: (queue: readonly QueuedRecord[]) => readonly QueuedRecord[]): Promise<void>;
  /** Does the work of the only process that runs the queue; false, and no work, if there is one already. */
  runAlone(work: () => Promise<void>): Promise<boolean>;
  /** Whether a process runs the queue. */
  hasRunner(): Promise<boolean>;
}
