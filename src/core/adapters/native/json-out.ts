import { Growing, wordsOf } from './growing.ts';

/** Text is escaped in pieces, so that a long one does not claim room for the worst case at once. */
const PIECE = 16 << 10;
/** A byte at its worst becomes an escape of so many. */
const GROWTH = 6;

const PLAIN = 0;
const CONTROL = 1;
const SEPARATOR = 2;
/** What each byte of text is in JSON: itself, a `\u` escape, perhaps a line separator, or a letter after a backslash. */
const ESCAPES = escapes();

/** Bytes that are written at once. */
export const WORD = 4;

/** Text that is JSON already and is written often. */
export class Literal {
  readonly length: number;
  readonly words: Int32Array;

  constructor(text: string | Uint8Array) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    const whole = wordsOf(Buffer.concat([bytes], Math.ceil(bytes.length / WORD) * WORD));
    this.words = Int32Array.from({ length: whole.byteLength / WORD }, (_, at) =>
      whole.getInt32(at * WORD, true),
    );
  }
}

/** JSON as ClickHouse writes it, into a buffer that grows. */
export class JsonOut extends Growing {
  /** Strings of a block come from one buffer: a view for each of them would cost more than it saves. */
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

  /** Whole, not negative, exact. */
  digits(value: number): void {
    let size = 1;
    for (let limit = 10; value >= limit; limit *= 10) size++;
    this.padded(value, size);
  }

  /** So many digits, zeros in front. */
  padded(value: number, size: number): void {
    this.ensure(size);
    let left = value;
    for (let index = this.at + size - 1; index >= this.at; index--) {
      const rest = Math.floor(left / 10);
      // In this order: 48 more than the largest exact number would be rounded.
      this.bytes[index] = left - rest * 10 + 48;
      left = rest;
    }
    this.at += size;
  }

  /** The bytes as a JSON string with its quotes. Bytes that are not valid UTF-8 stay as they are. */
  string(source: Buffer, from: number, to: number): void {
    this.byte(34);
    this.text(source, from, to);
    this.byte(34);
  }

  /** The same without the quotes. */
  text(source: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) at = this.#piece(source, at, Math.min(at + PIECE, to), to);
  }

  /** Writes a piece of text that ends at `end`; returns where it stopped, which is `to` or a little after. */
  #piece(source: Buffer, from: number, to: number, end: number): number {
    this.ensure((to - from + 3) * GROWTH);
    const { bytes: out, words: outWords } = this;
    const words = this.#wordsOf(source);
    let { at } = this;
    let index = from;
    while (index < to) {
      // Four bytes at once: nearly all of them stand for themselves, and those before one that does not are known.
      while (index + WORD <= to) {
        const word = words.getInt32(index, true);
        outWords.setInt32(at, word, true);
        const special = specials(word);
        const plain = special === 0 ? WORD : (31 - Math.clz32(special & -special)) >> 3;
        index += plain;
        at += plain;
        if (plain < WORD) break;
      }
      if (index === to) break;
      const byte = source[index++] as number;
      const meaning = ESCAPES[byte] as number;
      if (meaning === PLAIN) {
        out[at++] = byte;
      } else if (meaning === SEPARATOR) {
        const last = source[index + 1] as number;
        if (index + 1 < end && source[index] === 0x80 && (last === 0xa8 || last === 0xa9)) {
          at += out.write(last === 0xa8 ? '\\u2028' : '\\u2029', at);
          index += 2;
        } else out[at++] = byte;
      } else if (meaning === CONTROL) {
        at += out.write(`\\u00${byte.toString(16).toUpperCase().padStart(2, '0')}`, at);
      } else {
        out[at++] = 92;
        out[at++] = meaning;
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
 * A bit in the lowest of four bytes that is a control character, a quote, a backslash or not ASCII; none where all stand
 * for themselves. The usual test for a zero byte, on what a quote and a backslash are made zero by; it says too much only
 * of bytes above that one.
 */
function specials(word: number): number {
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
