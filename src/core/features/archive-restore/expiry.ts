import type { Fractal } from '../../ports/catalog.ts';
import type { Timestamp } from '../../ports/types.ts';
import type { ExpiringRows } from './contract.ts';

const DAY_MS = 86_400_000;

/** Some rows of a file, and their time range, as far as it is known. */
export interface RowSpan {
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
}

/**
 * The rows that the server would delete again: older than the retention of the fractal. Exact, unless some spans have rows
 * on both sides of a bound. Null if the fractal keeps rows forever, or none are too old.
 */
export function expiringRows(
  spans: readonly RowSpan[],
  fractal: Pick<Fractal, 'retention_days'> | undefined,
  { from, to }: { from: Timestamp | null; to: Timestamp | null },
  now: Date,
): ExpiringRows | null {
  const days = fractal?.retention_days ?? 0;
  if (days <= 0) return null;
  const cutoff = now.getTime() - days * DAY_MS;
  const start = from === null ? -Infinity : Date.parse(from);
  const end = to === null ? cutoff : Math.min(cutoff, Date.parse(to));
  let [rows, exact] = [0, true];
  for (const span of spans) {
    const first = span.first === null ? -Infinity : Date.parse(span.first);
    const last = span.last === null ? Infinity : Date.parse(span.last);
    if (first >= end || last < start) continue;
    rows += span.rows;
    if (span.rows > 0 && (first < start || last >= end)) exact = false;
  }
  return rows === 0 ? null : { rows, exact, days };
}
