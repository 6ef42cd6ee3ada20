import type { ArchiveRestorePlan } from '../archive-restore.ts';

/** A table beside the logs that holds some of a file's rows, all of them written and counted. */
export interface StagedTable {
  name: string;
  /** Number of the file in the plan. */
  file: number;
  rows: number;
}

/**
 * How far a restore of archives is: what a later run needs to go on from there, or to clean up. Everything in it has
 * happened; what may have happened is told by what it works on.
 */
export interface ArchiveRestoreJournal {
  /** The same for the same call: a later one goes on with what this one left. */
  key: string;
  plan: ArchiveRestorePlan;
  /**
   * `staging` changes nothing but tables of its own, and can be given up. From `removing` on, all rows stand beside the logs,
   * their files have proved whole, and it is to be brought to its end. `ended`: only its tables are still to be dropped.
   */
  phase: 'staging' | 'removing' | 'attaching' | 'ended' | 'sending';
  /** Records that may say that they are being restored: one does, but while it goes over to the next it may be either. */
  archive_ids: string[];
  /** What the names of its tables begin with. */
  prefix: string;
  tables: StagedTable[];
  /** Files that were read to their end: rows wanted, and lines that were left out. */
  files: { rows: number; left_out: number }[];
  /** Of `replace`: rows ingested later, by ClickHouse's clock, stay. */
  cutoff_ms: number | null;
  removed: number;
  /** Partitions whose rows are among the logs, and how many were there before. */
  partitions: { id: string; added: number; there: number }[];
  /** The partition that is being moved in, and how many rows. */
  moving: { id: string; rows: number } | null;
  /** By `ingest`: rows of the file at hand that were accepted, and the batch that was on its way. */
  sent: { file: number; rows: number; batch: SentBatch | null } | null;
  /** The job has ended without its end, and left this for another. */
  left?: boolean;
}

/** Rows that were sent and not yet acknowledged. */
export interface SentBatch {
  rows: number;
  /** When it was sent first, by ClickHouse's clock. */
  since_ms: number;
}
