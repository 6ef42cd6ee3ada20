import type { StorageKind } from './storage.ts';
import type { CallOptions, Timestamp } from './types.ts';

/** Parameters of an archive. Two equal requests are the same archive. */
export interface ArchiveRequest {
  fractal_id: string;
  split: 'none' | 'hour' | 'day' | 'week';
  from: Timestamp | null;
  to: Timestamp | null;
  fields: boolean;
  archive_type: 'adhoc' | 'scheduled';
  only_uncovered: boolean;
}

/** An archive in progress: what is needed to resume it if its job crashes. */
export interface ArchiveProgressRecord {
  request: ArchiveRequest;
  /** Time of the newest row when the archive was started: later rows are not included. */
  end: Timestamp;
  begun_at: Timestamp;
  group_id?: string;
  /** The file being written, and its expected number of rows. */
  window: { label: string | null; from: Timestamp | null; to: Timestamp; rows: number };
  /** Ids of unfinished objects of crashed jobs whose rows this one reuses. */
  leftovers: string[];
}

/** Progress of an archive restore, as far as other jobs need it; the feature stores more in it. */
export interface RestoringRecord {
  /** Equal for equal calls: a later one resumes what this one left. */
  key: string;
  plan: { into: { id: string }; files: { name: string }[] };
  phase: string;
  /** Archive records that may be locked as being restored. */
  archive_ids: string[];
  /** The job ended early and left this for a later one to resume. */
  left?: boolean;
}

/** State of a running job, kept on disk: what is needed to clean up after a crash. The keys are persisted. */
export interface JobRecord {
  id: string;
  kind: string;
  started_at: Timestamp;
  /** Id of the archive record it writes, once there is one. */
  archive_id?: string;
  /** Name of the object it writes. */
  object?: string;
  archive?: ArchiveProgressRecord;
  /** Databases that it creates or sets aside, to be dropped after a crash. */
  databases?: string[];
  /** Objects that it replaces by copies under a new key, and their storage. */
  rekey?: { place: 'backups' | 'archives'; name: string }[];
  /** Archives whose record and file are not yet completely deleted. */
  deleting?: { archive_id: string }[];
  /** The file that it is copying to another storage, and the record to update. */
  copying?: { place: StorageKind; name: string; to: 'disk' | 's3'; archive_id: string | null };
  /** Progress of an archive restore. */
  restoring?: RestoringRecord;
  /** It stopped the server's container, which must be started again. */
  app_stopped?: boolean;
  /** All containers that it stopped, by service, in that order; absent in records of version 0.2.0 and before. */
  containers_stopped?: string[];
}

/** The kind of a record that exists, but cannot be read. */
export const UNREADABLE = 'unreadable';

/** What an interrupted job left behind and could not be cleaned up yet. The keys are persisted. */
export interface Leftover {
  job: string;
  kind: string;
  /** When the job was started. */
  since: Timestamp;
  /** Why the last attempt failed: code and message of the error. */
  code: string;
  message: string;
  /** What to do, with the exact statement or command where there is one. */
  hint: string;
  /** When a job last warned about it; null if none has yet. */
  warned_at: Timestamp | null;
}

/** How a file was checked: read in full, by size, header and trailer, or by restoring it into a scratch database. */
export type CheckKind = 'verify' | 'quick' | 'drill';

/** The last check of one kind of one file, and what that file was. The keys are persisted. */
export interface FileCheck {
  kind: CheckKind;
  /** Full path, or S3 key with its bucket; of a missing file, as it was named. */
  path: string;
  /** Null if the file was missing. */
  size_bytes: number | null;
  modified_at: Timestamp | null;
  /** From its header; null if it has none, or was not read that far. */
  uuid: string | null;
  /** SHA-256 of the stored bytes, hex; null if not all were read. */
  checksum: string | null;
  /** Fingerprint of the key that opened it; null if none did. */
  key_id: string | null;
  /** When the check ended. */
  at: Timestamp;
  /** What was found, one sentence or more. */
  message: string;
  /** Why it failed; null if it passed. */
  error: { code: string; message: string; hint?: string } | null;
}

/** The most checks that are kept; the oldest are dropped. */
export const CHECKS_KEPT = 20_000;

/** A folder that held files when it was last used: an empty one in its place is not that folder. The keys are persisted. */
export interface KnownFolder {
  path: string;
  /** Its file system and inode. */
  id: string;
  seen_at: Timestamp;
}

export interface LockOptions extends CallOptions {
  /** Milliseconds to wait for the lock; then `BUSY`. Default: no limit. */
  limit_ms?: number;
  /** Called once if the lock is not free; with the job that holds it, if known. */
  onWait?(holder: string | undefined): void;
}

/**
 * What later processes must know, on disk: records of jobs, to tell running from interrupted ones, what checks found, and
 * where files were. What is read may have been written by anyone who can write to the installation.
 */
export interface State {
  /** Saves or replaces the record of a job of this process. */
  save(record: JobRecord): Promise<void>;
  /** Saves the record of an ended job as interrupted, so that it can be resumed. */
  saveInterrupted(record: JobRecord): Promise<void>;
  /** Removes the record of a job. */
  remove(id: string): Promise<void>;
  /** Removes partly written or partly removed records of crashed processes. */
  cleanUp(): Promise<void>;
  /** Jobs whose process is running, including this process. */
  running(): Promise<JobRecord[]>;
  /** Jobs whose process ended without removing their record, and records that cannot be read (`UNREADABLE`). */
  interrupted(): Promise<JobRecord[]>;
  /** What could not be cleaned up, as the last attempt noted it; may include jobs that have no record any more. */
  leftovers(): Promise<Leftover[]>;
  /** Replaces the list of `leftovers`. */
  saveLeftovers(leftovers: readonly Leftover[]): Promise<void>;
  /** The last check of each kind of each file. */
  checks(): Promise<FileCheck[]>;
  /** Adds checks: each replaces an earlier one of its kind and path. Keeps the newest `CHECKS_KEPT`. */
  addChecks(checks: readonly FileCheck[]): Promise<void>;
  /** Folders that held files when they were last used. */
  folders(): Promise<KnownFolder[]>;
  /** Replaces that list by what `change` makes of it. */
  changeFolders(change: (known: KnownFolder[]) => KnownFolder[]): Promise<void>;
  /**
   * Runs `work` under a lock shared by all processes, so that interrupted jobs are not recovered twice at once. Waits
   * for the lock.
   */
  exclusive<T>(work: () => Promise<T>, options?: CallOptions): Promise<T>;
  /**
   * Runs the work of a job under the installation lock. All processes share it: only one of the jobs that delete or
   * replace files or records works at a time. Waits for the lock, as `options` say.
   */
  locked<T>(job: string, work: () => Promise<T>, options?: LockOptions): Promise<T>;
}
