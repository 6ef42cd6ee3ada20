import type { JobOwner } from './job-bus.ts';

/** What the process of a job receives on stdin. */
export interface LaunchRequest {
  /** A `JobRequest`. */
  request: object;
  by: JobOwner;
}

/** Starts jobs in detached processes, which outlive this one. */
export interface JobLauncher {
  /** Resolves once the job is running and visible to other processes; rejects if it did not start. */
  start(id: string, request: LaunchRequest): Promise<void>;
}
