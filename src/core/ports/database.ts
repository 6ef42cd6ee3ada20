import type { CallOptions } from './types.ts';

/** A table and its exact number of rows. */
export interface TableCount {
  schema: string;
  name: string;
  rows: number;
  /**
   * CRC-32 of all rows, in the text and order of `COPY … TO STDOUT` in the encoding of the database; absent if they were
   * only counted.
   */
  crc32?: number;
  /** `pg_table_size`, bytes: roughly its size in a dump. */
  size_bytes: number;
}

/** A database's own properties: what its dump does not contain. */
export interface DatabaseProperties {
  /** For example `UTF8`. */
  encoding: string;
  locale_provider: 'libc' | 'icu' | 'builtin';
  /** LC_COLLATE and LC_CTYPE. */
  collate: string;
  ctype: string;
  /** Locale of ICU or of the builtin provider. */
  locale: string | null;
  icu_rules: string | null;
  tablespace: string;
  /** Null: the user that creates it. */
  owner: string | null;
  /** -1: none. */
  connection_limit: number;
  comment: string | null;
  /** `ALTER DATABASE … SET`, and with a role `ALTER ROLE … IN DATABASE … SET`. Values may be secret. */
  settings: { role: string | null; name: string; value: string }[];
  /** Privileges on the database, those of PUBLIC with the role null; null for PostgreSQL's defaults. */
  privileges: { role: string | null; privilege: string; grantable: boolean }[] | null;
}

/** An extension of a database. */
export interface ExtensionVersion {
  name: string;
  version: string;
}

/** One consistent view of the whole database, open until `close`. */
export interface DatabaseSnapshot {
  /** Snapshot name for `pg_dump --snapshot`. */
  id: string;
  database: string;
  server_version: string;
  /** `pg_database_size`, bytes: upper bound of what a dump reads. */
  size_bytes: number;
  properties: DatabaseProperties;
  extensions: ExtensionVersion[];
  /** Number of large objects. */
  large_objects: number;
  /**
   * Exact row counts of all ordinary tables in this snapshot. The smallest tables that have no more than `checksum_bytes`
   * together are read in full and have a checksum; by default none.
   */
  tables(options?: CallOptions & { checksum_bytes?: number }): Promise<TableCount[]>;
  close(): Promise<void>;
}

/** The PostgreSQL database as the source of a backup. */
export interface Database {
  /** `exclusive` locks out other backups and restores of this database until the snapshot is closed; `BUSY` if one runs. */
  snapshot(options?: CallOptions & { exclusive?: boolean }): Promise<DatabaseSnapshot>;
}

export interface DumpOptions extends CallOptions {
  snapshot?: string;
  encoding?: string;
  only_definitions?: boolean;
  onTable?: (table: string) => void;
}

/**
 * pg_dump, local or in a container.
 *
 * The iterator throws `DUMP_FAILED`, with the message of pg_dump, unless the program succeeded: a dump that was read to
 * the end without an error is complete. Stopping the iteration, or the signal, ends the program, in a container too.
 */
export interface DumpTool {
  /** For display: which program, and where. */
  readonly location: string;
  /** Version of the program, as `15.18`. */
  version(options?: CallOptions): Promise<string>;
  /**
   * Runs `pg_dump -Fc` without compression. `encoding` is that of the database: another one, which a role may have as
   * default, cannot hold every text. `onTable` is called with each table when its data begins. With `only_definitions`, the
   * dump has no data.
   */
  dump(options: DumpOptions): AsyncIterable<Buffer>;
}
