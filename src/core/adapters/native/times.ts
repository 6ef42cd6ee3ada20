import { type JsonOut, WORD } from './json-out.ts';
import { unknown } from './reader.ts';

const DAY = 86_400;
const HOUR = 3600;
/** The first second after the last year that ClickHouse writes a time of. */
const END = Date.UTC(2300, 0, 1) / 1000;

let day = -1;
let date = '';
/** `"2026-03-01T12:`, in words of which the last has room for a digit: that of the tens of minutes. */
const UNTIL_HOUR = '"2026-03-01T12:'.length;
const HOUR_WORDS = 4;
/** Times near each other are mostly of few hours, but a row has more than one time: the texts of some are kept. */
const KEPT_HOURS = 64;
const hours = new Int32Array(KEPT_HOURS).fill(-1);
const untilHour = new Int32Array(KEPT_HOURS * HOUR_WORDS);
/** Two digits each; a dot and three. */
const TWO_DIGITS = Int32Array.from({ length: 60 }, (_, number) => word(padStart(number, 2)));
const MILLISECONDS = Int32Array.from({ length: 1000 }, (_, ms) => word(`.${padStart(ms, 3)}`));
const COLON = 58 << 8;
const END_OF_TIME = word('Z"');
const END_BYTES = 2;
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
  const from = place * HOUR_WORDS;
  if (hours[place] !== hour) keepHour(hour);
  const minute = (second / 60) | 0;
  const minutes = TWO_DIGITS[minute] as number;
  out.ensure(8 * WORD);
  const { words, at } = out;
  words.setInt32(at, untilHour[from] as number, true);
  words.setInt32(at + WORD, untilHour[from + 1] as number, true);
  words.setInt32(at + 2 * WORD, untilHour[from + 2] as number, true);
  words.setInt32(at + 3 * WORD, (untilHour[from + 3] as number) | (minutes << 24), true);
  const seconds = TWO_DIGITS[second - minute * 60] as number;
  words.setInt32(at + 4 * WORD, (minutes >> 8) | COLON | (seconds << 16), true);
  if (scale === 3) {
    words.setInt32(at + 5 * WORD, MILLISECONDS[fraction] as number, true);
    words.setInt32(at + 6 * WORD, END_OF_TIME, true);
    out.at = at + 6 * WORD + END_BYTES;
    return;
  }
  out.at = at + 5 * WORD;
  if (scale > 0) {
    out.byte(46);
    out.padded(fraction, scale);
  }
  out.ascii('Z"');
}

function keepHour(hour: number): void {
  const text = `"${new Date(hour * HOUR * 1000).toISOString().slice(0, UNTIL_HOUR - 1)}`;
  const place = hour % KEPT_HOURS;
  hours[place] = hour;
  for (let index = 0; index < HOUR_WORDS; index++)
    untilHour[place * HOUR_WORDS + index] = word(text.slice(index * WORD, (index + 1) * WORD));
}

/** Up to four characters, as they are written. */
function word(text: string): number {
  return Buffer.from(text.padEnd(WORD, '\0')).readInt32LE();
}

function padStart(value: number, size: number): string {
  return String(value).padStart(size, '0');
}
