import type { PeriodGrid } from '../ports/log-database.ts';
import type { Timestamp } from '../ports/types.ts';
import { periodLabel, type Split } from './names.ts';

/** How an archive is split by time; `none`: a single file. */
export type Granularity = Split | 'none';

export const GRANULARITIES: readonly Granularity[] = ['none', 'hour', 'day', 'week'];

/** A period in UTC: `from ≤ time < to`. Weeks start on Monday. */
export interface Period {
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
  const from = Math.floor((Date.parse(time) + shift_ms) / length_ms) * length_ms - shift_ms;
  return {
    label: periodLabel(split, new Date(from)),
    from: new Date(from).toISOString(),
    to: new Date(from + length_ms).toISOString(),
  };
}
