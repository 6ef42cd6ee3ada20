import type { PeriodCount, PeriodGrid } from '../ports/log-database.ts';
import type { Timestamp } from '../ports/types.ts';
import type { Claim } from './claims.ts';

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
  /** Of them, rows that no whole archive holds: at most so many where only their sum over several periods is known. */
  unprotected_rows: number;
  /** Completed archives that hold the period, wholly or in part. */
  archive_ids: string[];
}

/** More periods than that are listed only where there are rows: one row dated 1970 must not make half a million. */
const MANY = 20_000;

/** A count, and what of it no archive holds. */
export interface Cell extends PeriodCount {
  unprotected: number;
  /** When the first such row is, at the earliest; infinity where there is none. */
  first_unprotected: number;
}

/** A claim beside what ClickHouse has in its stretch of time now. */
export interface Weighed extends Claim {
  /** ClickHouse has its first row still, and exactly as many early ones: they are the same ones. */
  exact: boolean;
  /** ClickHouse has fewer: some are in the archive alone. */
  fewer: boolean;
  /** Early rows that it speaks for. */
  early: number;
  /** Of them, those in doubt. */
  doubtful: number;
}

/** The periods of that length from the first row to the last one, each with who holds it. */
export function periodsOf(
  { length_ms, shift_ms }: PeriodGrid,
  weighed: readonly Weighed[],
  cells: readonly Cell[],
): CoveragePeriod[] {
  const byPeriod = Map.groupBy(cells, ({ period }) => period);
  const claims = [...weighed].sort((a, b) => a.from - b.from);
  const over = new Set<Weighed>();
  let next = 0;
  return startsOf({ length_ms, shift_ms }, claims, [...byPeriod.keys()]).map((start) => {
    for (; (claims[next]?.from ?? Number.POSITIVE_INFINITY) < start + length_ms; next++) {
      over.add(claims[next] as Weighed);
    }
    for (const claim of over) if (claim.to <= start) over.delete(claim);
    return periodOf(start, length_ms, byPeriod.get(start) ?? [], [...over]);
  });
}

/** Beginnings of the periods to list, in order. */
function startsOf(
  { length_ms, shift_ms }: PeriodGrid,
  claims: readonly Weighed[],
  filled: readonly number[],
): number[] {
  const floor = (time: number) => Math.floor((time + shift_ms) / length_ms) * length_ms - shift_ms;
  const starts = new Set(filled);
  for (const { from, to } of claims) starts.add(floor(from)).add(floor(to - 1));
  const sorted = [...starts].sort((a, b) => a - b);
  const [first = 0, last = first] = [sorted[0], sorted.at(-1)];
  const count = (last - first) / length_ms + 1;
  if (sorted.length === 0 || count > MANY) return sorted;
  return Array.from({ length: count }, (_, index) => first + index * length_ms);
}

function periodOf(
  from: number,
  length: number,
  cells: readonly Cell[],
  claims: readonly Weighed[],
): CoveragePeriod {
  const rows = cells.reduce((sum, cell) => sum + cell.rows, 0);
  const unprotected_rows = cells.reduce((sum, cell) => sum + cell.unprotected, 0);
  return {
    from: new Date(from).toISOString(),
    to: new Date(from + length).toISOString(),
    state: stateOf(rows, unprotected_rows, cells, claims),
    rows,
    unprotected_rows,
    archive_ids: claims.map(({ archive_id }) => archive_id),
  };
}

function stateOf(
  rows: number,
  unprotected: number,
  cells: readonly Cell[],
  claims: readonly Weighed[],
): CoverageState {
  if (rows === 0) return claims.some(({ fewer }) => fewer) ? 'archive' : 'none';
  if (unprotected === 0) return 'both';
  // What only an archive's sum calls too many may be held all the same.
  const lost = cells.every((cell) => cell.unprotected === cell.rows && cell.late === cell.rows);
  return lost ? 'clickhouse' : 'partial';
}
