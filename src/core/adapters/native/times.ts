import { type JsonOut, Literal } from './json-out.ts';
import { unknown } from './reader.ts';

const DAY = 86_400;
const MINUTE = 60;
const UNTIL_MINUTE = '2026-03-01T12:34:'.length;
/** The first second after the last year that ClickHouse writes a time of. */
const END = Date.UTC(2300, 0, 1) / 1000;

let day = -1;
let date = '';
/** Times near each other are mostly of few minutes, but a row has more than one time: the texts of some are kept. */
const KEPT_MINUTES = 64;
const minutes = new Float64Array(KEPT_MINUTES).fill(-1);
const untilMinute = Array.from(minutes, () => new Literal(''));
/** How many ticks a second has, by the scale of a type. */
const TICKS = Array.from({ length: 10 }, (_, scale) => 10 ** scale);

/** A day since 1970 as `2026-03-01`. */
export function writeDate(out: JsonOut, days: number): void {
  if (days !== day) {
    date = new Date(days * DAY * 1000).toISOString().slice(0, 10);
    day = days;
  }
  out.ascii(date);
}

/**
 * A time in UTC as ClickHouse writes it in `iso`: all digits of the fraction that its type has, and `Z`. Times before
 * 1970 and after 2299 are left to ClickHouse.
 */
export function writeTime(out: JsonOut, seconds: number, fraction: number, scale: number): void {
  if (seconds < 0 || seconds >= END) throw unknown('a time before 1970 or after 2299');
  const minute = Math.floor(seconds / MINUTE);
  const place = minute % KEPT_MINUTES;
  if (minutes[place] !== minute) {
    minutes[place] = minute;
    untilMinute[place] = new Literal(new Date(minute * MINUTE * 1000).toISOString().slice(0, UNTIL_MINUTE));
  }
  out.raw(untilMinute[place] as Literal);
  out.padded(seconds - minute * MINUTE, 2);
  if (scale > 0) {
    out.byte(46);
    out.padded(fraction, scale);
  }
  out.byte(90);
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
