import type { PeriodGrid } from '../ports/log-database.ts';
import type { Timestamp } from '../ports/types.ts';

/** The length of a period. */
export type Split = 'hour' | 'day' | 'week';

/** How an archive is split by time; `none`: a single file. */
export type Granularity = Split | 'none';

export const GRANULARITIES: readonly Granularity[] = ['none', 'hour', 'day', 'week'];

/** A period in UTC: `from ≤ time < to`. Weeks start on Monday. */
interface Period {
  /** `2026-03-01 14:00`, `2026-03-01`, `2026-03-02 to 2026-03-08`. */
  label: string;
  from: Timestamp;
  to: Timestamp;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Hours, days and weeks as ClickHouse can count them: 1970 began on a Thursday. */
export const GRIDS: Record<Split, PeriodGrid> = {
  hour: { length_ms: HOUR_MS, shift_ms: 0 },
  day: { length_ms: DAY_MS, shift_ms: 0 },
  week: { length_ms: 7 * DAY_MS, shift_ms: 3 * DAY_MS },
};

/** The period that contains a time. */
export function periodAt(split: Split, time: Timestamp): Period {
  const { length_ms, shift_ms } = GRIDS[split];
  const start = Math.floor((Date.parse(time) + shift_ms) / length_ms) * length_ms - shift_ms;
  const from = new Date(start).toISOString();
  const to = new Date(start + length_ms).toISOString();
  return { label: labelOf(split, from, new Date(start + length_ms - DAY_MS).toISOString()), from, to };
}

function labelOf(split: Split, from: Timestamp, last_day: Timestamp): string {
  if (split === 'hour') return `${dayOf(from)} ${from.slice(11, 16)}`;
  return split === 'day' ? dayOf(from) : `${dayOf(from)} to ${dayOf(last_day)}`;
}

/** The day of a time: `2026-03-01`. */
export function dayOf(time: Timestamp): string {
  return time.slice(0, 'yyyy-mm-dd'.length);
}
