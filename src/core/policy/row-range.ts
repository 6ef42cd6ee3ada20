import type { Timestamp } from '../ports/types.ts';

/** The milliseconds of a window `from ≤ time < to`, the precision of the columns. Undefined if unbounded. */
export function rangeOf({
  from,
  to,
}: {
  from: Timestamp | null;
  to: Timestamp | null;
}): { from_ms: number; to_ms: number } | undefined {
  if (from === null && to === null) return undefined;
  return {
    from_ms: from === null ? Number.NEGATIVE_INFINITY : firstMillisecond(from),
    to_ms: to === null ? Number.POSITIVE_INFINITY : firstMillisecond(to),
  };
}

/** The first whole millisecond at or after the time; `NaN` if it is not a time. */
export function firstMillisecond(time: Timestamp): number {
  const [, milliseconds = '', rest = ''] = /^(.*?\.\d{3})(\d*)Z$/.exec(time) ?? [time, time];
  const ms = Date.parse(rest === '' ? time : `${milliseconds}Z`);
  return ms + (/[1-9]/.test(rest) ? 1 : 0);
}
