import type { InstallationInfo } from './engine.ts';
import type { JobOwner } from './events.ts';
import type { Key } from './format/index.ts';
import type { Audit } from './ports/audit.ts';
import type { Catalog } from './ports/catalog.ts';
import type { Database, DumpTool } from './ports/database.ts';
import type { AppContainer, DatabaseServer, RestoreTool } from './ports/database-server.ts';
import type { Ingest } from './ports/ingest.ts';
import type { JobBoard } from './ports/job-board.ts';
import type { JobStarter } from './ports/job-starter.ts';
import type { LogDatabase } from './ports/log-database.ts';
import type { LogRestore } from './ports/log-restore.ts';
import type { State } from './ports/state.ts';
import type { Place, Storage } from './ports/storage.ts';

/**
 * The installation's parts as the engine asks for them. Each is made at its first use and then kept, so that
 * nothing is connected that is not needed; each rejects with the error that says why it cannot be had.
 */
export interface Services {
  readonly installation: InstallationInfo;
  /**
   * Memory ceiling of one archive query in ClickHouse, bytes; wall-clock limit of one file, and of the time that may be
   * spent waiting on retries in all, milliseconds.
   */
  readonly archive_limits: { max_memory: number; max_duration_ms: number; max_error_time_ms: number };
  /** The variables of `.env` that a backup carries: all but the key. */
  readonly variables: Record<string, string>;
  readonly state: State;
  /** Where jobs are seen by other processes. */
  readonly board: JobBoard;
  readonly starter: JobStarter;
  /** Who starts jobs here, and where. */
  owner(): JobOwner;
  now(): Date;
  /** `KEY_MISSING`, `KEY_MALFORMED`. */
  key(): Promise<Key>;
  /** The same, and after it those that files may still be sealed under: for reading. */
  keys(): Promise<Key[]>;
  /** Writes a new key to `.env`, the one so far among those before it. `key` and `keys` tell it from then on. */
  replaceKey(): Promise<void>;
  /** Name of the installation's database. */
  readonly database_name: string;
  /** The server behind it; needs no database of that name. */
  server(): Promise<DatabaseServer>;
  restoreTool(): Promise<RestoreTool>;
  /** The container of the Bifract server; undefined where there is none. */
  app(): Promise<AppContainer | undefined>;
  catalog(): Promise<Catalog>;
  database(): Promise<Database>;
  dumpTool(): Promise<DumpTool>;
  logs(): Promise<LogDatabase>;
  /** The way of archived rows back into it. */
  logRestore(): Promise<LogRestore>;
  /** The server's way in for log lines. */
  ingest(): Promise<Ingest>;
  backups(): Promise<Storage>;
  archives(): Promise<Storage>;
  /** Backups or archives in a storage of one kind, whether or not it is the installation's own; undefined where there is none. */
  stored(place: Place, type: 'disk' | 's3'): Promise<Storage | undefined>;
  /** Where it is kept who destroyed what. */
  readonly audit: Audit;
  /** The folder of a path on this machine as storage, and the file's name in it. */
  localFile(path: string): Promise<{ storage: Storage; name: string }>;
  /** Where the databases were found, for people. */
  postgresPlace(): Promise<string>;
  clickhousePlace(): Promise<string>;
  /** Closes what was opened. */
  close(): Promise<void>;
}
