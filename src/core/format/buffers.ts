/**
 * Frees the memory of an unused buffer unless it is shared: small buffers are views of Node's pool. `allocated`: the
 * size that was allocated, if it differs.
 */
export function freeBuffer({ buffer, byteLength }: Buffer, allocated = byteLength): void {
  const own = buffer.byteLength === byteLength || buffer.byteLength === allocated;
  if (own && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Buffers of frames, reused once a frame is compressed. Garbage collection would free them late, and so much external
 * memory triggers frequent full collections.
 */
export class FrameBufferPool {
  readonly #free: Buffer[] = [];

  /** At least `size` bytes, not zeroed. */
  acquire(size: number): Buffer {
    const kept = this.#free.pop();
    return kept && kept.length >= size ? kept : Buffer.allocUnsafeSlow(size);
  }

  /** Returns a buffer to the pool, unless it is larger than usual. */
  recycle(memory: Buffer, usual: number): void {
    if (memory.length <= usual) this.#free.push(memory);
  }
}
