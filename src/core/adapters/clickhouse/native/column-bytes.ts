import { freeBuffer, GrowableBuffer, wordsOf } from '../buffers.ts';
import { WORD } from './json-writer.ts';

/** A block has hundreds of columns, most of them small. */
const START_BYTES = 512;
/** Memory that a column keeps for the next block, in which other columns may have the most bytes. */
const KEPT_BYTES = 128 << 10;
/** Longer texts are copied faster by the engine, shorter ones word by word. */
const SHORT = 96;

/** Bytes to read from, with at least a word of other bytes after them. */
export interface Source {
  bytes: Buffer;
  words: DataView;
}

/** A view of memory as a source. The last word of the memory is padding. */
export function sourceOf(bytes: Buffer): Source {
  return { bytes, words: wordsOf(bytes) };
}

/** Writes values as ClickHouse's Native format has them. */
export class ColumnBytes extends GrowableBuffer {
  constructor(size = START_BYTES) {
    super(Buffer.allocUnsafeSlow(size));
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  zeros(count: number): void {
    this.ensure(count);
    this.bytes.fill(0, this.at, this.at + count);
    this.at += count;
  }

  varint(value: number): void {
    this.ensure(5);
    let left = value;
    for (; left >= 128; left >>>= 7) this.bytes[this.at++] = (left & 127) | 128;
    this.bytes[this.at++] = left;
  }

  /** A safe integer as Int64. */
  int64(value: number): void {
    this.ensure(8);
    this.words.setInt32(this.at, value | 0, true);
    this.words.setInt32(this.at + 4, Math.floor(value / 0x100000000), true);
    this.at += 8;
  }

  /** Int64, or UInt64 above that. */
  bigInt64(value: bigint): void {
    this.ensure(8);
    this.words.setBigUint64(this.at, BigInt.asUintN(64, value), true);
    this.at += 8;
  }

  float64(value: number): void {
    this.ensure(8);
    this.words.setFloat64(this.at, value, true);
    this.at += 8;
  }

  text({ bytes, words }: Source, from: number, to: number): void {
    const length = to - from;
    this.ensure(length + 5 + WORD);
    if (length < 128) this.bytes[this.at++] = length;
    else this.varint(length);
    if (length > SHORT) this.bytes.set(bytes.subarray(from, to), this.at);
    else
      for (let offset = 0; offset < length; offset += WORD)
        this.words.setInt32(this.at + offset, words.getInt32(from + offset, true), true);
    this.at += length;
  }

  /** Name and type of a column. */
  header(name: string, type: string): void {
    this.latin1(name);
    this.latin1(Buffer.from(type).toString('latin1'));
  }

  latin1(text: string): void {
    this.varint(text.length);
    this.ensure(text.length);
    this.at += this.bytes.write(text, this.at, 'latin1');
  }

  override ensure(count: number): void {
    const { bytes } = this;
    super.ensure(count);
    if (this.bytes !== bytes) freeBuffer(bytes);
  }

  /** Forgets all values, and frees the memory of many. */
  clear(): void {
    this.at = 0;
    if (this.bytes.length <= KEPT_BYTES) return;
    freeBuffer(this.bytes);
    this.use(Buffer.allocUnsafeSlow(START_BYTES));
  }
}
