import type { KeepRule } from './policy/retention.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

export type { KeepRule } from './policy/retention.ts';

/** A backup file, and what retention makes of it. */
export interface PruneItem {
  name: string;
  size_bytes: number;
  created_at: Timestamp;
  action: 'keep' | 'delete';
  /**
   * Why it is kept: `last`, `daily`, `weekly`, `monthly`, `newest` (the newest good one always stays), `safety` (made
   * before a restore), `unreadable` (damaged, or of another key: deleted by hand only), `future`. Empty: it goes.
   */
  reasons: string[];
}

/** What `prune` will do: shown, and executed as it stands. Frozen. */
export interface PrunePlan {
  planned_at: Timestamp;
  rule: KeepRule;
  /** Newest first. */
  items: PruneItem[];
  /** Bytes that will be free. */
  freed_bytes: number;
}

/** A file and the fingerprint of the key that opens it. */
export interface RotateItem {
  /** Which storage it is in. */
  place: 'backups' | 'archives';
  name: string;
  size_bytes: number;
  /** Fingerprint; null where none of the known keys opens it: such a file is left alone. */
  key_id: string | null;
  action: 'reencrypt' | 'keep' | 'skip';
}

/** What `key rotate` will do. Frozen. */
export interface RotatePlan {
  planned_at: Timestamp;
  /** Whether an earlier rotation is completed (no new key is made), or a new one begun. */
  resumes: boolean;
  /** Fingerprint of the key in `.env` now. */
  current_key_id: string;
  items: RotateItem[];
}

/** Jobs that look after files that are there. */
export type UpkeepJobRequest = { kind: 'prune'; plan: PrunePlan } | { kind: 'rotate-key'; plan: RotatePlan };

/** What can be asked about the upkeep of files. */
export interface UpkeepQueries {
  /** What a rule would delete. Reads the ends of every backup. `USAGE` for a rule that keeps nothing. */
  planPrune(rule: KeepRule, options?: CallOptions): Promise<PrunePlan>;
  /** Which files a rotation of the key would write anew. Reads the ends of every file. */
  planRotate(options?: CallOptions): Promise<RotatePlan>;
}
