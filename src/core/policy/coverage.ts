import type { PeriodCount, PeriodGrid } from '../ports/log-database.ts';
import type { Timestamp } from '../ports/types.ts';
import { type Claim, type ClaimedPiece, cutPieces } from './claims.ts';
import { type Cell, type CoveragePeriod, periodsOf, type Weighed } from './coverage-periods.ts';

/** Who holds what of a fractal. */
export interface Judged {
  periods: CoveragePeriod[];
  /** Rows in ClickHouse that no whole archive holds. */
  unprotected_rows: number;
  /** Until when archives hold everything without a gap, counted from the first row; null where nothing is held. */
  protected_until: Timestamp | null;
}

/**
 * Who holds what, from what archives prove and what ClickHouse counts; `counts` are of `cutPieces(claims)`, with
 * `ARRIVAL_MS` of doubt.
 *
 * A row is held where it came in before the newest archive over its time was begun. Of those that came in just before,
 * that is believed where archive and ClickHouse have exactly as many. Where ClickHouse has more early rows than the
 * archive, some came in by the back door (a restore keeps the times of old): nobody can tell which, so none of that
 * stretch is called held.
 */
export function judgeCoverage(
  grid: PeriodGrid,
  claims: readonly Claim[],
  counts: readonly PeriodCount[],
): Judged {
  const { weighed, cells } = judgeCells(claims, counts);
  const late = counts.reduce((sum, count) => sum + count.late, 0);
  return {
    periods: periodsOf(grid, weighed, cells),
    unprotected_rows: weighed.reduce((sum, claim) => sum + missing(claim), late),
    protected_until: protectedUntil(claims, cells),
  };
}

/** What of each count no archive holds. */
export function judgeCells(
  claims: readonly Claim[],
  counts: readonly PeriodCount[],
): { weighed: Weighed[]; cells: Cell[] } {
  const pieces = cutPieces(claims);
  const weighed = weigh(claims, pieces, counts);
  return {
    weighed,
    cells: counts.map((count) => judgeCell(count, weighed[pieces[count.piece]?.claim ?? -1])),
  };
}

function weigh(
  claims: readonly Claim[],
  pieces: readonly ClaimedPiece[],
  counts: readonly PeriodCount[],
): Weighed[] {
  const sums = sumUp(pieces.length, counts);
  const at = new Map(pieces.map(({ from }, index) => [from, index]));
  const firsts = new Set(counts.map(({ first }) => first));
  const weighed = claims.map((claim) => {
    const [begin = 0, end = 0] = [at.get(claim.from), at.get(claim.to)];
    const within = (sum: Float64Array) => (sum[end] ?? 0) - (sum[begin] ?? 0);
    return {
      ...claim,
      exact: within(sums.early) === claim.rows && firsts.has(claim.from),
      fewer: within(sums.rows) < claim.rows,
      early: 0,
      doubtful: 0,
    };
  });
  for (const { piece, rows, late, doubtful } of counts) {
    const owner = weighed[pieces[piece]?.claim ?? -1];
    if (!owner) continue;
    owner.early += rows - late;
    owner.doubtful += doubtful;
  }
  return weighed;
}

/** Rows before each piece. */
function sumUp(length: number, counts: readonly PeriodCount[]) {
  const [rows, early] = [new Float64Array(length + 1), new Float64Array(length + 1)];
  for (const count of counts.filter(({ piece }) => piece >= 0)) {
    rows[count.piece + 1] = (rows[count.piece + 1] ?? 0) + count.rows;
    early[count.piece + 1] = (early[count.piece + 1] ?? 0) + count.rows - count.late;
  }
  for (let index = 1; index <= length; index++) {
    rows[index] = (rows[index] ?? 0) + (rows[index - 1] ?? 0);
    early[index] = (early[index] ?? 0) + (early[index - 1] ?? 0);
  }
  return { rows, early };
}

/** Early rows that a claim speaks for and that may not be in its archive. */
function missing({ exact, early, doubtful, rows }: Weighed): number {
  return exact ? 0 : Math.max(doubtful, early - rows);
}

function judgeCell(count: PeriodCount, owner: Weighed | undefined): Cell {
  const early = count.rows - count.late;
  const surplus = owner && !owner.exact ? Math.max(0, owner.early - owner.rows) : 0;
  const doubtful = owner && !owner.exact ? count.doubtful : 0;
  const unprotected = count.late + Math.max(doubtful, Math.min(surplus, early));
  const firsts = [
    count.first_late,
    doubtful > 0 ? count.first_doubtful : null,
    surplus > 0 ? count.first : null,
  ];
  return { ...count, unprotected, first_unprotected: least(firsts.filter((first) => first !== null)) };
}

function protectedUntil(claims: readonly Claim[], cells: readonly Cell[]): string | null {
  if (claims.length === 0) return null;
  const first = least([...cells.map((cell) => cell.first), ...claims.map(({ from }) => from)]);
  const gap = least(cells.map(({ first_unprotected }) => first_unprotected));
  if (gap <= first) return null;
  const end = Number.isFinite(gap) ? gap : greatest(claims.map(({ to }) => to - 1));
  return new Date(end).toISOString();
}

/** Infinity where there is none. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
}

function greatest(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
}
