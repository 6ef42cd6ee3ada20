import type { CallOptions, Timestamp } from './types.ts';

/** Rows of one fractal with `from ≤ timestamp < to`; without bounds, all. */
export interface LogWindow {
  fractal_id: string;
  from?: Timestamp;
  to?: Timestamp;
}

/** What ClickHouse itself says of a window. */
export interface LogStats {
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
}

export interface LineOptions extends CallOptions {
  /** Write the parsed fields into each line. */
  fields: boolean;
  /** Memory ceiling of the query, bytes. */
  max_memory?: number;
}

/**
 * Where archive lines come from.
 *
 * Yields blocks of whole NDJSON lines, each ended by a newline, in the order of (timestamp, log_id), exact to
 * the byte; never a part of a line, never an error message as data. A query that fails, mid-stream too, throws
 * `QUERY_FAILED`.
 */
export interface LineSource {
  lines(window: LogWindow, options: LineOptions): AsyncIterable<LineBlock>;
}

/** Whole lines, and how many. */
export interface LineBlock {
  bytes: Buffer;
  lines: number;
}

/** The log database. Errors: `CLICKHOUSE_UNREACHABLE`, `QUERY_FAILED`. */
export interface LogDatabase extends LineSource {
  version(options?: CallOptions): Promise<string>;
  /** Exact count and time range of a window. */
  stats(window: LogWindow, options?: CallOptions): Promise<LogStats>;
  /** Exact count and time range of every fractal that has rows, by fractal id. */
  statsByFractal(options?: CallOptions): Promise<Map<string, LogStats>>;
  close(): Promise<void>;
}
