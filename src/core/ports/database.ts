import type { CallOptions } from './types.ts';

/** A table and its exact number of rows. */
export interface TableCount {
  schema: string;
  name: string;
  rows: number;
  /** `pg_table_size`, bytes: roughly its size in a dump. */
  size_bytes: number;
}

/** One consistent view of the whole database, open until `close`. */
export interface DatabaseSnapshot {
  /** Snapshot name for `pg_dump --snapshot`. */
  id: string;
  database: string;
  server_version: string;
  /** `pg_database_size`, bytes: upper bound of what a dump reads. */
  size_bytes: number;
  /** Exact row counts of all ordinary tables in this snapshot. */
  tables(options?: CallOptions): Promise<TableCount[]>;
  close(): Promise<void>;
}

/** The PostgreSQL database as the source of a backup. */
export interface Database {
  /** `exclusive` locks out other backups and restores of this database until the snapshot is closed; `BUSY` if one runs. */
  snapshot(options?: CallOptions & { exclusive?: boolean }): Promise<DatabaseSnapshot>;
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
  /** Runs `pg_dump -Fc` without compression. `onTable` is called with each table when its data begins. */
  dump(
    options: CallOptions & { snapshot?: string; onTable?: (table: string) => void },
  ): AsyncIterable<Buffer>;
}
