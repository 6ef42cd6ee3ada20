import type { ErrorReport } from './errors.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

/** A file that is to be in another storage. */
export interface CopyItem {
  /** What the user called it. */
  target: string;
  place: 'backups' | 'archives';
  /** Name of the file in both storages. */
  name: string;
  from: 'disk' | 's3' | 'memory';
  from_path: string;
  to_path: string;
  size_bytes: number;
  modified_at: Timestamp | null;
  /** The record that says where the file is, and will say the new place. */
  archive_id: string | null;
  /** `copy`; `keep`: it cannot be copied, for the reason in `refusal`. */
  action: 'copy' | 'keep';
  refusal: ErrorReport | null;
}

/** What a copy will do. Frozen. */
export interface CopyPlan {
  planned_at: Timestamp;
  to: 'disk' | 's3';
  /** Whether the originals go once their copies are proved. */
  move: boolean;
  items: CopyItem[];
  /** Stored bytes of all that is copied. */
  size_bytes: number;
}

export type CopyJobRequest = { kind: 'copy'; plan: CopyPlan };

/** What can be asked about copies between storages. */
export interface CopyQueries {
  /** What copying files (names, paths in storage, ids of archive records) to that storage would do. `USAGE` where there is none. */
  planCopy(
    targets: readonly string[],
    query: CallOptions & { to: 'disk' | 's3'; move?: boolean },
  ): Promise<CopyPlan>;
}
