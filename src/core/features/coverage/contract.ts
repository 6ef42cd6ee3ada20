import type { ServerArchiveStatus } from '../../policy/server-archive.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/**
 * Where the rows of a period are: in ClickHouse and complete archives (`both`), only in ClickHouse (`clickhouse`,
 * unprotected), only in archives (`archive`), some of them in archives (`partial`), or there are none (`none`).
 */
export type CoverageState = 'both' | 'clickhouse' | 'archive' | 'partial' | 'none';

/** One hour or day of a fractal. */
export interface CoveragePeriod {
  from: Timestamp;
  to: Timestamp;
  state: CoverageState;
  rows: number;
  /**
   * Rows in ClickHouse that no complete archive has: an upper bound if only their sum over several periods is known.
   */
  unprotected_rows: number;
  /** Completed archives that cover the period, at least in part. */
  archive_ids: string[];
}

export interface Coverage {
  fractal_id: string;
  fractal_name: string;
  /** Length of each period. */
  unit: 'hour' | 'day';
  periods: CoveragePeriod[];
  /** Rows in ClickHouse that no complete archive has; null if they could not be counted. */
  unprotected_rows: number | null;
  /** Archives hold every row from the first one to this time; null if they hold none. */
  protected_until: Timestamp | null;
  /** The server's own archive, of all fractals; its rows do not count as protected here. Null if there is none. */
  server_archive: ServerArchiveStatus | null;
}

export interface CoverageQuery extends CallOptions {
  /** Length of the periods. */
  unit?: 'hour' | 'day';
}

/** Queries about which rows archives protect. */
export interface CoverageQueries {
  /**
   * Coverage of a fractal from its first row, in ClickHouse or an archive, to its last; by day unless specified. If
   * that is very many periods, those without rows in ClickHouse may be omitted. `NOT_FOUND` if the fractal does not
   * exist.
   */
  coverage(fractal_id: string, query?: CoverageQuery): Promise<Coverage>;
}
