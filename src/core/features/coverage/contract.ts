import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { CoveragePeriod } from './periods.ts';

export type { CoveragePeriod, CoverageState } from './periods.ts';

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
}

/** Queries about which rows archives protect. */
export interface CoverageQueries {
  /**
   * Coverage of a fractal from its first row, in ClickHouse or an archive, to its last; by day unless specified. If
   * that is very many periods, those without rows in ClickHouse may be omitted. `NOT_FOUND` if the fractal does not
   * exist.
   */
  coverage(fractal_id: string, query?: CallOptions & { unit?: 'hour' | 'day' }): Promise<Coverage>;
}
