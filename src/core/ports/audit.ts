import type { ErrorReport } from '../errors.ts';
import type { JobKind } from '../events.ts';
import type { Timestamp } from './types.ts';

/** One line of the audit log: a job that destroys begins, or has ended. */
export interface AuditEntry {
  time: Timestamp;
  /** Without an `ended` of the same job: the job was killed. */
  event: 'begun' | 'ended';
  job: string;
  kind: JobKind;
  /** What it is about, in a sentence. */
  title: string;
  /** What it is to destroy, as it was planned. */
  what?: readonly string[];
  outcome?: 'done' | 'failed' | 'cancelled';
  /** What has become of each. */
  items?: readonly { item: string; ok: boolean; message: string }[];
  error?: ErrorReport;
}

/** Where it is kept who destroyed what, and when. Entries are only ever added. The adapter adds who. */
export interface Audit {
  /** Durable once it resolves. Errors: `STORAGE_FAILED`, `STORAGE_FULL`. */
  append(entry: AuditEntry): Promise<void>;
}
