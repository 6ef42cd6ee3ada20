import type { Fractal } from '../../ports/catalog.ts';
import type { ArchiveRequest } from '../../ports/state.ts';
import type { UnfinishedObject } from '../../ports/storage.ts';
import type { Timestamp } from '../../ports/types.ts';
import type { ArchiveWindow } from './windows.ts';

/** An archive in progress: its files are written one after the other. */
export interface ArchivePlan {
  fractal: Fractal;
  request: ArchiveRequest;
  /** Time of the newest row at the start. */
  end: Timestamp;
  begun_at: Timestamp;
  /** Windows still to archive. */
  windows: readonly ArchiveWindow[];
  /** Set if an interrupted archive is resumed. */
  resumed?: ResumedArchive;
}

/** Identifies the file of an archive. */
export interface ArchiveFileName {
  archive_id: string;
  filename: string;
  /** Name in storage. */
  path: string;
}

/** What an interrupted archive left behind. */
export interface ResumedArchive {
  group_id: string;
  /** Files that have a record, by period. */
  files: ReadonlyMap<string | null, ArchiveFileName>;
  /** Partial files, the longest first. */
  unfinished: UnfinishedObject[];
  /** Interrupted jobs, whose records are removed once this job has its own. */
  job_ids: string[];
}
