import type { CountQuery, PeriodCount } from '../../src/core/ports/log-database.ts';

/** Time and ingest time of a row, Unix time, ms. */
export interface CountedRow {
  time: number;
  ingested: number;
}

/** Reference implementation of `LogDatabase.countsByPeriod`. */
export function countRows(
  rows: readonly CountedRow[],
  { grid, spans, doubt_ms }: Omit<CountQuery, 'fractal_id'>,
): PeriodCount[] {
  const cells = new Map<string, PeriodCount>();
  for (const { time, ingested } of [...rows].sort((a, b) => a.time - b.time)) {
    const { length_ms, shift_ms } = grid;
    const period = Math.floor((time + shift_ms) / length_ms) * length_ms - shift_ms;
    const span = spans.findLastIndex(({ from }) => from <= time);
    const until = spans[span]?.until ?? Number.NEGATIVE_INFINITY;
    const key = `${period} ${span}`;
    const none = { late: 0, first_late: null, doubtful: 0, first_doubtful: null };
    const cell = cells.get(key) ?? { period, span: span, rows: 0, first: time, last: time, ...none };
    cell.rows++;
    cell.last = time;
    if (ingested > until) {
      cell.late++;
      cell.first_late ??= time;
    } else if (ingested > until - doubt_ms) {
      cell.doubtful++;
      cell.first_doubtful ??= time;
    }
    cells.set(key, cell);
  }
  return [...cells.values()].sort((a, b) => a.period - b.period || a.span - b.span);
}
