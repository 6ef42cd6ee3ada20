import type { PeriodCount, PeriodGrid } from '../../ports/log-database.ts';
import type { Coverage } from './contract.ts';
import { type ArchiveEvidence, cutPieces, type EvidencePiece } from './evidence.ts';
import { type Cell, type ComparedEvidence, periodsOf } from './periods.ts';

/**
 * Compares archives with ClickHouse; `counts` are those for `cutPieces(evidence)`, with `INGEST_DELAY_MS` of doubt.
 *
 * A row is protected if it was ingested before the newest archive of its time started. For rows ingested just before,
 * this is assumed only if archive and ClickHouse have the same number of rows. If ClickHouse has more early rows than
 * the archive, some were added with old times, as by a restore: since it is unknown which ones, the whole range
 * counts as unprotected.
 */
export function evaluateCoverage(
  grid: PeriodGrid,
  evidence: readonly ArchiveEvidence[],
  counts: readonly PeriodCount[],
): Pick<Coverage, 'periods' | 'unprotected_rows' | 'protected_until'> {
  const { compared, cells } = evaluateCells(evidence, counts);
  const late = counts.reduce((sum, count) => sum + count.late, 0);
  return {
    periods: periodsOf(grid, compared, cells),
    unprotected_rows: compared.reduce((sum, entry) => sum + unprovenRows(entry), late),
    protected_until: protectedUntil(evidence, cells),
  };
}

/** How much of each count no archive has. */
export function evaluateCells(
  evidence: readonly ArchiveEvidence[],
  counts: readonly PeriodCount[],
): { compared: ComparedEvidence[]; cells: Cell[] } {
  const pieces = cutPieces(evidence);
  const compared = compareEvidence(evidence, pieces, counts);
  return {
    compared,
    cells: counts.map((count) => evaluateCell(count, compared[pieces[count.span]?.evidence_index ?? -1])),
  };
}

function compareEvidence(
  evidence: readonly ArchiveEvidence[],
  pieces: readonly EvidencePiece[],
  counts: readonly PeriodCount[],
): ComparedEvidence[] {
  const sums = cumulativeCounts(pieces.length, counts);
  const at = new Map(pieces.map(({ from }, index) => [from, index]));
  const firsts = new Set(counts.map(({ first }) => first));
  const compared = evidence.map((entry) => {
    const [begin = 0, end = 0] = [at.get(entry.from), at.get(entry.to)];
    const within = (sum: Float64Array) => (sum[end] ?? 0) - (sum[begin] ?? 0);
    return {
      ...entry,
      exact: within(sums.early) === entry.rows && firsts.has(entry.from),
      fewer: within(sums.rows) < entry.rows,
      early: 0,
      doubtful: 0,
    };
  });
  for (const { span: piece, rows, late, doubtful } of counts) {
    const owner = compared[pieces[piece]?.evidence_index ?? -1];
    if (!owner) continue;
    owner.early += rows - late;
    owner.doubtful += doubtful;
  }
  return compared;
}

/** Cumulative counts, before each piece. */
function cumulativeCounts(length: number, counts: readonly PeriodCount[]) {
  const [rows, early] = [new Float64Array(length + 1), new Float64Array(length + 1)];
  for (const count of counts.filter(({ span: piece }) => piece >= 0)) {
    rows[count.span + 1] = (rows[count.span + 1] ?? 0) + count.rows;
    early[count.span + 1] = (early[count.span + 1] ?? 0) + count.rows - count.late;
  }
  for (let index = 1; index <= length; index++) {
    rows[index] = (rows[index] ?? 0) + (rows[index - 1] ?? 0);
    early[index] = (early[index] ?? 0) + (early[index - 1] ?? 0);
  }
  return { rows, early };
}

/** Early rows that may not be in the archive. */
function unprovenRows({ exact, early, doubtful, rows }: ComparedEvidence): number {
  return exact ? 0 : Math.max(doubtful, early - rows);
}

function evaluateCell(count: PeriodCount, owner: ComparedEvidence | undefined): Cell {
  const early = count.rows - count.late;
  const excess = owner && !owner.exact ? Math.max(0, owner.early - owner.rows) : 0;
  const doubtful = owner && !owner.exact ? count.doubtful : 0;
  const unprotected = count.late + Math.max(doubtful, Math.min(excess, early));
  const firsts = [
    count.first_late,
    doubtful > 0 ? count.first_doubtful : null,
    excess > 0 ? count.first : null,
  ];
  return { ...count, unprotected, first_unprotected: min(firsts.filter((first) => first !== null)) };
}

function protectedUntil(evidence: readonly ArchiveEvidence[], cells: readonly Cell[]): string | null {
  if (evidence.length === 0) return null;
  const first = min([...cells.map((cell) => cell.first), ...evidence.map(({ from }) => from)]);
  const gap = min(cells.map(({ first_unprotected }) => first_unprotected));
  if (gap <= first) return null;
  const end = Number.isFinite(gap) ? gap : max(evidence.map(({ to }) => to - 1));
  return new Date(end).toISOString();
}

/** Infinity if empty. */
function min(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
}

function max(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
}
