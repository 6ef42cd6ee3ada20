import { GrowableBuffer, wordsOf } from '../buffers.ts';

/** Text is escaped in chunks, so that long text does not need the worst case reserved at once. */
const CHUNK = 16 << 10;
/** Length of the longest escape of a byte. */
const MAX_ESCAPE_BYTES = 6;

const PLAIN = 0;
const CONTROL = 1;
const SEPARATOR = 2;
/** How to write each byte of text: plain, as a `\u` escape, as a possible line separator, or as this letter after a backslash. */
const ESCAPES = escapes();

/** Bytes written at once. */
export const WORD = 4;

/** JSON text that is written often. */
export class Literal {
  readonly length: number;
  readonly words: Int32Array;

  constructor(text: string | Uint8Array) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    const padded = wordsOf(Buffer.concat([bytes], Math.ceil(bytes.length / WORD) * WORD));
    this.words = Int32Array.from({ length: padded.byteLength / WORD }, (_, at) =>
      padded.getInt32(at * WORD, true),
    );
  }
}

/** Writes JSON exactly as ClickHouse does. */
export class JsonWriter extends GrowableBuffer {
  /** Cached view of the last source: all strings of a block come from one buffer. */
  #source: Buffer | undefined;
  #sourceWords: DataView = this.words;

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  raw({ words, length }: Literal): void {
    this.ensure(words.length * WORD);
    const { words: out, at } = this;
    for (let index = 0; index < words.length; index++)
      out.setInt32(at + index * WORD, words[index] as number, true);
    this.at = at + length;
  }

  ascii(text: string): void {
    this.ensure(text.length);
    for (let index = 0; index < text.length; index++) this.bytes[this.at++] = text.charCodeAt(index);
  }

  /** A non-negative safe integer. */
  digits(value: number): void {
    let size = 1;
    for (let limit = 10; value >= limit; limit *= 10) size++;
    this.padded(value, size);
  }

  /** `size` digits, zero-padded. */
  padded(value: number, size: number): void {
    this.ensure(size);
    let left = value;
    for (let index = this.at + size - 1; index >= this.at; index--) {
      const rest = Math.floor(left / 10);
      // In this order: adding 48 to the largest safe integer would round.
      this.bytes[index] = left - rest * 10 + 48;
      left = rest;
    }
    this.at += size;
  }

  /** The bytes as they are. */
  copy(source: Buffer, from: number, to: number): void {
    this.ensure(to - from);
    this.bytes.set(source.subarray(from, to), this.at);
    this.at += to - from;
  }

  /** The bytes as a quoted JSON string. Invalid UTF-8 is kept. */
  string(source: Buffer, from: number, to: number): void {
    this.byte(34);
    this.text(source, from, to);
    this.byte(34);
  }

  /** The same without quotes. */
  text(source: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) at = this.#chunk(source, at, Math.min(at + CHUNK, to), to);
  }

  /** Writes a chunk of the text that ends at `end`; returns where it stopped, at `to` or a little after. */
  #chunk(source: Buffer, from: number, to: number, end: number): number {
    this.ensure((to - from + 3) * MAX_ESCAPE_BYTES);
    const { bytes: out, words: outWords } = this;
    const words = this.#wordsOf(source);
    let { at } = this;
    let index = from;
    while (index < to) {
      // Four bytes at a time: nearly all are plain, and those before the first special one are known.
      while (index + WORD <= to) {
        const word = words.getInt32(index, true);
        outWords.setInt32(at, word, true);
        const special = specialBits(word);
        const plain = special === 0 ? WORD : (31 - Math.clz32(special & -special)) >> 3;
        index += plain;
        at += plain;
        if (plain < WORD) break;
      }
      const left = to - index;
      if (left === 0) break;
      // The same for the last bytes, with others after them.
      if (left < WORD && index + WORD <= words.byteLength) {
        const word = words.getInt32(index, true);
        if ((specialBits(word) & ((1 << (8 * left)) - 1)) === 0) {
          outWords.setInt32(at, word, true);
          index = to;
          at += left;
          break;
        }
      }
      const byte = source[index++] as number;
      const kind = ESCAPES[byte] as number;
      if (kind === PLAIN) {
        out[at++] = byte;
      } else if (kind === SEPARATOR) {
        const last = source[index + 1] as number;
        if (index + 1 < end && source[index] === 0x80 && (last === 0xa8 || last === 0xa9)) {
          at += out.write(last === 0xa8 ? '\\u2028' : '\\u2029', at);
          index += 2;
        } else out[at++] = byte;
      } else if (kind === CONTROL) {
        at += out.write(`\\u00${byte.toString(16).toUpperCase().padStart(2, '0')}`, at);
      } else {
        out[at++] = 92;
        out[at++] = kind;
      }
    }
    this.at = at;
    return index;
  }

  #wordsOf(source: Buffer): DataView {
    if (source !== this.#source) {
      this.#source = source;
      this.#sourceWords = wordsOf(source);
    }
    return this.#sourceWords;
  }
}

/**
 * Sets a bit in the lowest of four bytes that is a control character, a quote, a backslash or not ASCII; zero if all are
 * plain. Uses the well-known zero-byte test on the word XORed with quotes and backslashes; false positives occur only in
 * higher bytes.
 */
export function specialBits(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  return ((word - 0x20202020) | (quote - 0x01010101) | (backslash - 0x01010101) | word) & 0x80808080;
}

function escapes(): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(CONTROL, 0, 0x20);
  table[0xe2] = SEPARATOR;
  for (const [letter, byte] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, '\\': 92 }))
    table[byte] = letter.charCodeAt(0);
  return table;
}
