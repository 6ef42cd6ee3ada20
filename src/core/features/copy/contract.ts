import type { ErrorReport } from '../../contract/errors.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** A file to copy to another storage. */
export interface CopyItem {
  /** The target as the user gave it. */
  target: string;
  place: 'backups' | 'archives';
  /** Name of the file in both storages. */
  name: string;
  from: 'disk' | 's3';
  from_path: string;
  to_path: string;
  size_bytes: number;
  modified_at: Timestamp | null;
  /** Record to update with the new location; null for a file without one. */
  archive_id: string | null;
  /** `keep`: it cannot be copied; `refusal` says why. */
  action: 'copy' | 'keep';
  refusal: ErrorReport | null;
}

/** What a copy will do. The plan is frozen. */
export interface CopyPlan {
  planned_at: Timestamp;
  to: 'disk' | 's3';
  /** Whether originals are deleted once their copies are verified. */
  move: boolean;
  items: CopyItem[];
  /** Stored bytes of the files to copy. */
  size_bytes: number;
}

export type CopyJobRequest = { kind: 'copy'; plan: CopyPlan };

export interface CopySummary {
  copied: number;
  /** Files that the plan did not copy. */
  kept: number;
  size_bytes: number;
  moved: boolean;
  duration_ms: number;
}

/** Queries about copies between storages. */
export interface CopyQueries {
  /**
   * Plans a copy of files (names, paths in storage, archive record ids). `USAGE` if there is only one
   * storage.
   */
  planCopy(
    targets: readonly string[],
    query: CallOptions & { to: 'disk' | 's3'; move?: boolean },
  ): Promise<CopyPlan>;
}
