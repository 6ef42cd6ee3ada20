const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** A duration in its two largest units: `1m 05s`; `<1s` below a second. */
export function formatDuration(ms: number): string {
  const time = Math.max(0, Math.floor(ms / SECOND)) * SECOND;
  if (time < SECOND) return '<1s';
  if (time < MINUTE) return `${time / SECOND}s`;
  if (time < HOUR) return `${Math.floor(time / MINUTE)}m ${twoDigits((time % MINUTE) / SECOND)}s`;
  if (time < DAY) return `${Math.floor(time / HOUR)}h ${twoDigits(Math.floor((time % HOUR) / MINUTE))}m`;
  return `${Math.floor(time / DAY)}d ${twoDigits(Math.floor((time % DAY) / HOUR))}h`;
}

/** An age in one unit: `now`, `45s`, `12m`, `3h`, `9d`, `5mo`, `2y`. */
export function formatAge(ms: number): string {
  if (ms < 10 * SECOND) return 'now';
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  if (ms < 90 * DAY) return `${Math.floor(ms / DAY)}d`;
  if (ms < 730 * DAY) return `${Math.floor(ms / (30 * DAY))}mo`;
  return `${Math.floor(ms / (365 * DAY))}y`;
}

/** An age as used in a sentence: `3h ago`, `just now`. */
export function formatAgo(ms: number): string {
  const age = formatAge(ms);
  return age === 'now' ? 'just now' : `${age} ago`;
}

/** A timestamp in milliseconds since the epoch; undefined if it is missing or invalid. */
export function timeOf(stamp: string | null | undefined): number | undefined {
  const time = stamp ? Date.parse(stamp) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** Age of a timestamp at `now` in milliseconds, never negative; undefined if it is missing or invalid. */
export function ageOf(stamp: string | null | undefined, now: number): number | undefined {
  const time = timeOf(stamp);
  return time === undefined ? undefined : Math.max(0, now - time);
}

/** `2026-03-01 14:05` in UTC, or a dash. */
export function formatStamp(stamp: string | number | null | undefined): string {
  const time = typeof stamp === 'number' ? stamp : timeOf(stamp);
  return time === undefined ? '-' : new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

/** A UTC timestamp without trailing zeros in its fraction: `2026-03-01T14:05:09Z`. */
export function shortStamp(stamp: string): string {
  return stamp.replace(/(\.\d*?)0+Z$/, (_, digits: string) => (digits === '.' ? 'Z' : `${digits}Z`));
}

/** `14:05:09` in UTC. */
export function formatClock(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}
