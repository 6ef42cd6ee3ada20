/** Who started a job, and where it runs. */
export interface JobOwner {
  /** Operating system user. */
  user: string;
  /** The user who called sudo. */
  sudo_user?: string;
  host: string;
  /** The process that runs the job. */
  pid: number;
  /** Where it was started: a terminal as `pts/3`, `cron`, `systemd`; null if unknown. */
  from: string | null;
}

/** What the process of a job receives on stdin. */
export interface LaunchRequest {
  /** A `JobRequest`. */
  request: object;
  by: JobOwner;
}

/** Starts detached processes, which outlive this one. */
export interface JobLauncher {
  /** Resolves once the job is running and visible to other processes; rejects if it did not start. */
  start(id: string, request: LaunchRequest): Promise<void>;
  /** Starts a process that runs the queue; it ends at once if there is one already. Rejects if it did not start. */
  startQueue(): Promise<void>;
}
