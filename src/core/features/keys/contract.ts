import type { ErrorReport } from '../../contract/errors.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** A file and the fingerprint of its key. */
export interface RotateItem {
  /** Storage of the file. */
  place: 'backups' | 'archives';
  name: string;
  size_bytes: number;
  modified_at: Timestamp | null;
  /** Fingerprint; null if no known key opens the file or it cannot be read: it is skipped. */
  key_id: string | null;
  action: 'reencrypt' | 'keep' | 'skip';
  /** Why its storage cannot read it: it keeps its key, which must be kept for it. Else null. */
  error: ErrorReport | null;
  /** What is wrong with it; null if nothing is. */
  note: string | null;
}

/** What `key rotate` will do. The plan is frozen. */
export interface RotatePlan {
  planned_at: Timestamp;
  /** Whether this completes an earlier rotation (no new key) or starts a new one. */
  resumes: boolean;
  /** Fingerprint of the current key in `.env`. */
  current_key_id: string;
  items: RotateItem[];
}

export interface RotateRequest {
  kind: 'rotate-key';
  plan: RotatePlan;
}

export interface RotateSummary {
  key_id: string;
  files: number;
  /** Files that no known key opens: they are as they were. */
  skipped: number;
  size_bytes: number;
  duration_ms: number;
}

/** Queries on keys. */
export interface KeyQueries {
  /** Plans which files a key rotation re-encrypts. Reads header and trailer of every file. */
  planRotate(options?: CallOptions): Promise<RotatePlan>;
}
