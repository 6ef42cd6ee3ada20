import type { Granularity } from '../../policy/periods.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** What a scheduled archive contains: all rows, or those that no complete archive has yet. */
export type ScheduleMode = 'full' | 'incremental';

/** A scheduled archive, or a group of them, in excess of `max_archives`. */
export interface ExcessItem {
  kind: 'group' | 'archive';
  id: string;
  created_at: Timestamp;
  /** Number of files. */
  files: number;
  action: 'delete' | 'keep';
  /** Why it is kept although it is in excess; null if it is deleted. */
  reason: string | null;
}

/** A fractal, and what its schedule and `max_archives` require now. */
export interface DueItem {
  fractal_id: string;
  fractal_name: string;
  /** As configured: `never`, `daily`, `weekly`, `monthly`. */
  schedule: string;
  split: Granularity;
  max_archives: number | null;
  action: 'archive' | 'skip';
  /** Why, in a few words for the user. */
  reason: string;
  mode: ScheduleMode;
  /** Only rows before this time, the end of the last completed period; null: all rows. */
  to: Timestamp | null;
  /** Attempts that failed since the last successful archive. */
  failures: number;
  /** When it is due or tried again; null if it is due now or that is unknown. */
  next: Timestamp | null;
  /** The oldest first; a new archive may add one more. */
  surplus: ExcessItem[];
}

export interface DueQuery extends CallOptions {
  /**
   * What to archive. Default: `incremental`, but `full` for a fractal with `max_archives`, since retention requires
   * each archive to be self-contained.
   */
  mode?: ScheduleMode;
  /** Only this fractal. */
  fractal_id?: string;
}

export interface RunDueJobRequest {
  kind: 'run-due';
  mode?: ScheduleMode;
}

/** The outcome for one fractal. */
export interface DueOutcome {
  fractal_id: string;
  fractal_name: string;
  /** Its archive was made, it had no new rows, it was not due, or it failed. */
  action: 'archived' | 'nothing' | 'skipped' | 'failed';
  rows: number;
  size_bytes: number;
  files: number;
  /** Archives and groups deleted by retention. */
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

/** Queries about schedules. */
export interface ScheduleQueries {
  /** Fractals with a schedule, or with archives in excess of `max_archives`, by name. */
  planDue(query?: DueQuery): Promise<DueItem[]>;
}
