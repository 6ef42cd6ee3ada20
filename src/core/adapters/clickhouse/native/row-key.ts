import type { RowKey as Cursor } from '../../../ports/log-database.ts';

export type { Cursor };

const TICKS_BYTES = 8;

/** The key of a row, as a position in its block. */
export class RowKey {
  #bytes: Buffer;
  #ticks: number;
  #from: number;
  #to: number;

  constructor(bytes: Buffer, ticks: number, from: number, to: number) {
    this.#bytes = bytes;
    this.#ticks = ticks;
    this.#from = from;
    this.#to = to;
  }

  /** Moves to a row; returns whether it has the same key. */
  advance(bytes: Buffer, ticks: number, from: number, to: number): boolean {
    if (this.#equals(bytes, ticks, from, to)) return true;
    this.#bytes = bytes;
    this.#ticks = ticks;
    this.#from = from;
    this.#to = to;
    return false;
  }

  #equals(bytes: Buffer, ticks: number, from: number, to: number): boolean {
    const current = this.#bytes;
    for (let index = 0; index < TICKS_BYTES; index++)
      if (current[this.#ticks + index] !== bytes[ticks + index]) return false;
    return (
      to - from === this.#to - this.#from && current.compare(bytes, from, to, this.#from, this.#to) === 0
    );
  }

  /** Copies the key, because the block's bytes will be overwritten. */
  keep(): void {
    const ticks = this.#bytes.subarray(this.#ticks, this.#ticks + TICKS_BYTES);
    this.#bytes = Buffer.concat([ticks, this.#bytes.subarray(this.#from, this.#to)]);
    this.#ticks = 0;
    this.#from = TICKS_BYTES;
    this.#to = this.#bytes.length;
  }

  cursor(): Cursor {
    return {
      ms: String(this.#bytes.readBigInt64LE(this.#ticks)),
      id: this.#bytes.toString('hex', this.#from, this.#to),
    };
  }
}
