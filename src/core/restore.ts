import type { ErrorReport } from './errors.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

/** Where the content of a backup goes. */
export type RestoreTarget =
  /** The installation's own database: it becomes equal to the backup. */
  | { kind: 'live' }
  /** A database beside it, which must not exist yet. */
  | { kind: 'beside'; database: string }
  /** A scratch database, compared with the manifest and dropped again. */
  | { kind: 'drill' };

/** What a restore is asked for, before anything is known of the file. */
export interface RestoreQuery {
  /** A path, a bare name in the storage of backups, or an S3 key. */
  file: string;
  target: RestoreTarget;
  /** Everything belongs to the connecting user; the owners and privileges that the backup names are left out. */
  no_owner?: boolean;
}

/** A table, and its rows in the backup and now; null where the table is not there, or the count is not known. */
export interface RestoreTable {
  schema: string;
  name: string;
  rows_backup: number | null;
  rows_now: number | null;
  /** Where the table is: in both, only in the backup (it comes back), or only in the database (it goes). */
  where: 'both' | 'backup' | 'database';
}

/** Somebody connected to the database that is to be replaced. Idle sessions of this program are not listed. */
export interface RestoreSession {
  pid: number;
  user: string;
  /** What the client calls itself; may be empty. */
  application: string;
  /** Its address; null for one on a socket. */
  client: string | null;
  /** As PostgreSQL says it: `active`, `idle`, `idle in transaction`. */
  state: string;
  since: Timestamp;
}

/** Something that stands in the way of a restore. */
export interface RestoreObstacle extends ErrorReport {
  /** The consent that removes it; null where only an administrator can. */
  consent: 'end_sessions' | null;
}

/** The file that is restored from: read from its first byte to its last, and found whole. */
export interface RestoreFile {
  name: string;
  /** Full path, or S3 key with its bucket. */
  path: string;
  size_bytes: number;
  /** SHA-256 of all stored bytes, hex: what is restored later must be these very bytes. */
  checksum: string;
  /** Whether sealed ends prove that nothing is missing. */
  sealed: boolean;
  /** Fingerprint of the key that opens it. */
  key_id: string;
}

/** What the file says of itself. */
export interface RestoreBackup {
  /** When it was made. */
  timestamp: Timestamp;
  /** Program that made it. */
  tool: string;
  server_version: string | null;
  pg_dump_version: string | null;
  database: string | null;
  /** Rows in all; null where the manifest does not count (files of the server's own command line). */
  rows: number | null;
  /** The dump before compression. */
  dump_bytes: number;
}

/**
 * A restore, planned: what a screen shows, and what is then executed as it stands. Plain data, frozen, never
 * computed again.
 */
export interface RestorePlan {
  planned_at: Timestamp;
  target: RestoreTarget;
  no_owner: boolean;
  file: RestoreFile;
  backup: RestoreBackup;
  /** Name that the restored database will have; of a drill, of the scratch database. */
  database: string;
  /** The database that is replaced; null where there is none of that name. `oid` tells it from a later one. */
  replaces: { oid: number; size_bytes: number } | null;
  server_version: string;
  /** The pg_restore that will be used: where it is, its version. */
  pg_restore: { location: string; version: string };
  /** Every table of the backup and of the database, by schema and name. */
  tables: RestoreTable[];
  /** Who is connected to the database that is replaced. */
  sessions: RestoreSession[];
  /** Room at the server: about what is needed, and what is free (null where that cannot be known). */
  space: { needed_bytes: number; free_bytes: number | null };
  /** The container of the Bifract server, which can be stopped for the restore; null where there is none. */
  app: { name: string; running: boolean } | null;
  /** What a person should know before saying yes, a sentence each. */
  warnings: string[];
  /** What must be out of the way first; a restore with one that no consent removes is refused with it. */
  obstacles: RestoreObstacle[];
}

/** What the user has agreed to. */
export interface RestoreConsent {
  /** Back up the database before it is replaced (`live` only). */
  safety_backup: boolean;
  /** End the sessions that are connected to it. */
  end_sessions: boolean;
  /** Stop the server's container before, start it again afterwards, however the restore ends. */
  stop_app: boolean;
}

/** Jobs that bring backups back: `restore` as the plan says, into all targets but the scratch one; `drill` into that. */
export type RestoreJobRequest =
  | { kind: 'restore'; plan: RestorePlan; consent: RestoreConsent }
  | { kind: 'drill'; plan: RestorePlan };

/** What `job:done` of a restore or a drill holds. */
export interface RestoreSummary {
  file: string;
  database: string;
  tables: number;
  /** Rows in all, counted in the restored database. */
  rows: number;
  /** Whether every count was compared with the manifest; false where the manifest has none. */
  compared: boolean;
  /** Name of the backup made before; null where none was made. */
  safety_backup: string | null;
  /** Sessions that were ended. */
  ended_sessions: number;
  duration_ms: number;
}

/** What can be asked about restores. */
export interface RestoreQueries {
  /**
   * Reads the file from its first byte to its last and finds out all that a restore depends on. Changes nothing.
   * `onProgress` is told the stored bytes read and those there are.
   *
   * Throws what reading the file throws (`NOT_FOUND`, `WRONG_KEY`, `CUT_OFF`, `DAMAGED`, `NOT_BIFRACT`), and what keeps
   * a plan from being made (`POSTGRES_UNREACHABLE`, `PROGRAM_MISSING`, `PROGRAM_TOO_OLD`, `UNSUPPORTED` where
   * pg_restore cannot read the dump, `EXISTS` for a database beside that is there already).
   */
  planRestore(
    query: RestoreQuery,
    options?: CallOptions & { onProgress?: (read: number, total: number) => void },
  ): Promise<RestorePlan>;
}
