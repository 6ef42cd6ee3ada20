import type { Timestamp } from '../../ports/types.ts';
import { parseLine } from './archive-row.ts';
import { decodeBytes } from './json-scan.ts';
import { type RowText, rowText } from './row-text.ts';

/**
 * Fast scanner for valid rows. It accepts only rows that `parseLine` certainly accepts, without escapes of halves of
 * characters; for all others the result is UNSURE and the caller asks `parseLine`, which alone defines what a row is.
 */
const UNSURE = -1;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const MAX_DEPTH = 40;
const EXAMPLES = 3;

/** Lookup tables of byte classes. */
const HEX = table((byte) => /[0-9a-fA-F]/.test(String.fromCharCode(byte)));
const DIGIT = table((byte) => byte >= ZERO && byte <= 0x39);
const SIMPLE_ESCAPE = table((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));
const KEY = table((byte) => /[a-z0-9_]/.test(String.fromCharCode(byte)));

const NO_SEXTET = 255;
const SEXTET = new Uint8Array(256).fill(NO_SEXTET);
for (const [index, letter] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries())
  SEXTET[letter.charCodeAt(0)] = index;

const [TS, ITS, RAW, ID, FID] = ['ts', 'its', 'raw', 'id', 'fid'].map((key) =>
  Buffer.from(key).readUIntBE(0, key.length),
);

function table(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
}

/** Spans of the values that a search needs, quotes included; negative if absent. */
export interface RowSpans {
  ts: number;
  tsEnd: number;
  raw: number;
  rawEnd: number;
  /** Set by callers that accept rows with `raw64`, for which no span is given; else such rows are UNSURE. */
  exact?: boolean;
}

/** The parts of a row that a search needs. */
export interface ScannedRow extends RowText {
  ts: Timestamp | null;
}

const scanned: RowSpans = { ts: -1, tsEnd: -1, raw: -1, rawEnd: -1 };

/** The row in the line `start … end`; undefined if it is not a row. Like `parseLine`, but faster. */
export function scanRow(block: Buffer, start: number, end: number): ScannedRow | undefined {
  // Two quotes: there is no original line.
  if (rowEnd(block, start, scanned) !== end + 1 || scanned.raw < 0 || scanned.rawEnd - scanned.raw === 2) {
    const row = parseLine(block.subarray(start, end));
    return 'malformed' in row ? undefined : { ts: row.ts, ...rowText(row) };
  }
  const { ts, tsEnd, raw, rawEnd } = scanned;
  return {
    ts: ts < 0 ? null : block.toString('latin1', ts + 1, tsEnd - 1),
    text: decodeBytes(block, { start: raw, end: rawEnd }),
    from: 'raw',
  };
}

/** Totals of an archive's lines. */
export interface LineTotals {
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Number of lines that are not rows, and the first few with line number (the header is line 1) and reason. */
  malformed: number;
  examples: string[];
}

/** Checks and counts an archive's lines; a line is a row if `parseLine` accepts it. */
export class LineChecker {
  readonly totals: LineTotals = { rows: 0, first: null, last: null, malformed: 0, examples: [] };

  /** Rows so far. */
  get rows(): number {
    return this.totals.rows;
  }

  /** Takes complete lines, without the header line. */
  add(bytes: Buffer): void {
    const { totals } = this;
    let last = -1;
    for (let start = 0; start < bytes.length; ) {
      let end = rowEnd(bytes, start);
      totals.rows++;
      if (end < 0) {
        end = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
        if (!this.#parse(bytes.subarray(start, end))) {
          start = end;
          continue;
        }
      }
      totals.first ??= timeOf(bytes.subarray(start, end));
      last = start;
      start = end;
    }
    if (last >= 0)
      totals.last = timeOf(bytes.subarray(last, bytes.indexOf(NEWLINE, last) + 1)) ?? totals.last;
  }

  finish(): LineTotals {
    return this.totals;
  }

  #parse(line: Buffer): boolean {
    const row = parseLine(line);
    if (!('malformed' in row)) return true;
    const { totals } = this;
    totals.malformed++;
    if (totals.examples.length < EXAMPLES) totals.examples.push(`line ${totals.rows + 1}: ${row.malformed}`);
    return false;
  }
}

function timeOf(line: Buffer): Timestamp | null {
  const row = parseLine(line);
  return 'malformed' in row ? null : row.ts;
}

const IGNORED: RowSpans = { ts: -1, tsEnd: -1, raw: -1, rawEnd: -1 };

/**
 * The end of the row that starts at `start`, newline included; negative if `parseLine` must decide. Sets `spans` for
 * an accepted row.
 */
export function rowEnd(bytes: Buffer, start: number, spans: RowSpans = IGNORED): number {
  if (bytes[start] !== 0x7b) return UNSURE;
  spans.ts = -1;
  spans.raw = -1;
  for (let at = start + 1; ; at++) {
    if (bytes[at] !== QUOTE) return UNSURE;
    const key = at + 1;
    at = key;
    while (KEY[bytes[at] as number] === 1) at++;
    if (bytes[at] !== QUOTE || bytes[at + 1] !== COLON) return UNSURE;
    at = memberEnd(bytes, key, at, at + 2, spans);
    if (at < 0) return UNSURE;
    if (bytes[at] === COMMA) continue;
    return bytes[at] === 0x7d && bytes[at + 1] === NEWLINE ? at + 2 : UNSURE;
  }
}

/** The end of a member's value, checked by its key. Key bytes are compared as one number. */
function memberEnd(bytes: Buffer, key: number, keyEnd: number, value: number, spans: RowSpans): number {
  const length = keyEnd - key;
  if (length === 5 && bytes[key] === 0x72) return spans.exact ? base64End(bytes, value) : UNSURE;
  if (length !== 2 && length !== 3) return valueEnd(bytes, value, 0);
  const name = bytes.readUIntBE(key, length);
  if (name !== TS && name !== ITS && name !== RAW && name !== ID && name !== FID)
    return valueEnd(bytes, value, 0);
  if (bytes[value] !== QUOTE) return UNSURE;
  const isTime = name === TS || name === ITS;
  const end = isTime ? timeEnd(bytes, value + 1) : stringEnd(bytes, value + 1);
  // The last of duplicates counts.
  if (name === TS) {
    spans.ts = value;
    spans.tsEnd = end;
  } else if (name === RAW) {
    spans.raw = value;
    spans.rawEnd = end;
  }
  return end;
}

/** The end of a base64 text in canonical form: unused bits of the last letter are zero. */
function base64End(bytes: Buffer, value: number): number {
  if (bytes[value] !== QUOTE) return UNSURE;
  let at = value + 1;
  while (SEXTET[bytes[at] as number] !== NO_SEXTET) at++;
  const letters = at - value - 1;
  const unusedBits = [0, UNSURE, 0b1111, 0b11][letters % 4] as number;
  const last = SEXTET[bytes[at - 1] as number] as number;
  if (unusedBits === UNSURE || (unusedBits > 0 && (last & unusedBits) !== 0)) return UNSURE;
  for (let pad = letters; pad % 4 !== 0; pad++) if (bytes[at++] !== 0x3d) return UNSURE;
  return bytes[at] === QUOTE ? at + 1 : UNSURE;
}

function stringEnd(bytes: Buffer, start: number): number {
  for (let at = start; ; ) {
    let byte = bytes[at] as number;
    // Comparing is faster here than a table lookup.
    while (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) byte = bytes[++at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return UNSURE;
    const letter = bytes[at + 1] as number;
    if (SIMPLE_ESCAPE[letter] === 1) at += 2;
    else if (letter === 0x75 && isHex4(bytes, at + 2) && !isSurrogate(bytes, at + 2)) at += 6;
    else return UNSURE;
  }
}

function isHex4(bytes: Buffer, at: number): boolean {
  for (let digit = at; digit < at + 4; digit++) if (HEX[bytes[digit] as number] !== 1) return false;
  return true;
}

/** Whether these hexadecimal digits are half a character, perhaps the only half, which readers disagree about. */
function isSurrogate(bytes: Buffer, at: number): boolean {
  return ((bytes[at] as number) | 0x20) === 0x64 && (bytes[at + 1] as number) >= 0x38;
}

function valueEnd(bytes: Buffer, at: number, depth: number): number {
  const byte = bytes[at];
  if (byte === QUOTE) return stringEnd(bytes, at + 1);
  if (byte === 0x7b || byte === 0x5b) return depth < MAX_DEPTH ? containerEnd(bytes, at, depth + 1) : UNSURE;
  if (byte === 0x6e) return literalEnd(bytes, at, 'null');
  if (byte === 0x74) return literalEnd(bytes, at, 'true');
  if (byte === 0x66) return literalEnd(bytes, at, 'false');
  return numberEnd(bytes, at);
}

function containerEnd(bytes: Buffer, open: number, depth: number): number {
  const object = bytes[open] === 0x7b;
  const closing = object ? 0x7d : 0x5d;
  if (bytes[open + 1] === closing) return open + 2;
  for (let at = open + 1; ; at++) {
    if (object) {
      if (bytes[at] !== QUOTE) return UNSURE;
      at = stringEnd(bytes, at + 1);
      if (at < 0 || bytes[at] !== COLON) return UNSURE;
      at++;
    }
    at = valueEnd(bytes, at, depth);
    if (at < 0) return UNSURE;
    if (bytes[at] === closing) return at + 1;
    if (bytes[at] !== COMMA) return UNSURE;
  }
}

function literalEnd(bytes: Buffer, at: number, literal: string): number {
  for (let letter = 0; letter < literal.length; letter++) {
    if (bytes[at + letter] !== literal.charCodeAt(letter)) return UNSURE;
  }
  return at + literal.length;
}

function numberEnd(bytes: Buffer, start: number): number {
  let at = bytes[start] === 0x2d ? start + 1 : start;
  const leading = at;
  at = digitsEnd(bytes, at);
  if (at < 0 || (bytes[leading] === ZERO && at > leading + 1)) return UNSURE;
  if (bytes[at] === 0x2e) at = digitsEnd(bytes, at + 1);
  if (at > 0 && ((bytes[at] as number) | 0x20) === 0x65) {
    at++;
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
    at = digitsEnd(bytes, at);
  }
  return at;
}

/** The end of one or more digits. */
function digitsEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (DIGIT[bytes[at] as number] === 1) at++;
  return at > start ? at : UNSURE;
}

/** The end of a UTC time and its closing quote; 29 February is UNSURE. */
function timeEnd(bytes: Buffer, at: number): number {
  const month = twoDigits(bytes, at + 5);
  const valid =
    twoDigits(bytes, at) >= 0 &&
    twoDigits(bytes, at + 2) >= 0 &&
    bytes[at + 4] === 0x2d &&
    within(month, 1, 12) &&
    bytes[at + 7] === 0x2d &&
    within(twoDigits(bytes, at + 8), 1, SAFE_DAYS[month] as number) &&
    bytes[at + 10] === 0x54 &&
    within(twoDigits(bytes, at + 11), 0, 23) &&
    bytes[at + 13] === COLON &&
    within(twoDigits(bytes, at + 14), 0, 59) &&
    bytes[at + 16] === COLON &&
    within(twoDigits(bytes, at + 17), 0, 59);
  if (!valid) return UNSURE;
  const end = bytes[at + 19] === 0x2e ? digitsEnd(bytes, at + 20) : at + 19;
  return end > 0 && bytes[end] === 0x5a && bytes[end + 1] === QUOTE ? end + 2 : UNSURE;
}

/** Days that a month has in every year; January is 1. */
const SAFE_DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function twoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] as number) - ZERO;
  const ones = (bytes[at + 1] as number) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : UNSURE;
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
