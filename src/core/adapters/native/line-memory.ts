/** Room for lines up to the size from which they are handed on, and for what is written before that is looked at. */
export const LINES_BYTES = 640 << 10;
/** More are never needed at a time, or not soon. */
const MOST_SPARE = 8;

/**
 * Memory that lines are written into. It comes back once they are read: fresh memory would cost more than to fill it, for
 * the kernel clears it first.
 */
export class LineMemory {
  readonly #spare: ArrayBuffer[] = [];

  /** At least `size` bytes, with whatever is in them. */
  take(size: number): Buffer<ArrayBuffer> {
    if (size > LINES_BYTES) return Buffer.allocUnsafeSlow(size);
    const spare = this.#spare.pop();
    return spare ? Buffer.from(spare) : Buffer.allocUnsafeSlow(LINES_BYTES);
  }

  /** Takes back what `take` gave. What only something long needed goes. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength === LINES_BYTES && this.#spare.length < MOST_SPARE) this.#spare.push(memory);
    else memory.transfer(0);
  }
}
