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
 * Who holds what, from what archives prove and what ClickHouse counts; `counts` are of `cutPieces(claims)`.
 *
 * A row is held where it came in before the newest archive over its time was made, or where an archive has exactly as
 * many rows as ClickHouse in the same stretch. Where ClickHouse has more early rows than the archive holds, some came
 * in by the back door (a restore keeps the times of old): nobody can tell which, so none of that stretch is called held.
 */
export function judgeCoverage(
  grid: PeriodGrid,
  claims: readonly Claim[],
  counts: readonly PeriodCount[],
): Judged {
  const pieces = cutPieces(claims);
  const weighed = weigh(claims, pieces, counts);
  const sure = exactPieces(weighed, pieces);
  const cells = counts.map((count) => judgeCell(count, weighed[pieces[count.piece]?.claim ?? -1], sure));
  const unprotected = cells.filter((cell) => cell.unprotected > 0);
  const surplus = weighed.reduce((sum, claim) => sum + claim.surplus, 0);
  return {
    periods: periodsOf(grid, weighed, cells),
    unprotected_rows: surplus + lateRows(counts, sure),
    protected_until: protectedUntil(claims, cells, unprotected),
  };
}

function lateRows(counts: readonly PeriodCount[], sure: ReadonlySet<number>): number {
  return counts.reduce((sum, { piece, late }) => sum + (sure.has(piece) ? 0 : late), 0);
}

function weigh(
  claims: readonly Claim[],
  pieces: readonly ClaimedPiece[],
  counts: readonly PeriodCount[],
): Weighed[] {
  const rows = new Float64Array(pieces.length + 1);
  for (const count of counts)
    if (count.piece >= 0) rows[count.piece + 1] = (rows[count.piece + 1] ?? 0) + count.rows;
  for (let index = 1; index < rows.length; index++) rows[index] = (rows[index] ?? 0) + (rows[index - 1] ?? 0);
  const at = new Map(pieces.map(({ from }, index) => [from, index]));
  const before = (time: number) => rows[at.get(time) ?? 0] ?? 0;
  const weighed = claims.map((claim) => {
    const there = before(claim.to) - before(claim.from);
    return { ...claim, exact: there === claim.rows, fewer: there < claim.rows, surplus: 0 };
  });
  addSurplus(weighed, pieces, counts);
  return weighed;
}

function addSurplus(
  weighed: Weighed[],
  pieces: readonly ClaimedPiece[],
  counts: readonly PeriodCount[],
): void {
  const sure = exactPieces(weighed, pieces);
  const early = new Float64Array(weighed.length);
  for (const { piece, rows, late } of counts) {
    const claim = pieces[piece]?.claim ?? -1;
    if (claim >= 0 && !sure.has(piece)) early[claim] = (early[claim] ?? 0) + rows - late;
  }
  for (const [index, claim] of weighed.entries()) {
    claim.surplus = Math.max(0, (early[index] ?? 0) - claim.rows);
  }
}

/** Pieces that lie in the stretch of an archive which has exactly what ClickHouse has there. */
function exactPieces(weighed: readonly Weighed[], pieces: readonly ClaimedPiece[]): Set<number> {
  const at = new Map(pieces.map(({ from }, index) => [from, index]));
  const opened = new Int32Array(pieces.length + 1);
  for (const { exact, from, to } of weighed) {
    if (!exact) continue;
    const [first, end] = [at.get(from) ?? 0, at.get(to) ?? 0];
    opened[first] = (opened[first] ?? 0) + 1;
    opened[end] = (opened[end] ?? 0) - 1;
  }
  const sure = new Set<number>();
  let depth = 0;
  for (const index of pieces.keys()) {
    depth += opened[index] ?? 0;
    if (depth > 0) sure.add(index);
  }
  return sure;
}

function judgeCell(count: PeriodCount, owner: Weighed | undefined, sure: ReadonlySet<number>): Cell {
  if (sure.has(count.piece)) return { ...count, unprotected: 0, first_unprotected: undefined };
  const surplus = Math.min(owner?.surplus ?? 0, count.rows - count.late);
  const first_unprotected = surplus > 0 ? count.first : (count.first_late ?? undefined);
  return { ...count, unprotected: count.late + surplus, first_unprotected };
}

function protectedUntil(
  claims: readonly Claim[],
  cells: readonly Cell[],
  unprotected: readonly Cell[],
): string | null {
  if (claims.length === 0) return null;
  const first = least([...cells.map((cell) => cell.first), ...claims.map(({ from }) => from)]);
  const gap = least(
    unprotected.map(({ first_unprotected }) => first_unprotected ?? Number.POSITIVE_INFINITY),
  );
  if (gap <= first) return null;
  const end = Number.isFinite(gap) ? gap : greatest(claims.map(({ to }) => to - 1));
  return new Date(end).toISOString();
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
}

function greatest(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
}
