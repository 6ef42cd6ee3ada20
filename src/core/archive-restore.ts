import type { ErrorReport } from './errors.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

/** How rows come back: straight into the table, all columns exact, or as raw lines through the server's ingest. */
export type RestoreVia = 'direct' | 'ingest';

/** What to bring back, and where to. */
export interface ArchiveRestoreQuery extends CallOptions {
  /** Id of an archive or of a group, or a file's name or path. */
  source: string;
  /** Id of the fractal that gets the rows; its own where absent. */
  into?: string;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
  /** Take away what the fractal holds in that window first; without one, of the archive's own time. */
  replace?: boolean;
  via?: RestoreVia;
}

/** A file whose rows come back. */
export interface ArchiveRestoreFile {
  /** Null for a file without a record. */
  archive_id: string | null;
  name: string;
  path: string;
  size_bytes: number;
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Whether its lines carry the parsed fields; without them a direct restore leaves them empty. */
  fields: boolean;
}

/** What a restore of an archive will do. Frozen. */
export interface ArchiveRestorePlan {
  id: string;
  planned_at: Timestamp;
  files: ArchiveRestoreFile[];
  into: { id: string; name: string };
  from: Timestamp | null;
  to: Timestamp | null;
  via: RestoreVia;
  replace: boolean;
  /** Of which time `replace` takes rows away: those with `from ≤ timestamp < to`. Null where nothing is taken away. */
  removes: { from: Timestamp | null; to: Timestamp | null } | null;
  /** Rows of the files in the window: exact without a window, else an upper bound. */
  rows: number;
  content_bytes: number;
  /** Rows that the fractal holds in the window now; with `replace`, those that go. */
  rows_there: number;
  /** An estimate, from what restores on this kind of machine were measured to take. */
  estimate_ms: number;
  /** What a person should weigh, a sentence each. */
  notes: string[];
  /** Why it cannot be done; it can where there is none. */
  obstacles: ErrorReport[];
}

/** What a restore has done. */
export interface ArchiveRestoreSummary {
  into: { id: string; name: string };
  via: RestoreVia;
  files: number;
  /** Rows read from the files, in the window. */
  rows_read: number;
  /** Rows that are in the table now and were not before. */
  rows_added: number;
  /** Rows that were there already and are not doubled. */
  rows_there: number;
  /** Rows that `replace` took away. */
  rows_removed: number;
  /** Lines of the files that are no rows. */
  rows_left_out?: number;
  duration_ms: number;
}

export type ArchiveRestoreJobRequest = { kind: 'restore-archive'; plan: ArchiveRestorePlan };

/** What can be asked about restores of archives. */
export interface ArchiveRestoreQueries {
  /** Says what a restore would do. `NOT_FOUND` where there is no such archive; what stands in the way is an obstacle of the plan. */
  planArchiveRestore(query: ArchiveRestoreQuery): Promise<ArchiveRestorePlan>;
}
