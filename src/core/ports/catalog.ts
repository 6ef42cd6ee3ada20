import type { CallOptions, Timestamp } from './types.ts';

/** A row of `fractals`: one isolated log space. Counts and times are the server's cached statistics. */
export interface Fractal {
  id: string;
  name: string;
  description: string | null;
  is_default: boolean;
  is_system: boolean;
  created_at: Timestamp;
  log_count: number;
  size_bytes: number;
  earliest_log: Timestamp | null;
  latest_log: Timestamp | null;
  retention_days: number | null;
  archive_schedule: string;
  max_archives: number | null;
  archive_split: string;
}

export type ArchiveStatus = 'in_progress' | 'completed' | 'failed' | 'restoring';
export type GroupStatus = ArchiveStatus | 'partial';
export type ArchiveType = 'adhoc' | 'scheduled';

/** A row of `archive_groups`: one request to archive. */
export interface ArchiveGroup {
  id: string;
  fractal_id: string;
  split_granularity: string;
  status: GroupStatus;
  error_message: string | null;
  total_log_count: number;
  total_size_bytes: number;
  archive_count: number;
  completed_count: number;
  archive_type: ArchiveType;
  created_by: string | null;
  created_at: Timestamp;
}

/** A row of `archives`: one archive file, made or in the making. */
export interface ArchiveRecord {
  id: string;
  fractal_id: string;
  /** Name of the fractal, from `fractals`. */
  fractal_name: string;
  filename: string;
  storage_type: 'disk' | 's3';
  storage_path: string;
  size_bytes: number;
  log_count: number;
  time_range_start: Timestamp | null;
  time_range_end: Timestamp | null;
  status: ArchiveStatus;
  error_message: string | null;
  created_by: string | null;
  created_at: Timestamp;
  archive_type: ArchiveType;
  format_version: number;
  archive_end_ts: Timestamp | null;
  /** SHA-256 over the stored bytes, hex; null until completed. */
  checksum: string | null;
  group_id: string | null;
  period_label: string | null;
}

/** What is needed to open an archive: a group and its first archive are made together. */
export interface NewArchive {
  /** Its id to be; made by the server where absent. One who knows it beforehand can tell whether it was opened. */
  id?: string;
  /** The group that is there already, of another period; without it a group is made. */
  group_id?: string;
  /** Of the group to be made: `none`, `hour`, `day` or `week` (default `none`), and how many archives it is to hold. */
  split?: string;
  archive_count?: number;
  period_label?: string | null;
  fractal_id: string;
  filename: string;
  storage_type: 'disk' | 's3';
  storage_path: string;
  archive_type: ArchiveType;
  archive_end_ts: Timestamp | null;
}

/** What a completed archive's record says of its file. */
export interface ArchiveResult {
  size_bytes: number;
  log_count: number;
  time_range_start: Timestamp | null;
  time_range_end: Timestamp | null;
  /** SHA-256 over the stored bytes, hex. */
  checksum: string;
}

/** An archive whose restore has ended, and what its record says of that. */
export interface RestoreMark {
  archive_id: string;
  /** Rows sent; null leaves the number that is there. */
  lines: number | null;
  error: string | null;
}

/** An archive file that is whole, for which a group and a completed record are made at once. */
export interface AdoptedArchive
  extends Omit<NewArchive, 'id' | 'group_id' | 'archive_count' | 'period_label'>,
    ArchiveResult {
  /** When the file was made. */
  created_at: Timestamp;
  /** `none`, `hour`, `day` or `week`. */
  split: string;
  period_label: string | null;
}

/**
 * The server's own records, in PostgreSQL. Errors: `POSTGRES_UNREACHABLE`, `QUERY_FAILED`, and where said.
 * The server may have changed a running archive's status behind our back (it does when it starts): the
 * writes below set what is true regardless.
 */
export interface Catalog {
  serverVersion(options?: CallOptions): Promise<string>;
  fractals(options?: CallOptions): Promise<Fractal[]>;
  groups(filter?: { fractal_id?: string }, options?: CallOptions): Promise<ArchiveGroup[]>;
  /** Newest first. */
  archives(filter?: { fractal_id?: string; ids?: string[] }, options?: CallOptions): Promise<ArchiveRecord[]>;

  /** Makes the group and the archive, both `in_progress`. `BUSY` where the fractal has an active operation. */
  openArchive(archive: NewArchive, options?: CallOptions): Promise<{ group_id: string; archive_id: string }>;
  /** Rows and bytes so far, so that the server's own page shows progress. */
  noteProgress(
    archive_id: string,
    progress: { log_count: number; size_bytes: number },
    options?: CallOptions,
  ): Promise<void>;
  /** Opens a failed archive again, its group too. `BUSY` as `openArchive`, `NOT_FOUND` where the record is gone. */
  reopenArchive(archive_id: string, options?: CallOptions): Promise<void>;
  /**
   * Says that no more archives of a group are to come: it is completed where all were made, failed where none was, else
   * partial. `missing` of those announced were never opened (null: as many as the announcement leaves); `message` says
   * why. A group that holds none and was to hold none is removed.
   */
  closeGroup(
    group_id: string,
    end: { missing: number | null; message: string | null },
    options?: CallOptions,
  ): Promise<void>;
  completeArchive(archive_id: string, result: ArchiveResult, options?: CallOptions): Promise<void>;
  failArchive(archive_id: string, message: string, options?: CallOptions): Promise<void>;
  /**
   * Makes group and record of a file that is there, both completed. `NOT_FOUND` where there is no such fractal,
   * `EXISTS` where the file has a record.
   */
  adoptArchive(
    archive: AdoptedArchive,
    options?: CallOptions,
  ): Promise<{ group_id: string; archive_id: string }>;
  /** Makes a fractal with an id of old. `EXISTS` where the id or the name is taken. */
  createFractal(fractal: { id: string; name: string }, options?: CallOptions): Promise<void>;
  /** Removes the record, and its group when that held nothing else: for archives that turned out empty. */
  dropArchive(archive_id: string, options?: CallOptions): Promise<void>;
  /**
   * Removes the record, and its group when that held nothing else, both or neither with what `removeFile` does: where
   * that throws, nothing has changed. False where there is no record. `BUSY` where it is being written or restored.
   */
  deleteArchive(archive_id: string, removeFile: () => Promise<void>): Promise<boolean>;
  /** Removes a group; false where there is none. `BUSY` where it holds archives. */
  deleteGroup(group_id: string, options?: CallOptions): Promise<boolean>;
  /** Says where the file of a completed archive is from now on. `NOT_FOUND`, or `BUSY` where it is not completed. */
  moveArchive(
    archive_id: string,
    place: { storage_type: 'disk' | 's3'; storage_path: string },
    options?: CallOptions,
  ): Promise<void>;
  /** A token that lines can be sent to a fractal with, its default one first; null where it has none. A secret. */
  ingestToken(fractal_id: string, options?: CallOptions): Promise<string | null>;
  /**
   * Marks a completed archive as being restored; the one `before` no longer is, in the same step. `BUSY` where its fractal has an
   * active operation or the archive is not completed, `NOT_FOUND` where the record is gone.
   */
  beginRestore(archive_id: string, before?: RestoreMark, options?: CallOptions): Promise<void>;
  /** Rows sent so far, so that the server's own page shows progress. */
  noteRestore(archive_id: string, lines: number, options?: CallOptions): Promise<void>;
  /** The archive is completed again. A record that is gone, or is something else by now, is left as it is. */
  endRestore(mark: RestoreMark, options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
