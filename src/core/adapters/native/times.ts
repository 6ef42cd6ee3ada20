import type { JsonOut } from './json-out.ts';
import { unknown } from './reader.ts';

const DAY = 86_400;
/** The first second after the last year that ClickHouse writes a time of. */
const END = Date.UTC(2300, 0, 1) / 1000;

const MINUTE = 60;

let day = -1;
let date = '';
/** Times that follow each other are mostly of the same minute: its text is kept. */
let minute = -1;
const untilMinute = Buffer.from('2026-03-01T12:34:');

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
  const second = seconds % MINUTE;
  if (seconds - second !== minute) {
    minute = seconds - second;
    untilMinute.set(Buffer.from(new Date(minute * 1000).toISOString().slice(0, untilMinute.length)));
  }
  out.raw(untilMinute);
  out.padded(second, 2);
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
    const second = 10 ** scale;
    const fraction = ticks % second;
    writeTime(out, (ticks - fraction) / second, fraction, scale);
    return;
  }
  const second = 10n ** BigInt(scale);
  const ticks = bytes.readBigInt64LE(at);
  if (ticks < 0n) throw unknown('a time before 1970');
  writeTime(out, Number(ticks / second), Number(ticks % second), scale);
}
