import type { LogsShape } from './installation-shape.ts';
import type { CallOptions, ShapeOptions, Timestamp } from './types.ts';

/** Rows of one fractal with `from ≤ timestamp < to`; a missing bound is open. */
export interface LogWindow {
  fractal_id: string;
  from?: Timestamp;
  to?: Timestamp;
}

/** Exact row count and time range, as counted by ClickHouse. */
export interface LogStats {
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
}

/** Periods of equal length; one of them starts `shift_ms` before the Unix epoch. */
export interface PeriodGrid {
  length_ms: number;
  shift_ms: number;
}

/** Row count and time range of one period. */
export interface PeriodStats extends LogStats {
  /** Start of the period; may be earlier than the start of the window. */
  start: Timestamp;
}

/** Sort key (timestamp, log_id) of a row. Reading from a key starts with the first row that has it. */
export interface RowKey {
  /** Unix time, ms. */
  ms: string;
  /** Bytes of the log id, hex. */
  id: string;
}

/** A span of time that ends where the next one starts. Rows ingested after `until` count as late. */
export interface LogSpan {
  /** Unix time, ms. */
  from: number;
  /** Unix time, ms: rows ingested later are late. Null: all rows are late. */
  until: number | null;
}

/** Counts the rows of a fractal by period and span. */
export interface CountQuery {
  fractal_id: string;
  grid: PeriodGrid;
  /** Sorted by time. */
  spans: readonly LogSpan[];
  /** Rows ingested no more than this long before the `until` of their span are doubtful. */
  doubt_ms: number;
}

/** Rows of one period within one span. */
export interface PeriodCount {
  /** Start of the period, Unix time, ms. */
  period: number;
  /** Index of the span; -1 before the first. */
  span: number;
  rows: number;
  /** Time of the first and last row, Unix time, ms. */
  first: number;
  last: number;
  /** Rows ingested late; before the first span, all of them. */
  late: number;
  /** Time of the first late row; null if there is none. */
  first_late: number | null;
  /** Of the other rows, the doubtful ones, and the time of the first. */
  doubtful: number;
  first_doubtful: number | null;
}

export interface LineOptions extends CallOptions {
  /** Include the parsed fields in each line. */
  fields: boolean;
  /** Memory limit of the queries together, bytes. */
  max_memory?: number;
  /** Queries at a time; default: by the cores and memory of the server, and the cores here. */
  parallel?: number;
  /** Start with the first row that has this key. */
  start?: RowKey;
  /** Read in smaller blocks, for a server that ran out of memory. Slower. */
  low_memory?: boolean;
}

/** Complete lines. */
export interface LineBlock {
  /** Valid until the next block is requested; the memory is then reused. */
  bytes: Buffer;
  lines: number;
}

/** The log database. Errors: `CLICKHOUSE_UNREACHABLE`, `QUERY_FAILED`. */
export interface LogDatabase {
  version(options?: CallOptions): Promise<string>;
  /** Shape of the table. Read once, unless asked again. `UNSUPPORTED` for an unknown release. */
  shape(options?: ShapeOptions): Promise<LogsShape>;
  /** Exact row count and time range of a window. */
  stats(window: LogWindow, options?: CallOptions): Promise<LogStats>;
  /** The same for each period of a window that has rows, earliest first. */
  periods(window: LogWindow, grid: PeriodGrid, options?: CallOptions): Promise<PeriodStats[]>;
  /** Exact row count and time range of every fractal that has rows, by fractal id. */
  statsByFractal(options?: CallOptions): Promise<Map<string, LogStats>>;
  /** Exact counts sorted by time; periods without rows are omitted. */
  countsByPeriod(query: CountQuery, options?: CallOptions): Promise<PeriodCount[]>;
  /**
   * The archive lines of a window: blocks of complete NDJSON lines in (timestamp, log_id) order, byte-exact; never a partial
   * line, never an error message as data. Throws `QUERY_FAILED` when the query fails, mid-stream as well. The order of rows
   * with the same key is undefined and differs between queries.
   */
  lines(window: LogWindow, options: LineOptions): AsyncIterable<LineBlock>;
  close(): Promise<void>;
}
