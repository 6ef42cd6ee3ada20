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

/** Periods of one length; one of them begins `shift_ms` before 1970 does. */
export interface PeriodGrid {
  length_ms: number;
  shift_ms: number;
}

/** What ClickHouse holds of one period. */
export interface PeriodStats extends LogStats {
  /** When the period begins, which may be before the window does. */
  start: Timestamp;
}

/** Where in the order of (timestamp, log_id) to begin: with the first row that has this key. */
export interface RowKey {
  /** Milliseconds since 1970. */
  ms: string;
  /** The log id's bytes, hex. */
  id: string;
}

/** A stretch of time, up to the next one's beginning, and until when its rows came in that count as early. */
export interface LogPiece {
  /** Unix time, ms. */
  from: number;
  /** Unix time, ms: rows that came in later are late. Null: all are late. */
  until: number | null;
}

/** Which rows to count: those of a fractal, by periods and by pieces. */
export interface CountQuery {
  fractal_id: string;
  grid: PeriodGrid;
  /** In the order of time. */
  pieces: readonly LogPiece[];
  /** Rows that came in so long before the `until` of their piece, or less, are in doubt. */
  doubt_ms: number;
}

/** Rows of one period that are in one piece. */
export interface PeriodCount {
  /** Beginning of the period, Unix time, ms. */
  period: number;
  /** Index of the piece; -1 before the first. */
  piece: number;
  rows: number;
  /** Time of the first and the last row, Unix time, ms. */
  first: number;
  last: number;
  /** Of them, those that came in late; all of them before the first piece. */
  late: number;
  /** Time of the first of these; null where there is none. */
  first_late: number | null;
  /** Of the others, those in doubt, and the time of the first of these. */
  doubtful: number;
  first_doubtful: number | null;
}

export interface LineOptions extends CallOptions {
  /** Write the parsed fields into each line. */
  fields: boolean;
  /** Memory ceiling of the query, bytes. */
  max_memory?: number;
  /** Only the rows from this key on, all of those that have it among them. */
  start?: RowKey;
  /** Ask for less at once: for a server that ran out of memory. Slower. */
  frugal?: boolean;
}

/**
 * Where archive lines come from.
 *
 * Yields blocks of whole NDJSON lines, each ended by a newline, in the order of (timestamp, log_id), exact to
 * the byte; never a part of a line, never an error message as data. A query that fails, mid-stream too, throws
 * `QUERY_FAILED`. Rows that share a key have no order among them: it differs from query to query.
 */
export interface LineSource {
  lines(window: LogWindow, options: LineOptions): AsyncIterable<LineBlock>;
}

/** Whole lines, and how many. */
export interface LineBlock {
  /** Good until the next block is asked for: then their memory may be used again. */
  bytes: Buffer;
  lines: number;
}

/** The log database. Errors: `CLICKHOUSE_UNREACHABLE`, `QUERY_FAILED`. */
export interface LogDatabase extends LineSource {
  version(options?: CallOptions): Promise<string>;
  /** Exact count and time range of a window. */
  stats(window: LogWindow, options?: CallOptions): Promise<LogStats>;
  /** The same of each period of a window that holds rows, the earliest first. */
  periods(window: LogWindow, grid: PeriodGrid, options?: CallOptions): Promise<PeriodStats[]>;
  /** Exact count and time range of every fractal that has rows, by fractal id. */
  statsByFractal(options?: CallOptions): Promise<Map<string, LogStats>>;
  /** Exact counts in the order of time; periods without rows are not there. */
  countsByPeriod(query: CountQuery, options?: CallOptions): Promise<PeriodCount[]>;
  close(): Promise<void>;
}
