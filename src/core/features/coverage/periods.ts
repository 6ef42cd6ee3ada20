import type { PeriodCount, PeriodGrid } from '../../ports/log-database.ts';
import type { CoveragePeriod, CoverageState } from './contract.ts';
import type { ArchiveEvidence } from './evidence.ts';

/** Above this limit, only periods with rows are listed: one row dated 1970 would make half a million. */
const MAX_LISTED_PERIODS = 20_000;

/** A count, and how much of it no archive has. */
export interface Cell extends PeriodCount {
  unprotected: number;
  /** Earliest time of such a row; infinity if there is none. */
  first_unprotected: number;
}

/** An archive compared with the rows that ClickHouse has in its time range now. */
export interface ComparedEvidence extends ArchiveEvidence {
  /** ClickHouse still has the first row and the same number of early rows: they are the same rows. */
  exact: boolean;
  /** ClickHouse has fewer rows: some are only in the archive. */
  fewer: boolean;
  /** Early rows in the pieces that this archive is the newest for. */
  early: number;
  /** How many of them are in doubt. */
  doubtful: number;
}

/** The periods of that length from the first row to the last, each with its state. */
export function periodsOf(
  { length_ms, shift_ms }: PeriodGrid,
  compared: readonly ComparedEvidence[],
  cells: readonly Cell[],
): CoveragePeriod[] {
  const byPeriod = Map.groupBy(cells, ({ period }) => period);
  const evidence = [...compared].sort((a, b) => a.from - b.from);
  const overlapping = new Set<ComparedEvidence>();
  let next = 0;
  return startsOf({ length_ms, shift_ms }, evidence, [...byPeriod.keys()]).map((start) => {
    for (; (evidence[next]?.from ?? Number.POSITIVE_INFINITY) < start + length_ms; next++) {
      overlapping.add(evidence[next] as ComparedEvidence);
    }
    for (const entry of overlapping) if (entry.to <= start) overlapping.delete(entry);
    return periodOf(start, length_ms, byPeriod.get(start) ?? [], [...overlapping]);
  });
}

function startsOf(
  { length_ms, shift_ms }: PeriodGrid,
  evidence: readonly ComparedEvidence[],
  counted: readonly number[],
): number[] {
  const floor = (time: number) => Math.floor((time + shift_ms) / length_ms) * length_ms - shift_ms;
  const starts = new Set(counted);
  for (const { from, to } of evidence) starts.add(floor(from)).add(floor(to - 1));
  const sorted = [...starts].sort((a, b) => a - b);
  const [first = 0, last = first] = [sorted[0], sorted.at(-1)];
  const count = (last - first) / length_ms + 1;
  if (sorted.length === 0 || count > MAX_LISTED_PERIODS) return sorted;
  return Array.from({ length: count }, (_, index) => first + index * length_ms);
}

function periodOf(
  from: number,
  length: number,
  cells: readonly Cell[],
  evidence: readonly ComparedEvidence[],
): CoveragePeriod {
  const rows = cells.reduce((sum, cell) => sum + cell.rows, 0);
  const unprotected_rows = cells.reduce((sum, cell) => sum + cell.unprotected, 0);
  return {
    from: new Date(from).toISOString(),
    to: new Date(from + length).toISOString(),
    state: stateOf(rows, unprotected_rows, cells, evidence),
    rows,
    unprotected_rows,
    archive_ids: evidence.map(({ archive_id }) => archive_id),
  };
}

function stateOf(
  rows: number,
  unprotected: number,
  cells: readonly Cell[],
  evidence: readonly ComparedEvidence[],
): CoverageState {
  if (rows === 0) return evidence.some(({ fewer }) => fewer) ? 'archive' : 'none';
  if (unprotected === 0) return 'both';
  // If only the sum exceeds that of the archive, some of these rows may be in it.
  const unprotectedOnly = cells.every((cell) => cell.unprotected === cell.rows && cell.late === cell.rows);
  return unprotectedOnly ? 'clickhouse' : 'partial';
}
