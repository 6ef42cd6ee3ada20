import type { Column } from './column.ts';
import { type JsonWriter, Literal } from './json-writer.ts';
import { malformed, type Reader, unsupported } from './reader.ts';

const EMPTY = Buffer.alloc(0);
const NULL = new Literal('null');
const OFFSET_BYTES = 8;
/** Empty objects take no bytes, so the number of elements needs its own limit. */
const MAX_ELEMENTS = 1 << 24;

/** End offsets of the arrays, then all elements. */
export class ArrayColumn implements Column {
  readonly #elements: Column;
  #ends: Buffer = EMPTY;
  #at = 0;
  #start = 0;

  constructor(elements: Column) {
    this.#elements = elements;
  }

  locate(reader: Reader, count: number): void {
    this.#ends = reader.bytes;
    this.#at = reader.at;
    this.#start = 0;
    let last = 0;
    for (let left = count; left > 0; left--) {
      const end = reader.count();
      if (end < last) throw malformed('array offsets are not ascending');
      last = end;
    }
    if (last > MAX_ELEMENTS) throw unsupported('too many array elements');
    this.#elements.locate(reader, last);
  }

  write(out: JsonWriter): void {
    const end = this.#ends.readUInt32LE(this.#at);
    this.#at += OFFSET_BYTES;
    out.byte(91);
    for (let index = this.#start; index < end; index++) {
      if (index > this.#start) out.byte(44);
      this.#elements.write(out);
    }
    out.byte(93);
    this.#start = end;
  }
}

/** A null flag for each value, then all values, with a placeholder for each null. */
export class NullableColumn implements Column {
  readonly #values: Column;
  #nulls: Buffer = EMPTY;
  #at = 0;

  constructor(values: Column) {
    this.#values = values;
  }

  locate(reader: Reader, count: number): void {
    this.#nulls = reader.bytes;
    this.#at = reader.skip(count);
    for (let at = this.#at; at < this.#at + count; at++)
      if ((this.#nulls[at] as number) > 1) throw malformed('invalid null flag');
    this.#values.locate(reader, count);
  }

  write(out: JsonWriter): void {
    const from = out.at;
    this.#values.write(out);
    if (this.#nulls[this.#at++] === 0) return;
    out.at = from;
    out.raw(NULL);
  }
}
