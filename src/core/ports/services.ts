import type { Audit } from './audit.ts';
import type { Catalog } from './catalog.ts';
import type { Database, DumpTool } from './database.ts';
import type { AppContainer, DatabaseServer, RestoreTool } from './database-server.ts';
import type { Ingest } from './ingest.ts';
import type { JobOwner } from './job-launcher.ts';
import type { Key } from './key.ts';
import type { LogDatabase } from './log-database.ts';
import type { LogRestore } from './log-restore.ts';
import type { State } from './state.ts';
import type { Storage, StorageKind } from './storage.ts';

/** What is known about the installation without any network access. */
export interface InstallationInfo {
  dir: string;
  /** Short fingerprint of the encryption key, never the key; null if there is none. */
  key_id: string | null;
  /** Location of backups, human-readable. */
  storage: string;
  read_only: boolean;
  version: string;
}

/**
 * Parts of the installation that the engine uses. Each is created on first use and kept, so that nothing
 * connects without need; each rejects with the reason it is not available.
 */
export interface Services {
  readonly installation: InstallationInfo;
  /**
   * Memory limit of one archive query in ClickHouse, bytes; time limits of one file, and of all retries
   * together, milliseconds; the wait before the first retry;
   * queries of an archive, or inserts of a restore, at a time.
   */
  readonly archive_limits: {
    max_memory: number;
    max_duration_ms: number;
    max_error_time_ms: number;
    first_wait_ms?: number;
    parallel?: number;
  };
  /** Variables of `.env` that a backup includes: all but the key. */
  readonly variables: Record<string, string>;
  readonly state: State;
  /** User, host and process that start jobs here. */
  owner(): JobOwner;
  now(): Date;
  /** `KEY_MISSING`, `KEY_MALFORMED`. */
  key(): Promise<Key>;
  /** The current key, then older keys for reading files that still use them. */
  keys(): Promise<Key[]>;
  /**
   * Writes a new key to `.env` and keeps the old one for reading; `key` and `keys` return it from then on.
   */
  replaceKey(): Promise<void>;
  /** Name of the installation's database. */
  readonly database_name: string;
  /** The server of that database; works even if the database does not exist. */
  server(): Promise<DatabaseServer>;
  restoreTool(): Promise<RestoreTool>;
  /** The containers that write to PostgreSQL, in the order to stop them; empty if there are none. */
  containers(): Promise<AppContainer[]>;
  catalog(): Promise<Catalog>;
  database(): Promise<Database>;
  dumpTool(): Promise<DumpTool>;
  logs(): Promise<LogDatabase>;
  /** Restores archived rows into ClickHouse. */
  logRestore(): Promise<LogRestore>;
  /** Ingest endpoint of the server for log lines. */
  ingest(): Promise<Ingest>;
  backups(): Promise<Storage>;
  archives(): Promise<Storage>;
  /** Backup or archive storage of a given type, configured or not; undefined if there is none. */
  storageOf(place: StorageKind, type: 'disk' | 's3'): Promise<Storage | undefined>;
  /** Audit log of destructive jobs. */
  readonly audit: Audit;
  /** The folder of a local path as storage, and the file name in it. */
  localFile(path: string): Promise<{ storage: Storage; name: string }>;
  /** Locations of the databases, human-readable. */
  postgresLocation(): Promise<string>;
  clickhouseLocation(): Promise<string>;
  /** Closes open connections. */
  close(): Promise<void>;
}
