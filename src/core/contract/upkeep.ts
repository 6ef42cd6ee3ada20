import type { KeepRule } from '../policy/retention.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';

export type { KeepRule } from '../policy/retention.ts';

/** A backup file, and what retention does with it. */
export interface PruneItem {
  name: string;
  size_bytes: number;
  created_at: Timestamp;
  action: 'keep' | 'delete';
  /**
   * Why it is kept: `last`, `daily`, `weekly`, `monthly`, `newest` (the newest readable one is always kept),
   * `safety` (made before a restore), `unreadable` (damaged, or encrypted with another key: delete it by
   * hand), `future`. Empty if it will be deleted.
   */
  reasons: string[];
}

/** What `prune` will do: shown, then executed unchanged. Frozen. */
export interface PrunePlan {
  planned_at: Timestamp;
  rule: KeepRule;
  /** Newest first. */
  items: PruneItem[];
  /** Bytes to be freed. */
  freed_bytes: number;
}

/** A file and the fingerprint of its key. */
export interface RotateItem {
  /** Storage of the file. */
  place: 'backups' | 'archives';
  name: string;
  size_bytes: number;
  /** Fingerprint; null if no known key opens the file: it is skipped. */
  key_id: string | null;
  action: 'reencrypt' | 'keep' | 'skip';
}

/** What `key rotate` will do. Frozen. */
export interface RotatePlan {
  planned_at: Timestamp;
  /** Whether this completes an earlier rotation (no new key) or starts a new one. */
  resumes: boolean;
  /** Fingerprint of the current key in `.env`. */
  current_key_id: string;
  items: RotateItem[];
}

/** Maintenance jobs on existing files. */
export type UpkeepJobRequest = { kind: 'prune'; plan: PrunePlan } | { kind: 'rotate-key'; plan: RotatePlan };

/** Queries about maintenance. */
export interface UpkeepQueries {
  /**
   * Plans what a rule deletes. Reads header and trailer of every backup. `USAGE` for a rule that keeps
   * nothing.
   */
  planPrune(rule: KeepRule, options?: CallOptions): Promise<PrunePlan>;
  /** Plans which files a key rotation re-encrypts. Reads header and trailer of every file. */
  planRotate(options?: CallOptions): Promise<RotatePlan>;
}
