import type { CallOptions, Timestamp } from './ports/types.ts';

/**
 * Who holds the rows of a period: `both` ClickHouse and whole archives, `clickhouse` alone (not protected), `archive`
 * alone (gone from ClickHouse), `partial`: archives hold some of what ClickHouse has; `none`: nobody has any.
 */
export type CoverageState = 'both' | 'clickhouse' | 'archive' | 'partial' | 'none';

/** One hour or day of a fractal. */
export interface CoveragePeriod {
  from: Timestamp;
  to: Timestamp;
  state: CoverageState;
  /** Rows in ClickHouse now. */
  rows: number;
  /** Completed archives that hold the period, wholly or in part. */
  archive_ids: string[];
}

export interface Coverage {
  fractal_id: string;
  fractal_name: string;
  /** Length of each period. */
  unit: 'hour' | 'day';
  periods: CoveragePeriod[];
  /** Rows in ClickHouse that no whole archive holds; null where nobody could count. */
  unprotected_rows: number | null;
  /** Until when archives hold everything without a gap, counted from the first row; null where nothing is held. */
  protected_until: Timestamp | null;
}

/** What can be asked about what is protected. */
export interface CoverageQueries {
  /** Coverage of a fractal from its first row, in ClickHouse or in an archive, to its last. */
  coverage(fractal_id: string, query?: CallOptions & { unit?: 'hour' | 'day' }): Promise<Coverage>;
}
