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

/** A staging table, the time range of its rows, and the fractal they will be restored to. */
export interface StagedRows extends Pick<StagedPartition, 'first' | 'last'> {
  table: string;
  fractal_id: string;
}

export interface RestoreCallOptions extends CallOptions {
  /** Memory limit of one statement, bytes. */
  max_memory?: number;
}

/** Rows of some time: their number, and the sum of their hashes modulo 2^128. */
export interface RowDigest {
  rows: number;
  hash: bigint;
}

/** Rows of a fractal with `from_ms ≤ time < to_ms`, Unix ms. */
export interface DigestQuery {
  fractal_id: string;
  from_ms: number;
  to_ms: number;
  /** Length of a bucket; the first one starts in 1970. */
  bucket_ms: number;
  /** 16 bytes. Random, so that nobody can write rows whose sum is that of others. */
  salt: Uint8Array;
}

export interface LoadOptions extends RestoreCallOptions {
  /** Accept fields that are not valid UTF-8. Slower. */
  lenient?: boolean;
  /** Number of inserts at a time; default: what cores and memory of the server allow. */
  parallel?: number;
  /** Told once, with the reason, if lines are sent as text because the server does not take them in its own format. */
  onText?: (reason: string) => void;
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
   * have written some of them. Lines are sent in ClickHouse's own format where that is stored exactly like their text.
   */
  load(table: string, fractal_id: string, lines: AsyncIterable<Buffer>, options?: LoadOptions): Promise<void>;
  count(table: string, options?: CallOptions): Promise<number>;
  partitions(table: string, options?: CallOptions): Promise<StagedPartition[]>;
  /** Adds partitions of one table to another. The first table keeps them; no row is copied. */
  clonePartitions(from: string, to: string, ids: readonly string[], options?: CallOptions): Promise<void>;
  /**
   * IDs of the partitions of a table with rows in minutes in which the logs have rows, too. The logs have no row of the
   * others.
   */
  overlapping(rows: StagedRows, options?: CallOptions): Promise<string[]>;
  /**
   * Inserts into `to` the rows of a table that are missing from the logs, with multiplicity: of each distinct row, as many
   * as the table has more. Rows are equal if time, log line, id and ingest time are; fields are parsed from the line.
   */
  insertMissing(rows: StagedRows, to: string, options?: RestoreCallOptions): Promise<void>;
  /**
   * Whether the log line is a part of what makes a row, for `insertMissing` and `digests`. Null if the table is not one
   * whose rows can be digested.
   */
  rowIdentity(options?: CallOptions): Promise<{ line: boolean } | null>;
  /**
   * Digests the rows of the logs by time. Buckets are numbered; empty ones are left out. The hash of a row is the first 128
   * bits (lowest byte first) of the SHA-256 of: salt, time and ingest time (Unix ms, 64 bits), length of the ID (32 bits),
   * ID, and the log line if `rowIdentity` says so. Numbers have the lowest byte first.
   */
  digests(query: DigestQuery, options?: RestoreCallOptions): Promise<Map<number, RowDigest>>;
  /**
   * Attaches partitions of a table to the logs, each of them all or nothing. Not idempotent: a second call duplicates the
   * rows.
   */
  attach(from: string, ids: readonly string[], options?: CallOptions): Promise<void>;
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
