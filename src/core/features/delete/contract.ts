import type { ErrorReport } from '../../contract/errors.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** What a user wants deleted. */
export interface DeleteTarget {
  kind: 'backup' | 'archive' | 'group';
  /** File name of a backup; record id or file name of an archive; id of a group of archives. */
  id: string;
}

/** One thing to delete: a file and, for an archive, its record. */
export interface DeleteItem {
  kind: 'backup' | 'archive' | 'group';
  /** File name of a backup; record id of an archive or a group; path of an archive file without a record. */
  id: string;
  /** Human-readable description. */
  title: string;
  /** Storage of the file; null if there is no file. */
  storage_type: 'disk' | 's3' | null;
  /** Name of the file in that storage. */
  name: string | null;
  /** Full path, or S3 key with its bucket. */
  path: string | null;
  size_bytes: number;
  /** Modification time of the file: if it differs at execution, the file was replaced. */
  modified_at: Timestamp | null;
  /** The record to delete with the file. */
  archive_id: string | null;
  created_at: Timestamp | null;
  action: 'delete' | 'keep';
  /** Why it is kept although it was named; null if it will be deleted. */
  refusal: ErrorReport | null;
  /** Consequences and related items, one sentence each. */
  notes: string[];
}

/** What a deletion will do: shown, then executed unchanged. The plan is frozen. */
export interface DeletePlan {
  /** Unique id; the audit log refers to it. */
  id: string;
  planned_at: Timestamp;
  /** In the order of the targets, without duplicates. */
  items: DeleteItem[];
  /** Stored bytes to be freed. */
  freed_bytes: number;
  /** Backups left afterwards: how many, and the newest readable one; null if no backup was named. */
  backups_left: { count: number; newest_whole: string | null; proven?: ProvenFile } | null;
  /** The user allowed deleting even the last readable backup. */
  last_backup?: boolean;
}

/** A backup that was read in full while planning. */
export type ProvenFile = Pick<DeleteItem, 'storage_type' | 'name' | 'size_bytes' | 'modified_at'>;

export type DeleteJobRequest = { kind: 'delete'; plan: DeletePlan };

export interface DeleteQuery extends CallOptions {
  /** Allow deleting even the last readable backup. */
  last_backup?: boolean;
}

export interface DeleteSummary {
  deleted: number;
  /** Items that the plan kept. */
  kept: number;
  freed_bytes: number;
  duration_ms: number;
}

/** Queries about deletions. */
export interface DeletionQueries {
  /**
   * Plans a deletion. A target that cannot be deleted becomes a kept item with a `refusal`: `NOT_FOUND`,
   * `BUSY` (being written or restored), `LAST_BACKUP`, `USAGE` (not a valid name).
   */
  planDelete(targets: readonly DeleteTarget[], query?: DeleteQuery): Promise<DeletePlan>;
}
