import type { ArchiveRestoreJobRequest, ArchiveRestoreQueries } from './archive-restore.ts';
import type { CopyJobRequest, CopyQueries } from './copying.ts';
import type { CoverageQueries } from './coverage.ts';
import type { DeleteJobRequest, DeletionQueries } from './deletion.ts';
import type { BifractError } from './errors.ts';
import type { JobEvent, JobKind } from './events.ts';
import type { FileJobRequest, FileQueries } from './files.ts';
import type { ExtractPart } from './jobs/extract.ts';
import type { JobQueries } from './known-jobs.ts';
import type { Granularity } from './policy/periods.ts';
import type { ArchiveGroup, ArchiveRecord, ArchiveType, Fractal } from './ports/catalog.ts';
import type { StorageHealth } from './ports/storage.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';
import type { RestoreJobRequest, RestoreQueries } from './restore.ts';
import type { RunDueJobRequest, ScheduleQueries } from './schedule.ts';
import type { UpkeepJobRequest, UpkeepQueries } from './upkeep.ts';

/** What a job is asked to do: plain data, so that it can be kept and handed to another process. */
export type JobRequest =
  | { kind: 'backup' }
  | {
      kind: 'archive';
      /** Id of the fractal. */
      fractal_id: string;
      /** Its name, for people. */
      fractal_name?: string;
      /** Write the parsed fields into each line (default true). */
      fields?: boolean;
      /** One file for each period; where absent, as the fractal is set (`archive_split`). */
      split?: Granularity;
      /** Only rows with `from ≤ timestamp < to`. */
      from?: Timestamp;
      to?: Timestamp;
      /** Default `adhoc`. */
      archive_type?: ArchiveType;
      /** Leave out what whole archives hold already. */
      only_uncovered?: boolean;
      /** Begin anew where an archive of the same request was interrupted, instead of continuing it. */
      fresh?: boolean;
    }
  | FileJobRequest
  | RestoreJobRequest
  | DeleteJobRequest
  | CopyJobRequest
  | ArchiveRestoreJobRequest
  | UpkeepJobRequest
  | RunDueJobRequest;

export type { ExtractPart } from './jobs/extract.ts';

/** How a job ended. Exactly one of the three terminal events, and what it carried. */
export type JobOutcome = Extract<JobEvent, { event: 'job:done' | 'job:failed' | 'job:cancelled' }>;

export interface StartOptions {
  /** The id of the job; by default a new one. */
  id?: string;
  /** Whether a job that other processes cannot see fails for that, instead of only warning. */
  must_be_seen?: boolean;
}

export interface JobHandle {
  id: string;
  kind: JobKind;
  /** Never rejects. */
  outcome: Promise<JobOutcome>;
}

/** A backup file in storage. */
export interface BackupFile {
  /** The bare file name: its id everywhere. */
  name: string;
  size_bytes: number;
  /** From the file's name, UTC; the storage's modification time where the name holds none. */
  created_at: Timestamp;
  storage_type: 'disk' | 's3' | 'memory';
  /** Full path, or S3 key with its bucket. */
  path: string;
}

/** Health of one part of the installation. */
export interface PartHealth {
  ok: boolean;
  /** One sentence for people: version and way of reach, or what failed and what to do. */
  detail: string;
}

export interface Health {
  postgres: PartHealth;
  clickhouse: PartHealth;
  backups: StorageHealth & { location: string };
  archives: StorageHealth & { location: string };
  /** With its fingerprint as it is now: it may have been rotated since this process began. Null where it is none. */
  key: PartHealth & { key_id: string | null };
}

/** What is known of the installation before anything is asked over a network. */
export interface InstallationInfo {
  dir: string;
  /** Short fingerprint of the encryption key; null where there is none. Never the key. */
  key_id: string | null;
  /** Where backups go, for people. */
  storage: string;
  read_only: boolean;
  version: string;
}

/**
 * The engine: everything the console and the command line can ask for.
 *
 * Queries throw `BifractError`. `start` never throws: whatever goes wrong is the job's own `job:failed`.
 */
export interface Engine
  extends FileQueries,
    RestoreQueries,
    UpkeepQueries,
    DeletionQueries,
    CopyQueries,
    ArchiveRestoreQueries,
    CoverageQueries,
    ScheduleQueries,
    JobQueries {
  readonly installation: InstallationInfo;
  health(options?: CallOptions): Promise<Health>;
  fractals(options?: CallOptions): Promise<Fractal[]>;
  groups(filter?: { fractal_id?: string }, options?: CallOptions): Promise<ArchiveGroup[]>;
  archives(filter?: { fractal_id?: string }, options?: CallOptions): Promise<ArchiveRecord[]>;
  /** Newest first; never a file that is half written or of another kind. */
  backups(options?: CallOptions): Promise<BackupFile[]>;

  /**
   * What a file holds, as bytes: of a backup the dump or its manifest, of an archive the NDJSON. Everything is
   * verified while it flows; the last byte has been read without an error only of a file that is whole.
   * `file` is a path, a bare name in storage, or an S3 key.
   */
  extract(file: string, part: ExtractPart, options?: CallOptions): AsyncIterable<Buffer>;

  start(request: JobRequest, options?: StartOptions): JobHandle;
  /**
   * Starts a job in a process of its own, which outlives this one; resolves with its id once it has begun. Rejects where
   * it could not be begun.
   */
  detach(request: JobRequest): Promise<string>;
  /** Asks a running job to stop; its `job:cancelled` follows. Nothing happens where it has ended. */
  cancel(job: string, reason?: BifractError): void;
  /** Whether a job goes on when this process ends. */
  outlives(job: string): boolean;
  /**
   * Calls the listener with every event of every job from now on; of an engine that shares its jobs with those of the
   * installation's other processes, after all that running and recently ended ones have said; there `job:started` may
   * come twice. Returns the way to stop it.
   */
  subscribe(listener: (event: JobEvent) => void): () => void;
  /**
   * Puts right what dead processes of ours left: unfinished files go, records get their true status. Every job
   * does this first; it is here for lists that must be true. Returns what was done, a sentence each.
   */
  recover(options?: CallOptions): Promise<string[]>;
  /** Ends what runs, with `reason` or as cancelled, waits for it to clean up, closes connections. */
  close(reason?: BifractError): Promise<void>;
}
