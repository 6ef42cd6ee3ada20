import type { ColumnBytes, Source } from './column-bytes.ts';
import { specialBits, WORD } from './json-writer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const [BACKSLASHES, SLASHES] = [0x5c5c5c5c, 0x2f2f2f2f];
const [ZERO, NINE, MINUS, PLUS, DOT] = [0x30, 0x39, 0x2d, 0x2b, 0x2e];
const LETTER_U = 0x75;
const FIRST_PLAIN = 0x20;
/** Up to so many digits, a number is a safe integer. */
const SAFE_DIGITS = 15;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;
/** What the letter after a backslash stands for. */
const UNESCAPED = new Map(
  Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(([letter, byte]) => [
    letter.charCodeAt(0),
    byte,
  ]),
);
/** The escapes that ClickHouse writes for control characters without a letter. */
const CONTROL_ESCAPES = new Set(
  Array.from({ length: FIRST_PLAIN }, (_, code) => code)
    .filter((code) => !new Set(UNESCAPED.values()).has(code))
    .map((code) => `\\u00${code.toString(16).toUpperCase().padStart(2, '0')}`),
);

/** Scans JSON values, and remembers what is to know of the last one. */
export class JsonScanner {
  source: Source;
  /** Of strings: whether any had escapes, or bytes that are not ASCII. Reset by the caller. */
  escaped = false;
  wide = false;
  /** Of the last number: a float, or an integer, which is above safe ones a `bigint`. */
  float = false;
  number: number | bigint = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** Position of the closing quote of a string that starts at `from`, without its opening quote; negative if it is not valid. */
  stringEnd(from: number): number {
    const { bytes, words } = this.source;
    for (let at = from; ; ) {
      const special = specialBits(words.getInt32(at, true));
      if (special === 0) {
        at += WORD;
        continue;
      }
      at += (31 - Math.clz32(special & -special)) >> 3;
      const byte = bytes[at] as number;
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) {
        if ((bytes[at + 1] as number) < FIRST_PLAIN) return -1;
        this.escaped = true;
        at += 2;
      } else if (byte >= 0x80) {
        this.wide = true;
        at++;
      } else return -1;
    }
  }

  /** Position after a number; negative if it is not valid, or not an integer of 64 bits or finite. */
  numberEnd(from: number): number {
    const { bytes } = this.source;
    const negative = bytes[from] === MINUS;
    const start = negative ? from + 1 : from;
    let value = 0;
    let at = start;
    for (; isDigit(bytes[at]); at++) value = value * 10 + (bytes[at] as number) - ZERO;
    if (at === start || (bytes[start] === ZERO && at > start + 1)) return -1;
    const end = this.#fractionEnd(at);
    if (end < 0) return -1;
    this.float = end > at;
    if (this.float) {
      this.number = Number(bytes.toString('latin1', from, end));
      return Number.isFinite(this.number) ? end : -1;
    }
    if (at - start <= SAFE_DIGITS) {
      // Without a minus for zero: there is none in integers.
      this.number = negative && value > 0 ? -value : value;
      return end;
    }
    this.number = BigInt(bytes.toString('latin1', from, end));
    return this.number < MIN_INT64 || this.number > MAX_UINT64 ? -1 : end;
  }

  #fractionEnd(from: number): number {
    const { bytes } = this.source;
    let at = from;
    if (bytes[at] === DOT) {
      const digits = ++at;
      while (isDigit(bytes[at])) at++;
      if (at === digits) return -1;
    }
    if (((bytes[at] as number) | 0x20) !== 0x65) return at;
    at++;
    if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
    const digits = at;
    while (isDigit(bytes[at])) at++;
    return at === digits ? -1 : at;
  }
}

export function isUnsigned(number: number | bigint): boolean {
  return typeof number === 'bigint' && number > MAX_INT64;
}

/** Writes a string without its escapes; false for escapes that are not valid, or that stand for half a character. */
export function unescapeText({ bytes, words }: Source, from: number, to: number, out: ColumnBytes): boolean {
  out.ensure(to - from + WORD);
  const { bytes: written, words: writtenWords } = out;
  let { at } = out;
  let index = from;
  while (index < to) {
    while (index + WORD <= to) {
      const word = words.getInt32(index, true);
      writtenWords.setInt32(at, word, true);
      const plain = plainBytes(word ^ BACKSLASHES);
      index += plain;
      at += plain;
      if (plain < WORD) break;
    }
    if (index === to) break;
    const byte = bytes[index++] as number;
    if (byte !== BACKSLASH) {
      written[at++] = byte;
      continue;
    }
    const letter = bytes[index++] as number;
    if (letter !== LETTER_U) {
      const plain = UNESCAPED.get(letter);
      if (plain === undefined) return false;
      written[at++] = plain;
      continue;
    }
    let code = hexOf(bytes, index);
    index += 4;
    if (code >= 0xd800 && code < 0xdc00 && bytes[index] === BACKSLASH && bytes[index + 1] === LETTER_U) {
      const low = hexOf(bytes, index + 2);
      if (low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      index += 6;
    }
    if (code < 0 || (code >= 0xd800 && code <= 0xdfff) || index > to) return false;
    at = writeUtf8(written, at, code);
  }
  out.at = at;
  return true;
}

/** Whether ClickHouse writes the same escapes, which are valid, for what they stand for. */
export function areCanonicalEscapes(bytes: Buffer, from: number, to: number): boolean {
  for (let at = bytes.indexOf(BACKSLASH, from); at >= 0 && at < to; at = bytes.indexOf(BACKSLASH, at)) {
    const letter = bytes[at + 1] as number;
    if (letter === SLASH) return false;
    if (letter === LETTER_U && !CONTROL_ESCAPES.has(bytes.toString('latin1', at, at + 6))) return false;
    at += 2;
  }
  return true;
}

/** Copies bytes, with a backslash before each slash. */
export function escapeSlashes({ bytes, words }: Source, from: number, to: number, out: ColumnBytes): void {
  out.ensure(2 * (to - from) + WORD);
  const { bytes: written, words: writtenWords } = out;
  let { at } = out;
  for (let index = from; index < to; ) {
    while (index + WORD <= to) {
      const word = words.getInt32(index, true);
      writtenWords.setInt32(at, word, true);
      const plain = plainBytes(word ^ SLASHES);
      index += plain;
      at += plain;
      if (plain < WORD) break;
    }
    if (index === to) break;
    const byte = bytes[index++] as number;
    if (byte === SLASH) written[at++] = BACKSLASH;
    written[at++] = byte;
  }
  out.at = at;
}

/** Number of bytes before the first one that is zero. */
function plainBytes(word: number): number {
  const zero = (word - 0x01010101) & ~word & 0x80808080;
  return zero === 0 ? WORD : (31 - Math.clz32(zero & -zero)) >> 3;
}

/** Four hexadecimal digits; negative if they are not. */
function hexOf(bytes: Buffer, from: number): number {
  let code = 0;
  for (let at = from; at < from + 4; at++) {
    const byte = bytes[at] as number;
    const letter = byte | 0x20;
    if (isDigit(byte)) code = code * 16 + byte - ZERO;
    else if (letter >= 0x61 && letter <= 0x66) code = code * 16 + letter - 0x57;
    else return -1;
  }
  return code;
}

function writeUtf8(out: Buffer, from: number, code: number): number {
  let at = from;
  if (code < 0x80) out[at++] = code;
  else {
    if (code < 0x800) out[at++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) out[at++] = 0xe0 | (code >> 12);
      else {
        out[at++] = 0xf0 | (code >> 18);
        out[at++] = 0x80 | ((code >> 12) & 63);
      }
      out[at++] = 0x80 | ((code >> 6) & 63);
    }
    out[at++] = 0x80 | (code & 63);
  }
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
