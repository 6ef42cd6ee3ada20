import type { Timestamp } from './types.ts';

/** One line of the audit log: the start or the end of a destructive job. */
export interface AuditEntry {
  time: Timestamp;
  /** A `begun` without an `ended` of the same job means that the job was killed. */
  event: 'begun' | 'ended';
  job: string;
  kind: string;
  /** What the job does, in one line. */
  title: string;
  /** What it will destroy, from its plan. */
  what?: readonly string[];
  outcome?: 'done' | 'failed' | 'cancelled';
  /** The result for each item. */
  items?: readonly { item: string; ok: boolean; message: string }[];
  error?: { code: string; message: string; hint?: string };
}

/** An append-only log of who destroyed what, and when. The adapter adds the user. */
export interface Audit {
  /** Resolves once the entry is durable. Errors: `STORAGE_FAILED`, `STORAGE_FULL`. */
  append(entry: AuditEntry): Promise<void>;
}
