export type { RestoreSession } from '../restore.ts';

import type { RestoreSession } from '../restore.ts';
import type { Database } from './database.ts';
import type { CallOptions } from './types.ts';

/** What is known of a PostgreSQL server, and of the user that connects to it. */
export interface ServerAbout {
  /** As `16.4`. */
  version: string;
  user: string;
  /** Whether that user may make databases, and so rename them. */
  can_create: boolean;
  /** Names of the roles to which that user can give what it makes, and of PostgreSQL's own. */
  roles: string[];
}

/** A database as the server lists it. */
export interface DatabaseAbout {
  /** Tells it from a later one of the same name. */
  oid: number;
  size_bytes: number;
  /** What keeps it from being renamed, a sentence each: prepared transactions, logical replication. */
  pinned: string[];
}

/** The right to be the only job that reads or replaces all of a database. Ends with its connection at the latest. */
export interface Hold {
  release(): Promise<void>;
}

/** Which database takes whose place. */
export interface Swap {
  /** Name of the database that is replaced; afterwards that of the fresh one. */
  live: string;
  fresh: string;
  /** New name of the one that is replaced. */
  old: string;
  /** End everybody's sessions, not only the idle ones of this program. */
  end_sessions: boolean;
}

/**
 * The PostgreSQL server of the installation, as something whose databases are made, swapped and dropped. Errors:
 * `POSTGRES_UNREACHABLE`, `QUERY_FAILED`; after an abort, the signal's reason.
 */
export interface DatabaseServer {
  about(options?: CallOptions): Promise<ServerAbout>;
  find(database: string, options?: CallOptions): Promise<DatabaseAbout | undefined>;
  /** Who is connected to it, but for idle sessions of this program. */
  sessions(database: string, options?: CallOptions): Promise<RestoreSession[]>;
  /** Free bytes where the server keeps its data; null where that cannot be known. */
  freeBytes(options?: CallOptions): Promise<number | null>;
  /**
   * Makes an empty database with encoding, locale, tablespace and owner of the database `like`, where there is one.
   * `comment` says whose it is.
   */
  create(
    database: string,
    properties: { like?: string; comment: string },
    options?: CallOptions,
  ): Promise<void>;
  /** Gives `to` what a dump does not carry: settings, privileges, comment and connection limit of `from`. */
  copyProperties(from: string, to: string, options?: CallOptions): Promise<void>;
  /** The planner's statistics, which a dump does not carry. */
  analyze(database: string, options?: CallOptions): Promise<void>;
  /** The database as something to be read. */
  open(database: string): Database;
  /** `BUSY` where a backup or a restore of that database runs already. */
  hold(database: string, options?: CallOptions): Promise<Hold>;
  /** One rename. `EXISTS` where the new name is taken. */
  rename(from: string, to: string, options?: CallOptions): Promise<void>;
  /**
   * Both renames or none, in one transaction, with nobody connected and nobody able to connect in between. Returns
   * how many sessions of others it ended. `BUSY` where somebody is connected whose session may not be ended, or
   * does not end. Takes a few seconds at most, and no signal: it happens, or it does not.
   */
  swap(swap: Swap): Promise<number>;
  /** Drops it, ending the sessions on it; false where there is none. */
  drop(database: string, options?: CallOptions): Promise<boolean>;
}

/** What a dump says that it holds. */
export interface DumpContents {
  server_version: string | null;
  pg_dump_version: string | null;
  database: string | null;
  /** Tables whose rows it holds. */
  tables: { schema: string; name: string }[];
  /** The end of each line of its list, where the owner stands. */
  owner_lines: string[];
}

/** Where and how a dump is restored. */
export interface RestoreInto extends CallOptions {
  database: string;
  no_owner: boolean;
  /** Told each table as its data begins. */
  onTable?: (table: string) => void;
}

/**
 * pg_restore, wherever it runs. The dump is read to its very end in any case, so that whatever proof of its
 * wholeness stands there is seen. What the dump throws is thrown as it is; the program ends then.
 */
export interface RestoreTool {
  /** For people: which program, where. */
  readonly location: string;
  version(options?: CallOptions): Promise<string>;
  /** What the dump holds. `UNSUPPORTED` with pg_restore's own words where it cannot read it. */
  contents(dump: AsyncIterable<Buffer>, options?: CallOptions): Promise<DumpContents>;
  /** Restores into a database that is there and empty. `RESTORE_FAILED`, at the first error, in pg_restore's own words. */
  restore(dump: AsyncIterable<Buffer>, into: RestoreInto): Promise<void>;
}

/** The container of the Bifract server. */
export interface AppContainer {
  readonly name: string;
  running(options?: CallOptions): Promise<boolean>;
  stop(options?: CallOptions): Promise<void>;
  start(options?: CallOptions): Promise<void>;
}
