import { type JsonOut, Literal } from './json-out.ts';
import { unknown } from './reader.ts';

const DAY = 86_400;
const HOUR = 3600;
const UNTIL_HOUR = '2026-03-01T12:'.length;
/** The first second after the last year that ClickHouse writes a time of. */
const END = Date.UTC(2300, 0, 1) / 1000;

let day = -1;
let date = '';
/** Times near each other are mostly of few hours, but a row has more than one time: the texts of some are kept. */
const KEPT_HOURS = 64;
const hours = new Int32Array(KEPT_HOURS).fill(-1);
const untilHour = Array.from(hours, () => new Literal(''));
/** The rest of a time, by minute, by second and by millisecond. */
const MINUTES = Array.from({ length: 60 }, (_, minute) => new Literal(`${padStart(minute, 2)}:`));
const SECONDS = Array.from({ length: 60 }, (_, second) => new Literal(padStart(second, 2)));
const MILLISECONDS = Array.from({ length: 1000 }, (_, ms) => new Literal(`.${padStart(ms, 3)}Z"`));
const END_OF_TIME = new Literal('Z"');
/** How many ticks a second has, by the scale of a type. */
const TICKS = Array.from({ length: 10 }, (_, scale) => 10 ** scale);

/** A day since 1970 as `"2026-03-01"`. */
export function writeDate(out: JsonOut, days: number): void {
  if (days !== day) {
    date = `"${new Date(days * DAY * 1000).toISOString().slice(0, 10)}"`;
    day = days;
  }
  out.ascii(date);
}

/**
 * A time in UTC as ClickHouse writes it in `iso`, with its quotes: all digits of the fraction that its type has, and `Z`.
 * Times before 1970 and after 2299 are left to ClickHouse.
 */
export function writeTime(out: JsonOut, seconds: number, fraction: number, scale: number): void {
  if (seconds < 0 || seconds >= END) throw unknown('a time before 1970 or after 2299');
  const hour = Math.floor(seconds / HOUR);
  writeWithin(out, hour, seconds - hour * HOUR, fraction, scale);
}

/** Ticks of eight bytes, of which a second has ten to the power of `scale`, as a time. */
export function writeTicks(out: JsonOut, bytes: Buffer, at: number, scale: number): void {
  const high = bytes.readInt32LE(at + 4);
  if (high < 1 << 20 && high >= 0) {
    const ticks = high * 0x100000000 + bytes.readUInt32LE(at);
    const second = TICKS[scale] as number;
    // Exact: a quotient that is not whole is never rounded up to one, for the ticks are below 2 ** 52.
    const seconds = Math.floor(ticks / second);
    writeTime(out, seconds, ticks - seconds * second, scale);
    return;
  }
  const second = 10n ** BigInt(scale);
  const ticks = bytes.readBigInt64LE(at);
  if (ticks < 0n) throw unknown('a time before 1970');
  writeTime(out, Number(ticks / second), Number(ticks % second), scale);
}

/** All small numbers: larger ones would be objects, some for each time. */
function writeWithin(out: JsonOut, hour: number, second: number, fraction: number, scale: number): void {
  const place = hour % KEPT_HOURS;
  if (hours[place] !== hour) {
    hours[place] = hour;
    untilHour[place] = new Literal(`"${new Date(hour * HOUR * 1000).toISOString().slice(0, UNTIL_HOUR)}`);
  }
  const minute = (second / 60) | 0;
  out.raw(untilHour[place] as Literal);
  out.raw(MINUTES[minute] as Literal);
  out.raw(SECONDS[second - minute * 60] as Literal);
  if (scale === 3) {
    out.raw(MILLISECONDS[fraction] as Literal);
    return;
  }
  if (scale > 0) {
    out.byte(46);
    out.padded(fraction, scale);
  }
  out.raw(END_OF_TIME);
}

function padStart(value: number, size: number): string {
  return String(value).padStart(size, '0');
}
