import type { ErrorReport } from './errors.ts';
import type { Timestamp } from './ports/types.ts';

/** What kinds of job the engine runs. */
export type JobKind =
  | 'backup'
  | 'archive'
  | 'verify'
  | 'adopt'
  | 'clean'
  | 'restore'
  | 'drill'
  | 'prune'
  | 'rotate-key'
  | 'run-due'
  | 'delete'
  | 'copy'
  | 'restore-archive';

/**
 * How far a job is. Counts only grow; a member that does not apply is absent, a total that is not known is
 * absent: nothing is ever invented.
 */
export interface Progress {
  /** What is being worked on now: a table, a file, a period. */
  item?: string;
  /** Rows done, and the rows expected in all. */
  rows?: number;
  total_rows?: number;
  /**
   * Content bytes read so far before compression, and the bytes expected in all (an estimate); of a job that
   * reads stored files, their stored bytes.
   */
  bytes_in?: number;
  total_bytes?: number;
  /** Bytes handed to storage so far. */
  bytes_out?: number;
}

/** Who started a job, and where it runs. */
export interface JobOwner {
  /** Name in the operating system. */
  user: string;
  /** Who became that user by sudo. */
  sudo_user?: string;
  host: string;
  /** The process that does the work. */
  pid: number;
  /** Where it was started: a terminal as `pts/3`, `cron`, `systemd`; null where that is not known. */
  from: string | null;
}

/**
 * All events of a job, by name, with their payload. Payloads are plain data in the spelling of the wire:
 * `--json` prints them as they are, the journal keeps them.
 *
 * Order: `job:started`, then any number of phases, progress, retries and warnings, then exactly one of
 * `job:done`, `job:failed`, `job:cancelled`.
 */
export interface JobEventMap {
  'job:started': { kind: JobKind; title: string; target?: { kind: 'fractal'; id: string }; by?: JobOwner };
  /** A new phase began; its name is a short phrase for people ("Dumping", "Comparing counts"). */
  'job:phase': { phase: string };
  'job:progress': Progress;
  /** The job waits before another try of what failed. */
  'job:retry': { attempt: number; wait_ms: number; reason: string };
  /** Something a person should know that did not stop the job. */
  'job:warning': { message: string };
  /** One of several things a job works on has ended; the job goes on with the next. */
  'job:item': {
    item: string;
    ok: boolean;
    message: string;
    error?: ErrorReport;
    /** What the job found out about it. */
    details?: Record<string, unknown>;
  };
  'job:done': { result: Record<string, unknown> };
  'job:failed': { error: ErrorReport };
  'job:cancelled': { error: ErrorReport };
}

export type JobEventName = keyof JobEventMap;

/** An event as listeners get it: stamped by the engine with the job's id and the time. */
export type JobEvent = {
  [Name in JobEventName]: { event: Name; job: string; time: Timestamp } & JobEventMap[Name];
}[JobEventName];

/** What a job gets to report with. Never throws: a broken listener must not end a job. */
export type Emit = <Name extends JobEventName>(event: Name, payload: JobEventMap[Name]) => void;
