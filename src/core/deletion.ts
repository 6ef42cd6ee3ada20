import type { ErrorReport } from './errors.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

/** What a user wants deleted. */
export interface DeleteTarget {
  kind: 'backup' | 'archive' | 'group';
  /** File name of a backup; id of an archive's record, or the name of its file; id of a group of archives. */
  id: string;
}

/** One thing that will be deleted: a file, and its record where it is an archive's. */
export interface DeleteItem {
  kind: 'backup' | 'archive' | 'group';
  /** File name of a backup; id of the record of an archive or of a group; path of an archive file without a record. */
  id: string;
  /** For people: what it is. */
  title: string;
  /** Which storage its file is in; null where there is no file. */
  storage_type: 'disk' | 's3' | 'memory' | null;
  /** Name of the file in that storage. */
  name: string | null;
  /** Full path, or S3 key with its bucket. */
  path: string | null;
  size_bytes: number;
  /** The file's time of change: another one at the execution means another file. */
  modified_at: Timestamp | null;
  /** The record that goes with the file. */
  archive_id: string | null;
  created_at: Timestamp | null;
  action: 'delete' | 'keep';
  /** Why it is kept although it was named; null for what goes. */
  refusal: ErrorReport | null;
  /** What depends on it, what stays or goes with it: a sentence each. */
  notes: string[];
}

/** What a deletion will do: shown, and executed as it stands. Frozen. */
export interface DeletePlan {
  /** Tells this plan from a later one; the audit log names it. */
  id: string;
  planned_at: Timestamp;
  /** In the order of the targets, each once. */
  items: DeleteItem[];
  /** Stored bytes of all that goes. */
  freed_bytes: number;
  /** What stays of backups when it is done: how many, and the newest one that can be read; null where none. */
  backups_left: { count: number; newest_whole: string | null } | null;
}

export type DeleteJobRequest = { kind: 'delete'; plan: DeletePlan };

export interface DeleteQuery extends CallOptions {
  /** The user's consent to delete even the last backup that can be read. */
  last_backup?: boolean;
}

/** What can be asked about deletions. */
export interface DeletionQueries {
  /**
   * What deleting these would do. A target that cannot be deleted is an item that is kept, with its `refusal`:
   * `NOT_FOUND`, `BUSY` (being written or restored), `LAST_BACKUP`, `USAGE` (no name of ours).
   */
  planDelete(targets: readonly DeleteTarget[], query?: DeleteQuery): Promise<DeletePlan>;
}
