import type { LogWindow } from './log-database.ts';
import type { CallOptions, Timestamp } from './types.ts';

/** Rows of one partition that stand in a table beside the logs. */
export interface StagedPartition {
  /** As ClickHouse calls it: `202603`. */
  id: string;
  rows: number;
  first: Timestamp;
  last: Timestamp;
}

/** A partition of a staged table, and the fractal that its rows are to go to. */
export interface StagedPart {
  table: string;
  partition: StagedPartition;
  fractal_id: string;
}

export interface RestoreCallOptions extends CallOptions {
  /** Memory ceiling of one statement, bytes. */
  max_memory?: number;
}

export interface LoadOptions extends RestoreCallOptions {
  /** Fields may hold bytes that are no text, which are refused else: slower. */
  lenient?: boolean;
}

/**
 * The way of rows back into the log database: into tables of their own beside the logs, which nobody reads, and from
 * there by whole partitions, each in one step.
 *
 * Errors: `CLICKHOUSE_UNREACHABLE`, `QUERY_FAILED`. Where the connection broke, a statement may have been executed,
 * or may be just now: `drop` of the table that it works on waits for its end, and keeps it from beginning later.
 */
export interface LogRestore {
  /** Makes an empty table like that of the logs. */
  create(table: string, options?: CallOptions): Promise<void>;
  /**
   * Writes archive lines, `ts`, `raw` or `raw64`, `id`, `its`, `fields`, into a table as rows of a fractal. One that fails may
   * have written some of them.
   */
  load(table: string, fractal_id: string, lines: AsyncIterable<Buffer>, options?: LoadOptions): Promise<void>;
  count(table: string, options?: CallOptions): Promise<number>;
  partitions(table: string, options?: CallOptions): Promise<StagedPartition[]>;
  /** Adds a partition of one table to another; it stays in the first. No row is copied. */
  share(from: string, to: string, partition: string, options?: CallOptions): Promise<void>;
  /**
   * Writes to `to` what of a partition is not among the logs: of each distinct row as many as there are more of it. Rows are the same
   * where time, log line, id and time of ingest are: fields are parsed from the line, and need not be looked at.
   */
  difference(part: StagedPart, to: string, options?: RestoreCallOptions): Promise<void>;
  /** Adds a partition of a table to the logs, all of it or nothing. Done twice it doubles. */
  attach(from: string, partition: string, options?: CallOptions): Promise<void>;
  /** Rows of a window that were ingested up to that moment, milliseconds since 1970. */
  countUntil(window: LogWindow, cutoff_ms: number, options?: CallOptions): Promise<number>;
  /** Removes these from the logs. */
  removeUntil(window: LogWindow, cutoff_ms: number, options?: CallOptions): Promise<void>;
  /** The clock that times of ingest are from, milliseconds since 1970. */
  clock(options?: CallOptions): Promise<number>;
  /** Tables whose names begin so. */
  tables(prefix: string, options?: CallOptions): Promise<string[]>;
  /** Removes a table, if it is there, and waits for what still works on it. */
  drop(table: string, options?: CallOptions): Promise<void>;
  /** Room that the server has for new rows, bytes; null where it does not tell. */
  freeBytes(options?: CallOptions): Promise<number | null>;
  close(): Promise<void>;
}
