import type { Database, DatabaseProperties } from './database.ts';
import type { CallOptions, Timestamp } from './types.ts';

/** A session on the database to be replaced. Idle sessions of this program are not listed. */
export interface DatabaseSession {
  pid: number;
  user: string;
  /** `application_name`; may be empty. */
  application: string;
  /** Client address; null for a socket. */
  client: string | null;
  /** As reported by PostgreSQL: `active`, `idle`, `idle in transaction`. */
  state: string;
  since: Timestamp;
}

/** A PostgreSQL server and the user that connects to it. */
export interface ServerInfo {
  /** As `16.4`. */
  version: string;
  user: string;
  /** Whether that user may create, and so rename, databases. */
  can_create: boolean;
  superuser: boolean;
  /** Roles that the user may make owner of an object, and PostgreSQL's built-in roles. */
  roles: string[];
  /** All roles. */
  all_roles: string[];
  /** Tablespaces that the user may create objects in. */
  tablespaces: string[];
  /** Extensions that could be created, whatever the user's privileges. */
  extensions: AvailableExtension[];
}

/** An extension that is installed on the server's machine. */
export interface AvailableExtension {
  name: string;
  /** The version that `CREATE EXTENSION` creates. */
  version: string;
  /** Whether that takes a superuser. */
  superuser_only: boolean;
}

/** What is applied together: settings before the data is restored, the rest (comment, limit, privileges) afterwards. */
export type PropertyPart = 'settings' | 'other';

/** A property that the server refused to set. */
export interface RefusedProperty {
  /** What a superuser has to run. */
  statement: string;
  reason: string;
}

/** A database as the server lists it. */
export interface DatabaseInfo {
  /** Distinguishes it from a later database of the same name. */
  oid: number;
  size_bytes: number;
  /** Whether the user has the privileges of its owner, which renaming takes. */
  owned: boolean;
  /** What prevents renaming it, one line each: prepared transactions, replication slots. */
  pinned: string[];
}

/** Exclusive access for a job that reads or replaces all of a database. Released with its connection at the latest. */
export interface DatabaseLock {
  release(): Promise<void>;
}

/** Which database replaces which. */
export interface DatabaseSwap {
  /** Name of the database that is replaced, and of the new one afterwards. */
  live: string;
  fresh: string;
  /** New name of the replaced database. */
  old: string;
  /** End all sessions, not only idle ones of this program. */
  end_sessions: boolean;
}

/**
 * Creates, swaps and drops databases of the installation's PostgreSQL server. Errors: `POSTGRES_UNREACHABLE`,
 * `QUERY_FAILED`; after an abort, the signal's reason.
 */
export interface DatabaseServer {
  info(options?: CallOptions): Promise<ServerInfo>;
  find(database: string, options?: CallOptions): Promise<DatabaseInfo | undefined>;
  /** Sessions connected to the database, except idle ones of this program. */
  sessions(database: string, options?: CallOptions): Promise<DatabaseSession[]>;
  /** Free bytes on the file system of the server's data; null if unknown. */
  freeBytes(options?: CallOptions): Promise<number | null>;
  /** The properties of a database; undefined if there is none. */
  properties(database: string, options?: CallOptions): Promise<DatabaseProperties | undefined>;
  /**
   * Creates an empty database, with encoding, locale, tablespace and owner of `properties`. `comment` becomes the comment
   * on the database. `UNSUPPORTED` if the server does not have that encoding, locale, tablespace or owner.
   */
  create(
    database: string,
    about: { properties?: DatabaseProperties; comment: string },
    options?: CallOptions,
  ): Promise<void>;
  /**
   * Sets properties of a database. Returns what the server refused: a privilege, a role or a library is missing. The
   * statements in it name the database `final_name`.
   */
  applyProperties(
    database: string,
    properties: DatabaseProperties,
    how: { part: PropertyPart; final_name: string },
    options?: CallOptions,
  ): Promise<RefusedProperty[]>;
  /** Which of these shared libraries the server does not have; none if the user may not look. */
  missingLibraries(libraries: string[], options?: CallOptions): Promise<string[]>;
  /** Updates the planner's statistics, which a dump does not contain. */
  analyze(database: string, options?: CallOptions): Promise<void>;
  /** The database as the source of a backup. */
  open(database: string): Database;
  /** `BUSY` if a backup or a restore of that database is running. */
  lock(database: string, options?: CallOptions): Promise<DatabaseLock>;
  /** `EXISTS` if the new name is taken. */
  rename(from: string, to: string, options?: CallOptions): Promise<void>;
  /**
   * Does both renames in one transaction; nobody can connect in between. Returns the number of sessions of other
   * programs that were ended. `BUSY` if a session may not be ended, or does not end. Takes a few seconds at most and
   * cannot be cancelled.
   */
  swap(swap: DatabaseSwap): Promise<number>;
  /**
   * Drops a database of this program, with its sessions, subscriptions, replication slots and prepared transactions; false
   * if there is none. The hint of the error has the statements for an administrator.
   */
  drop(database: string, options?: CallOptions): Promise<boolean>;
}

/** The table of contents of a dump. */
export interface DumpContents {
  server_version: string | null;
  pg_dump_version: string | null;
  database: string | null;
  /** Tables with rows in the dump. */
  tables: { schema: string; name: string }[];
}

/** Destination and options of a restore. */
export interface DumpRestoreOptions extends CallOptions {
  database: string;
  /** Also leaves out the privileges. */
  no_owner: boolean;
  no_privileges?: boolean;
  no_tablespaces?: boolean;
  /** Called with each table when its data begins. */
  onTable?: (table: string) => void;
}

/**
 * pg_restore, local or in a container. Always reads the dump to its end, so that the checksum there is verified. An
 * error thrown by the dump is passed on, after the program has been ended.
 */
export interface RestoreTool {
  /** For display: which program, and where. */
  readonly location: string;
  version(options?: CallOptions): Promise<string>;
  /** `UNSUPPORTED`, with the message of pg_restore, if it cannot read the dump. */
  contents(dump: AsyncIterable<Buffer>, options?: CallOptions): Promise<DumpContents>;
  /** Restores into an existing, empty database. `RESTORE_FAILED` at the first error, with the message of pg_restore. */
  restore(dump: AsyncIterable<Buffer>, into: DumpRestoreOptions): Promise<void>;
}

/** A container of the installation that writes to PostgreSQL: that of the Bifract server, or of one of its helpers. */
export interface AppContainer {
  readonly name: string;
  running(options?: CallOptions): Promise<boolean>;
  stop(options?: CallOptions): Promise<void>;
  start(options?: CallOptions): Promise<void>;
}
