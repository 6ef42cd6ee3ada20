import type { ErrorReport } from '../../contract/errors.ts';
import type { KeepRule } from '../../policy/retention.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

export interface BackupRequest {
  kind: 'backup';
}

export interface BackupSummary {
  name: string;
  storage_type: Storage['kind'];
  size_bytes: number;
  /** Size of manifest and dump before compression. */
  content_bytes: number;
  /** SHA-256 of the stored bytes, hex. */
  checksum: string;
  tables: number;
  rows: number;
  /** Tables whose contents in the dump were compared with the database; the others were only counted. */
  compared_tables: number;
  duration_ms: number;
}

/** A backup file, and what retention does with it. */
export interface PruneItem {
  name: string;
  size_bytes: number;
  modified_at: Timestamp | null;
  /** From its encrypted header; from the name if that cannot be read. */
  created_at: Timestamp;
  action: 'keep' | 'delete';
  /**
   * Why it is kept: `last`, `daily`, `weekly`, `monthly`, `newest` (the newest readable one is always kept),
   * `safety` (made before a restore), `unreadable` (damaged, encrypted with another key, or not readable in its
   * storage: `error` says why), `future`. Empty if it will be deleted.
   */
  reasons: string[];
  /** Why it cannot be read; null if it can. */
  error: ErrorReport | null;
  /** What is wrong with its times, one sentence each. */
  notes: string[];
}

/** What `prune` will do: shown, then executed unchanged. The plan is frozen. */
export interface PrunePlan {
  planned_at: Timestamp;
  rule: KeepRule;
  /** Newest first. */
  items: PruneItem[];
  /** Bytes to be freed. */
  freed_bytes: number;
}

export interface PruneRequest {
  kind: 'prune';
  plan: PrunePlan;
}

export interface PruneSummary {
  deleted: number;
  kept: number;
  freed_bytes: number;
}

/** Queries on backups. */
export interface BackupQueries {
  /**
   * Plans what a rule deletes. Reads header and trailer of every backup. `USAGE` for a rule that keeps
   * nothing.
   */
  planPrune(rule: KeepRule, options?: CallOptions): Promise<PrunePlan>;
}
