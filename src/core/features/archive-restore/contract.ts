import type { ErrorReport } from '../../contract/errors.ts';
import type { NewFractal } from '../../ports/catalog.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/**
 * How rows are restored: straight into the table with all columns intact, or as raw lines through the server's
 * ingest.
 */
export type RestoreMethod = 'direct' | 'ingest';

/** What to restore, and where to. */
export interface ArchiveRestoreQuery extends CallOptions {
  /** Id of an archive or of a group, or a file's name or path. */
  source: string;
  /** Id of the target fractal; default: the archive's own. */
  into?: string;
  /** Name of a fractal to create as the target. */
  into_new?: string;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
  /** First delete the fractal's rows in that window; without one, in the time range of the archive. */
  replace?: boolean;
  via?: RestoreMethod;
  /** Number of inserts at a time; default: that of the settings, else by the server's cores and memory. */
  parallel?: number;
}

/** A file to restore rows from. */
export interface ArchiveRestoreFile {
  /** Null for a file without a record. */
  archive_id: string | null;
  name: string;
  path: string;
  size_bytes: number;
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Whether its rows include the parsed fields; without them, a direct restore leaves them empty. */
  fields: boolean;
  /** Whether its rows have their original lines. */
  raw_from: 'logs' | 'logs_raw' | 'none';
}

/** How restored rows will differ from the archived ones, because the tables of their releases differ. */
export interface RestoreDifferences {
  /** Columns that the table lacks: what the archive has of them is not restored. `raw_log` are the original lines. */
  lost: string[];
  /** Columns of the table that some of the files lack: restored rows get the default. */
  defaults: string[];
  /** Number of fields that every row of the table has, empty if the archived row lacks them. */
  typed_paths: number;
}

/** Rows that the server will delete again. */
export interface ExpiringRows {
  rows: number;
  /** False: an upper bound. */
  exact: boolean;
  /** For how long the fractal keeps rows. */
  days: number;
}

/** What a restore of an archive will do. The plan is frozen. */
export interface ArchiveRestorePlan {
  id: string;
  planned_at: Timestamp;
  files: ArchiveRestoreFile[];
  into: { id: string; name: string };
  /** The target if it does not exist yet. It is created once all rows are staged. */
  creates: NewFractal | null;
  from: Timestamp | null;
  to: Timestamp | null;
  via: RestoreMethod;
  replace: boolean;
  /** Time range in which `replace` deletes rows: `from ≤ timestamp < to`. Null if nothing is deleted. */
  removes: { from: Timestamp | null; to: Timestamp | null } | null;
  /** Number of inserts at a time, if it was given. */
  parallel?: number;
  /** Rows of the files in the window: exact without a window, otherwise an upper bound. */
  rows: number;
  content_bytes: number;
  /** Rows that the fractal has now, in the window and in the time range of the files; `replace` deletes them. */
  rows_there: number;
  /** Null if restored by ingest: the server then makes all columns. */
  differences: RestoreDifferences | null;
  /** Restored rows that are older than the retention of the fractal; null if there are none. */
  expires: ExpiringRows | null;
  /** Estimated from measured restores on similar machines. */
  estimate_ms: number;
  /** What to consider before the restore, one sentence each. */
  notes: string[];
  /** Why it cannot be done; empty if it can. */
  obstacles: ErrorReport[];
}

/** The result of a restore. */
export interface ArchiveRestoreSummary {
  into: { id: string; name: string };
  via: RestoreMethod;
  files: number;
  /** Rows read from the files, within the window. */
  rows_read: number;
  /** Rows that the restore added to the table. */
  rows_added: number;
  /** Rows that were already in the table and were not duplicated. */
  rows_there: number;
  /** Rows that `replace` deleted. */
  rows_removed: number;
  /** Lines of the files that are not valid rows. */
  rows_left_out?: number;
  duration_ms: number;
}

export type ArchiveRestoreJobRequest = { kind: 'restore-archive'; plan: ArchiveRestorePlan };

/** Queries about restores of archives. */
export interface ArchiveRestoreQueries {
  /**
   * Plans a restore. `NOT_FOUND` if the archive does not exist; anything that prevents the restore is an obstacle in
   * the plan.
   */
  planArchiveRestore(query: ArchiveRestoreQuery): Promise<ArchiveRestorePlan>;
}
