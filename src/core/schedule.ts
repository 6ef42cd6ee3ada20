import type { Granularity } from './policy/periods.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

/** What a scheduled archive holds: all rows that are there, or those that no whole archive holds yet. */
export type ScheduleMode = 'full' | 'incremental';

/** A scheduled archive, or a group of them, that is one too many by `max_archives`. */
export interface SurplusItem {
  kind: 'group' | 'archive';
  /** Of the record. */
  id: string;
  created_at: Timestamp;
  /** How many files it has. */
  files: number;
  action: 'delete' | 'keep';
  /** Why it stays although it is one too many; null where it goes. */
  reason: string | null;
}

/** A fractal, and what its schedule and its `max_archives` ask for now. */
export interface DueItem {
  fractal_id: string;
  fractal_name: string;
  /** As it is set: `never`, `daily`, `weekly`, `monthly`. */
  schedule: string;
  split: Granularity;
  max_archives: number | null;
  action: 'archive' | 'skip';
  /** Why, in a few words for people. */
  reason: string;
  mode: ScheduleMode;
  /** Only rows before this time: those of periods that are over. Null: all. */
  to: Timestamp | null;
  /** Tries that failed since the last good archive. */
  failures: number;
  /** When it will be due, or is tried again; null where it is due now or that cannot be said. */
  next: Timestamp | null;
  /** The oldest first; once a new archive is made there may be one more. */
  surplus: SurplusItem[];
}

export interface DueQuery extends CallOptions {
  /**
   * What to archive. Where absent: `incremental`, but `full` for a fractal with `max_archives`, whose retention counts
   * archives of which each stands for itself.
   */
  mode?: ScheduleMode;
  /** Only this fractal. */
  fractal_id?: string;
}

export interface RunDueJobRequest {
  kind: 'run-due';
  mode?: ScheduleMode;
}

/** What came of one fractal. */
export interface DueOutcome {
  fractal_id: string;
  fractal_name: string;
  /** Whether it was due and its archive was made, had nothing new to hold, was not due, or failed. */
  action: 'archived' | 'nothing' | 'skipped' | 'failed';
  rows: number;
  size_bytes: number;
  files: number;
  /** Archives and groups that retention removed. */
  deleted: number;
  freed_bytes: number;
}

export interface RunDueSummary {
  archived: number;
  skipped: number;
  rows: number;
  size_bytes: number;
  deleted: number;
  freed_bytes: number;
  fractals: DueOutcome[];
  duration_ms: number;
}

/** What can be asked about schedules. */
export interface ScheduleQueries {
  /** Fractals that have a schedule or something to be removed by `max_archives`, in the order of names. */
  planDue(query?: DueQuery): Promise<DueItem[]>;
}
