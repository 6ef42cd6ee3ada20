import type { LogWindow } from './log-database.ts';
import type { CallOptions, Timestamp } from './types.ts';

/** Rows of one partition in a staging table. */
export interface StagedPartition {
  /** ClickHouse partition ID, such as `202603`. */
  id: string;
  rows: number;
  first: Timestamp;
  last: Timestamp;
}

/** A partition of a staging table, and the fractal its rows will be restored to. */
export interface StagedPart {
  table: string;
  partition: StagedPartition;
  fractal_id: string;
}

export interface RestoreCallOptions extends CallOptions {
  /** Memory limit of one statement, bytes. */
  max_memory?: number;
}

export interface LoadOptions extends RestoreCallOptions {
  /** Accept fields that are not valid UTF-8. Slower. */
  lenient?: boolean;
}

/**
 * Restores rows into the log database: they are loaded into staging tables next to the logs, then attached partition by
 * partition, each in one step.
 *
 * Errors: `CLICKHOUSE_UNREACHABLE`, `QUERY_FAILED`. After a lost connection the statement may have run or may still be
 * running: `drop` of its table waits for it to end, and prevents it from starting later.
 */
export interface LogRestore {
  /** Creates an empty table with the schema of the logs table. */
  create(table: string, options?: CallOptions): Promise<void>;
  /**
   * Loads archive lines (`ts`, `raw` or `raw64`, `id`, `its`, `fields`) into a table as rows of a fractal. A failed load may
   * have written some of them.
   */
  load(table: string, fractal_id: string, lines: AsyncIterable<Buffer>, options?: LoadOptions): Promise<void>;
  count(table: string, options?: CallOptions): Promise<number>;
  partitions(table: string, options?: CallOptions): Promise<StagedPartition[]>;
  /** Adds a partition of one table to another. The first table keeps it; no row is copied. */
  clonePartition(from: string, to: string, partition: string, options?: CallOptions): Promise<void>;
  /**
   * Inserts into `to` the rows of a partition that are missing from the logs, with multiplicity: of each distinct row, as many
   * as the partition has more. Rows are equal if time, log line, id and ingest time are; fields are parsed from the line.
   */
  insertMissing(part: StagedPart, to: string, options?: RestoreCallOptions): Promise<void>;
  /** Attaches a partition of a table to the logs, all or nothing. Not idempotent: a second call duplicates the rows. */
  attach(from: string, partition: string, options?: CallOptions): Promise<void>;
  /** Number of rows of a window ingested up to `cutoff_ms`, Unix time. */
  countUntil(window: LogWindow, cutoff_ms: number, options?: CallOptions): Promise<number>;
  /** Deletes these rows from the logs. */
  removeUntil(window: LogWindow, cutoff_ms: number, options?: CallOptions): Promise<void>;
  /**
   * Corrects the counts per minute that some servers keep next to the logs, for the minutes of a window. Idempotent; does
   * nothing if the server keeps none.
   */
  updateCounts(window: LogWindow, options?: CallOptions): Promise<void>;
  /** The server's clock, which ingest times come from: Unix time, ms. */
  clock(options?: CallOptions): Promise<number>;
  /** Names of the tables with this prefix. */
  tables(prefix: string, options?: CallOptions): Promise<string[]>;
  /** Drops a table if it exists, and waits for statements that still use it. */
  drop(table: string, options?: CallOptions): Promise<void>;
  /** Free disk space for new rows, bytes; null if unknown. */
  freeBytes(options?: CallOptions): Promise<number | null>;
  close(): Promise<void>;
}
