/** Size of a pooled buffer: a block of lines, plus what is written before its size is checked. */
export const BUFFER_BYTES = 640 << 10;
/** More are not needed at a time. */
const MAX_FREE = 8;

/**
 * Pool of buffers for lines. Reusing them is worth it: the kernel zeroes fresh memory, which costs more than filling it.
 */
export class LineBufferPool {
  readonly #free: ArrayBuffer[] = [];

  /** At least `size` bytes, uninitialized. */
  take(size: number): Buffer<ArrayBuffer> {
    if (size > BUFFER_BYTES) return Buffer.allocUnsafeSlow(size);
    const free = this.#free.pop();
    return free ? Buffer.from(free) : Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Returns memory to the pool. Oversized or excess memory is freed. */
  release(memory: ArrayBuffer): void {
    if (memory.byteLength === BUFFER_BYTES && this.#free.length < MAX_FREE) this.#free.push(memory);
    else memory.transfer(0);
  }
}
