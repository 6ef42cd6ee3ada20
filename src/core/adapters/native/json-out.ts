import { Growing } from './growing.ts';

/** Text is escaped in pieces, so that a long one does not claim room for the worst case at once. */
const PIECE = 16 << 10;
/** A byte at its worst becomes an escape of so many. */
const GROWTH = 6;

const PLAIN = 0;
const CONTROL = 1;
const SEPARATOR = 2;
/** What each byte of text is in JSON: itself, a `\u` escape, perhaps a line separator, or a letter after a backslash. */
const ESCAPES = escapes();

/** JSON as ClickHouse writes it, into a buffer that grows. */
export class JsonOut extends Growing {
  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  /** Bytes that are JSON already. */
  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    const { bytes: out } = this;
    let { at } = this;
    // Keys are a few bytes each: a loop of our own beats the call of `set`.
    for (let index = 0; index < bytes.length; index++) out[at++] = bytes[index] as number;
    this.at = at;
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
    for (let at = from; at < to; ) at = this.#piece(source, at, Math.min(at + PIECE, to), to);
    this.byte(34);
  }

  /** Writes a piece of text that ends at `end`; returns where it stopped, which is `to` or a little after. */
  #piece(source: Buffer, from: number, to: number, end: number): number {
    this.ensure((to - from + 3) * GROWTH);
    const out = this.bytes;
    let { at } = this;
    let index = from;
    while (index < to) {
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
}

function escapes(): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(CONTROL, 0, 0x20);
  table[0xe2] = SEPARATOR;
  for (const [letter, byte] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, '\\': 92 }))
    table[byte] = letter.charCodeAt(0);
  return table;
}
