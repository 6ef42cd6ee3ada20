import type { JobOwner } from './job-board.ts';

/** What the process of a job is told. */
export interface JobOrder {
  /** A `JobRequest`. */
  request: object;
  by: JobOwner;
}

/** Starts jobs in processes of their own, which outlive the one that started them. */
export interface JobStarter {
  /** Resolves once the job has begun and every process of the installation can see it; rejects where it has not. */
  start(id: string, order: JobOrder): Promise<void>;
}
