import type { CallOptions } from './types.ts';

/** A table and its exact number of rows. */
export interface TableCount {
  schema: string;
  name: string;
  rows: number;
  /** `pg_table_size`, bytes: about what its part of a dump will be. */
  size_bytes: number;
}

/** One consistent view of the whole database, held open until it is closed. */
export interface DatabaseSnapshot {
  /** PostgreSQL's name of it, for `pg_dump --snapshot`. */
  id: string;
  database: string;
  server_version: string;
  /** `pg_database_size`, bytes: an upper bound of what a dump reads. */
  size_bytes: number;
  /** Counts of all ordinary tables, exact, as of this snapshot. */
  tables(options?: CallOptions): Promise<TableCount[]>;
  close(): Promise<void>;
}

/** The PostgreSQL database as something to be backed up. */
export interface Database {
  /** `exclusive`: `BUSY` where another backup, or a restore, of this database runs; until the snapshot is closed. */
  snapshot(options?: CallOptions & { exclusive?: boolean }): Promise<DatabaseSnapshot>;
}

/**
 * pg_dump, wherever it runs.
 *
 * The dump's iterator throws `DUMP_FAILED` with pg_dump's own words unless the program ended well: whoever
 * reads it to the end without an error has the whole dump. Ending the iteration early, or the signal, ends
 * the program, in a container too.
 */
export interface DumpTool {
  /** For people: which program, where. */
  readonly location: string;
  /** Version of the program, as `15.18`. */
  version(options?: CallOptions): Promise<string>;
  /** `pg_dump -Fc` without compression of its own. `onTable` is told each table as its data begins. */
  dump(
    options: CallOptions & { snapshot?: string; onTable?: (table: string) => void },
  ): AsyncIterable<Buffer>;
}
