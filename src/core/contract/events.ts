import type { JobOwner } from '../ports/job-launcher.ts';
import type { Timestamp } from '../ports/types.ts';
import type { ErrorReport } from './errors.ts';

/** Progress of a job. Counts only grow. Values that do not apply or are not known are absent. */
export interface Progress {
  /** The current table, file or period. */
  item?: string;
  /** Rows done, and the expected total. */
  rows?: number;
  total_rows?: number;
  /**
   * Content bytes read before compression, and the estimated total; for jobs that read stored files, stored
   * bytes.
   */
  bytes_in?: number;
  total_bytes?: number;
  /** Bytes written to storage. */
  bytes_out?: number;
}

/** What a job is: its kind, what it does to what, and the fractal it works on, if it is exactly one. */
export interface JobDescription {
  kind: string;
  title: string;
  target?: { kind: 'fractal'; id: string };
}

/**
 * Events of a job by name, with their payload. Payloads are plain data in wire format: `--json` prints them
 * and the journal stores them unchanged.
 *
 * Order: `job:started`, then any number of phases, progress, retries, warnings and items, then exactly one of
 * `job:done`, `job:failed`, `job:cancelled`.
 */
export interface JobEventMap {
  /** Emitted once, by the process that runs the job. */
  'job:started': JobDescription & { by?: JobOwner };
  /** A new phase; its name is a short gerund ("Dumping"). */
  'job:phase': { phase: string };
  'job:progress': Progress;
  /** The job waits before it retries a failed step. */
  'job:retry': { attempt: number; wait_ms: number; reason: string };
  /** Something the user should know that did not stop the job. */
  'job:warning': { message: string };
  /** The job has finished one of its items and continues with the next. */
  'job:item': {
    item: string;
    ok: boolean;
    message: string;
    error?: ErrorReport;
    /** Details about the item. */
    details?: Record<string, unknown>;
  };
  'job:done': { result: object };
  'job:failed': { error: ErrorReport };
  'job:cancelled': { error: ErrorReport };
}

export type JobEventName = keyof JobEventMap;

/** An event as listeners receive it: the engine adds job id and time. */
export type JobEvent = {
  [Name in JobEventName]: { event: Name; job: string; time: Timestamp } & JobEventMap[Name];
}[JobEventName];

/** Reports an event. Never throws: a failing listener must not stop a job. */
export type Emit = <Name extends JobEventName>(event: Name, payload: JobEventMap[Name]) => void;
