import { type JsonWriter, WORD } from './json-writer.ts';
import { unsupported } from './reader.ts';

const DAY = 86_400;
const HOUR = 3600;
/** ClickHouse formats times up to the year 2299. */
const END_SECONDS = Date.UTC(2300, 0, 1) / 1000;

let day = -1;
let date = '';
/** `"2026-03-01T12:`, in words; the last word has room for the tens digit of the minutes. */
const HOUR_TEXT_LENGTH = '"2026-03-01T12:'.length;
const HOUR_WORDS = 4;
/** Cached texts of hours: nearby rows share few hours, but a row has several times. */
const CACHED_HOURS = 64;
const hours = new Int32Array(CACHED_HOURS).fill(-1);
const hourText = new Int32Array(CACHED_HOURS * HOUR_WORDS);
const TWO_DIGITS = Int32Array.from({ length: 60 }, (_, number) => word(padStart(number, 2)));
const MILLISECONDS = Int32Array.from({ length: 1000 }, (_, ms) => word(`.${padStart(ms, 3)}`));
const COLON = 58 << 8;
const TIME_SUFFIX = word('Z"');
const END_BYTES = 2;
/** Ticks per second, by scale. */
const TICKS_PER_SECOND = Array.from({ length: 10 }, (_, scale) => 10 ** scale);

/** A day since the epoch as `"2026-03-01"`. */
export function writeDate(out: JsonWriter, days: number): void {
  if (days !== day) {
    date = `"${new Date(days * DAY * 1000).toISOString().slice(0, 10)}"`;
    day = days;
  }
  out.ascii(date);
}

/**
 * A UTC time as ClickHouse writes it with `iso`, quoted: all fraction digits of its type, and `Z`. Times before 1970 and
 * after 2299 are unsupported.
 */
export function writeTime(out: JsonWriter, seconds: number, fraction: number, scale: number): void {
  if (seconds < 0 || seconds >= END_SECONDS) throw unsupported('time before 1970 or after 2299');
  const hour = Math.floor(seconds / HOUR);
  writeWithin(out, hour, seconds - hour * HOUR, fraction, scale);
}

/** Int64 ticks of 10^-scale seconds, as a time. */
export function writeTicks(out: JsonWriter, bytes: Buffer, at: number, scale: number): void {
  const high = bytes.readInt32LE(at + 4);
  if (high < 1 << 20 && high >= 0) {
    const ticks = high * 0x100000000 + bytes.readUInt32LE(at);
    const second = TICKS_PER_SECOND[scale] as number;
    // Exact: below 2 ** 52 ticks, division never rounds a quotient up to an integer.
    const seconds = Math.floor(ticks / second);
    writeTime(out, seconds, ticks - seconds * second, scale);
    return;
  }
  const second = 10n ** BigInt(scale);
  const ticks = bytes.readBigInt64LE(at);
  if (ticks < 0n) throw unsupported('time before 1970');
  writeTime(out, Number(ticks / second), Number(ticks % second), scale);
}

/** Uses small integers only: larger numbers would be allocated on the heap for each time. */
function writeWithin(out: JsonWriter, hour: number, second: number, fraction: number, scale: number): void {
  const slot = hour % CACHED_HOURS;
  const from = slot * HOUR_WORDS;
  if (hours[slot] !== hour) cacheHour(hour);
  const minute = (second / 60) | 0;
  const minutes = TWO_DIGITS[minute] as number;
  out.ensure(8 * WORD);
  const { words, at } = out;
  words.setInt32(at, hourText[from] as number, true);
  words.setInt32(at + WORD, hourText[from + 1] as number, true);
  words.setInt32(at + 2 * WORD, hourText[from + 2] as number, true);
  words.setInt32(at + 3 * WORD, (hourText[from + 3] as number) | (minutes << 24), true);
  const seconds = TWO_DIGITS[second - minute * 60] as number;
  words.setInt32(at + 4 * WORD, (minutes >> 8) | COLON | (seconds << 16), true);
  if (scale === 3) {
    words.setInt32(at + 5 * WORD, MILLISECONDS[fraction] as number, true);
    words.setInt32(at + 6 * WORD, TIME_SUFFIX, true);
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

function cacheHour(hour: number): void {
  const text = `"${new Date(hour * HOUR * 1000).toISOString().slice(0, HOUR_TEXT_LENGTH - 1)}`;
  const slot = hour % CACHED_HOURS;
  hours[slot] = hour;
  for (let index = 0; index < HOUR_WORDS; index++)
    hourText[slot * HOUR_WORDS + index] = word(text.slice(index * WORD, (index + 1) * WORD));
}

/** Up to four characters as a word. */
function word(text: string): number {
  return Buffer.from(text.padEnd(WORD, '\0')).readInt32LE();
}

function padStart(value: number, size: number): string {
  return String(value).padStart(size, '0');
}
