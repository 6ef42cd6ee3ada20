import { formatClock as clockInUtc, formatStamp as stampInUtc, timeOf } from '../../core/text/time.ts';
import { type ByteUnits, formatBytes as bytesIn } from '../../core/text/units.ts';

/** How sizes and times are shown. */
export interface Display {
  units: ByteUnits;
  time_zone: 'utc' | 'local';
}

/** Like the locale of a process: one choice for all that is drawn. */
let display: Display = { units: 'iec', time_zone: 'utc' };

/** Sets how all sizes and times are shown from now on. */
export function setDisplay({ units, time_zone }: Display): void {
  display = { units, time_zone };
}

/** Bytes in the chosen units: `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  return bytesIn(bytes, display.units);
}

/** Bytes per second in the chosen units: `1.5 MiB/s`. */
export function formatByteRate(rate: number): string {
  return `${formatBytes(rate)}/s`;
}

/** `2026-03-01 14:05` in the chosen zone, or a dash. Show the zone with it: `zoneName` in a heading, else `zoneOf`. */
export function formatStamp(stamp: string | number | null | undefined): string {
  const time = typeof stamp === 'number' ? stamp : timeOf(stamp);
  return time === undefined ? '-' : stampInUtc(shifted(time));
}

/** `14:05:09` in the chosen zone. */
export function formatClock(time: number): string {
  return clockInUtc(shifted(time));
}

/** The chosen zone, for headings: `UTC` or `local`. */
export function zoneName(): string {
  return display.time_zone === 'utc' ? 'UTC' : 'local';
}

/** The chosen zone at a time, to follow it: `UTC` or `+02:00`. */
export function zoneOf(time: number): string {
  if (display.time_zone === 'utc') return 'UTC';
  const minutes = -new Date(time).getTimezoneOffset();
  const digits = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${digits(minutes / 60)}:${digits(minutes % 60)}`;
}

/** The time whose clock in UTC shows what the chosen zone shows at `time`. */
function shifted(time: number): number {
  return display.time_zone === 'utc' ? time : time - new Date(time).getTimezoneOffset() * 60_000;
}
