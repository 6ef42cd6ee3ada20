import type { CoveragePeriod } from './policy/coverage-periods.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

export type { CoveragePeriod, CoverageState } from './policy/coverage-periods.ts';

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
  /**
   * Coverage of a fractal from its first row, in ClickHouse or in an archive, to its last; by days unless told
   * otherwise. Where that would be very many periods, those without rows in
   * ClickHouse may be left out. `NOT_FOUND` where there is
   * no such fractal.
   */
  coverage(fractal_id: string, query?: CallOptions & { unit?: 'hour' | 'day' }): Promise<Coverage>;
}
