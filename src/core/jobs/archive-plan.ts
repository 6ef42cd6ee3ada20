import type { Fractal } from '../ports/catalog.ts';
import type { ArchiveRequest } from '../ports/state.ts';
import type { Leftover } from '../ports/storage.ts';
import type { Timestamp } from '../ports/types.ts';
import type { ArchiveWindow } from './archive-windows.ts';

/** An archive of a fractal that is being made: its files are written one after the other. */
export interface ArchivePlan {
  fractal: Fractal;
  request: ArchiveRequest;
  /** Time of the newest row when it was begun. */
  end: Timestamp;
  begun_at: Timestamp;
  /** Those that are still to be made. */
  windows: readonly ArchiveWindow[];
  /** Set where an archive that was interrupted goes on. */
  continued?: Continued;
}

/** What tells the file of an archive from all others. */
export interface ArchiveName {
  archive_id: string;
  filename: string;
  /** The name in storage. */
  path: string;
}

/** What an interrupted archive left. */
export interface Continued {
  group_id: string;
  /** Files that have a record, by their periods. */
  files: ReadonlyMap<string | null, ArchiveName>;
  /** What is left of files that were under way: the longest first. */
  leftovers: Leftover[];
  /** Notes of the jobs that died, to be forgotten once there is one of this job. */
  notes: string[];
}
