import type { ArchiveRestorePlan } from '../features/archive-restore/contract.ts';

/** A staging table with some of a file's rows, all of them written and counted. */
export interface StagedTable {
  name: string;
  /** Index of the file in the plan. */
  file: number;
  rows: number;
}

/**
 * How far a restore of archives has come: what a later run needs to resume it or to clean up. Records only what has
 * happened.
 */
export interface ArchiveRestoreCheckpoint {
  /** Identical for the same request: a later run resumes this one. */
  key: string;
  plan: ArchiveRestorePlan;
  /**
   * `staging` changes only its own tables, and can be dropped. From `removing` on, all rows are staged and their
   * files verified, and the restore must be finished. `ended`: only its tables are still to be dropped.
   */
  phase: 'staging' | 'removing' | 'attaching' | 'ended' | 'sending';
  /** Archives whose record may have the status `restoring`: one, or two while the lock moves to the next. */
  archive_ids: string[];
  /** Prefix of its table names. */
  prefix: string;
  tables: StagedTable[];
  /** Files that were read completely: selected rows, and skipped lines. */
  files: { rows: number; left_out: number }[];
  /** For `replace`: rows ingested later, by ClickHouse's clock, are kept. */
  cutoff_ms: number | null;
  removed: number;
  /** Attached partitions, and how many of their rows were in the logs before. */
  partitions: { id: string; added: number; there: number }[];
  /** The partition being attached, and how many rows. */
  moving: { id: string; rows: number } | null;
  /** For `ingest`: accepted rows of the current file, and the batch in flight. */
  sent: { file: number; rows: number; batch: SentBatch | null } | null;
  /** The job ended without finishing, and left this to a later one. */
  left?: boolean;
}

/** Rows that were sent and not yet acknowledged. */
export interface SentBatch {
  rows: number;
  /** When the batch was first sent, by ClickHouse's clock. */
  since_ms: number;
}
