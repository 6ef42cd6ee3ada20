import type { Column } from './column.ts';
import { type JsonOut, Literal } from './json-out.ts';
import { malformed, type Reader, unknown } from './reader.ts';

const NONE = Buffer.alloc(0);
const NULL = new Literal('null');
const OFFSET_BYTES = 8;
/** Objects without a member take no bytes: their number must be bounded by itself. */
const MAX_ELEMENTS = 1 << 24;

/** Ends of the arrays, then all their elements. */
export class ArrayColumn implements Column {
  readonly #elements: Column;
  #ends: Buffer = NONE;
  #at = 0;
  #begin = 0;

  constructor(elements: Column) {
    this.#elements = elements;
  }

  locate(reader: Reader, count: number): void {
    this.#ends = reader.bytes;
    this.#at = reader.at;
    this.#begin = 0;
    let last = 0;
    for (let left = count; left > 0; left--) {
      const end = reader.count();
      if (end < last) throw malformed('an array that ends before it begins');
      last = end;
    }
    if (last > MAX_ELEMENTS) throw unknown('arrays of very many elements');
    this.#elements.locate(reader, last);
  }

  write(out: JsonOut): void {
    const end = this.#ends.readUInt32LE(this.#at);
    this.#at += OFFSET_BYTES;
    out.byte(91);
    for (let index = this.#begin; index < end; index++) {
      if (index > this.#begin) out.byte(44);
      this.#elements.write(out);
    }
    out.byte(93);
    this.#begin = end;
  }
}

/** A byte for each value that says whether it is null, then all values: something stands for a null too. */
export class NullableColumn implements Column {
  readonly #values: Column;
  #nulls: Buffer = NONE;
  #at = 0;

  constructor(values: Column) {
    this.#values = values;
  }

  locate(reader: Reader, count: number): void {
    this.#nulls = reader.bytes;
    this.#at = reader.skip(count);
    for (let at = this.#at; at < this.#at + count; at++)
      if ((this.#nulls[at] as number) > 1) throw malformed('a value that is neither null nor not');
    this.#values.locate(reader, count);
  }

  write(out: JsonOut): void {
    const from = out.at;
    this.#values.write(out);
    if (this.#nulls[this.#at++] === 0) return;
    out.at = from;
    out.raw(NULL);
  }
}
