import type { Timestamp } from '../ports/types.ts';

const SECONDS_END = 19;
const DAY = String.raw`\d{4}-\d{2}-\d{2}`;
const CLOCK = String.raw`\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?`;
const INSTANT = new RegExp(`^(${DAY})(?:[T ](${CLOCK})(Z|[+-]\\d{2}:\\d{2})?)?$`, 'i');

/**
 * Orders two UTC timestamps: negative, zero or positive. Compares any number of decimals; trailing zeros are ignored.
 */
export function compareTimes(one: Timestamp, other: Timestamp): number {
  const [a, b] = [sortable(one), sortable(other)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Seconds and fraction without trailing zeros: sorts as text. */
function sortable(time: Timestamp): string {
  const fraction = time.slice(SECONDS_END + 1, -1).replace(/0+$/, '');
  return `${time.slice(0, SECONDS_END)}.${fraction}`;
}

/**
 * Parses a time as users type it: a day (`2026-03-01`), or to the minute or finer, with `T` or a space, with or
 * without a zone (default UTC). Returns UTC; undefined if `text` is not a time.
 */
export function parseInstant(text: string): Timestamp | undefined {
  const [, day, clock = '00:00', zone = 'Z'] = INSTANT.exec(text.trim()) ?? [];
  const [hours, fraction = ''] = clock.split('.');
  const seconds = hours?.length === 'hh:mm'.length ? `${hours}:00` : hours;
  const time = new Date(`${day}T${seconds}${zone.toUpperCase()}`);
  if (day === undefined || Number.isNaN(time.getTime()) || !isInMonth(day)) return undefined;
  return `${time.toISOString().slice(0, SECONDS_END)}${fraction && `.${fraction}`}Z`;
}

/** A day past the end of its month would roll over into the next one. */
function isInMonth(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
