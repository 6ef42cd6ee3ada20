import type { ErrorReport } from '../../contract/errors.ts';
import type { DatabaseSession } from '../../ports/database-server.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** Where a backup is restored to. */
export type RestoreTarget =
  /** Replaces the live database of the installation. */
  | { kind: 'live' }
  /** Creates a new database next to it. */
  | { kind: 'beside'; database: string }
  /** A scratch database, compared with the manifest and then dropped. */
  | { kind: 'drill' };

/** A restore request, before the file is read. */
export interface RestoreQuery {
  /** A path, a bare name in backup storage, or an S3 key. */
  file: string;
  target: RestoreTarget;
  /** Make the connecting user the owner of everything; skip the owners and privileges in the backup. */
  no_owner?: boolean;
  /** Skip the privileges in the backup. */
  no_privileges?: boolean;
  /** Create everything in the default tablespace. */
  no_tablespaces?: boolean;
}

/** Row counts of a table in the backup and now; null if the table does not exist or the count is unknown. */
export interface RestoreTable {
  schema: string;
  name: string;
  rows_backup: number | null;
  rows_now: number | null;
  /**
   * Where the table exists: in both, only in the backup (it will be restored), or only in the database (it
   * will be dropped).
   */
  where: 'both' | 'backup' | 'database';
}

/** Something that prevents a restore. */
export interface RestoreObstacle extends ErrorReport {
  /** The consent that removes it; null if only an administrator can. */
  consent: 'end_sessions' | null;
}

/** The backup file, already read in full and verified. */
export interface RestoreFile {
  name: string;
  /** Full path, or S3 key with its bucket. */
  path: string;
  size_bytes: number;
  /** SHA-256 of the stored bytes, hex; the restore must read the same bytes. */
  checksum: string;
  /** Whether a header and a trailer prove that it is complete. */
  sealed: boolean;
  /** Fingerprint of the key it is encrypted with. */
  key_id: string;
}

/** Metadata from the file. */
export interface RestoreBackup {
  /** When it was created. */
  timestamp: Timestamp;
  /** Program that created it. */
  tool: string;
  server_version: string | null;
  pg_dump_version: string | null;
  database: string | null;
  /** Total rows; null if the manifest has no counts (backups by the server itself). */
  rows: number | null;
  /** Size of the uncompressed dump. */
  dump_bytes: number;
}

/** A planned restore: shown, then executed unchanged. Plain data, frozen. */
export interface RestorePlan {
  planned_at: Timestamp;
  target: RestoreTarget;
  /** Owners are left out: on request, or because the user cannot assign one of them. */
  no_owner: boolean;
  /** Privileges are left out: on request, or with the owners. */
  no_privileges: boolean;
  no_tablespaces: boolean;
  file: RestoreFile;
  backup: RestoreBackup;
  /** Name of the restored database; for a drill, of the scratch database. */
  database: string;
  /** The database to be replaced; null if it does not exist. `oid` detects a later replacement. */
  replaces: { oid: number; size_bytes: number } | null;
  server_version: string;
  /** Location and version of pg_restore. */
  pg_restore: { location: string; version: string };
  /** All tables of backup and database, by schema and name. */
  tables: RestoreTable[];
  /** Sessions on the database to be replaced. */
  sessions: DatabaseSession[];
  /** Disk space on the server: an estimate of the need, and what is free (null if unknown). */
  space: { needed_bytes: number; free_bytes: number | null };
  /** The Bifract server container, which can be stopped for the restore; null if there is none. */
  app: { name: string; running: boolean } | null;
  /** All containers that write to the database, that of the server included, in the order to stop them. */
  containers: { name: string; running: boolean }[];
  /** Warnings to confirm, one sentence each. */
  warnings: string[];
  /** What must be resolved first; an obstacle that no consent removes fails the restore. */
  obstacles: RestoreObstacle[];
}

/** What the user has agreed to. */
export interface RestoreConsent {
  /** Back up the database before it is replaced (`live` only). */
  safety_backup: boolean;
  /** Terminate sessions on the database. */
  end_sessions: boolean;
  /** Stop all running containers that write to the database first and start them afterwards, whatever the outcome. */
  stop_app: boolean;
}

/** Restores a backup as planned, to any target but a scratch database. */
export interface RestoreRequest {
  kind: 'restore';
  plan: RestorePlan;
  consent: RestoreConsent;
}

/** Restores a backup to a scratch database, compares it with the manifest and drops it. */
export interface DrillRequest {
  kind: 'drill';
  plan: RestorePlan;
}

/** Result of a restore or a drill. */
export interface RestoreSummary {
  file: string;
  database: string;
  /** Whether it is the live database of the installation. */
  live: boolean;
  tables: number;
  /** Total rows, counted in the restored database. */
  rows: number;
  /** Whether all counts were compared with the manifest; false if it has none. */
  compared: boolean;
  /** Name of the safety backup; null if none was made. */
  safety_backup: string | null;
  /** Terminated sessions. */
  ended_sessions: number;
  /** The containers that were stopped during the restore; absent if none was. */
  containers_stopped?: string[];
  /** Set if a container that the restore stopped could not be started again; `containers_left` names them. */
  app_stopped?: true;
  containers_left?: string[];
  duration_ms: number;
}

/** Queries about restores. */
export interface RestoreQueries {
  /**
   * Reads the backup in full and collects all that a restore depends on. Changes nothing. `onProgress`
   * receives the stored bytes read and the total.
   *
   * Throws read errors (`NOT_FOUND`, `WRONG_KEY`, `CUT_OFF`, `DAMAGED`, `NOT_BIFRACT`) and planning errors
   * (`POSTGRES_UNREACHABLE`, `PROGRAM_MISSING`, `PROGRAM_TOO_OLD`, `UNSUPPORTED` if pg_restore cannot read
   * the dump, `EXISTS` if the new database already exists).
   */
  planRestore(
    query: RestoreQuery,
    options?: CallOptions & { onProgress?: (read: number, total: number) => void },
  ): Promise<RestorePlan>;
}
