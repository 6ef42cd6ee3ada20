const START_BYTES = 1 << 20;
/** Size of a pooled buffer: a block of lines, plus what is written before its size is checked. */
export const BUFFER_BYTES = 640 << 10;
/** More are not needed at a time. */
const MAX_FREE = 8;

/**
 * Frees the memory of a buffer that is no longer needed, unless it shares that memory. The garbage collector would free it
 * late, because it counts only the small buffer object.
 */
export function freeBuffer({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

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

/** A buffer that is appended to at the end and consumed from the start. */
export class GrowableBuffer {
  bytes: Buffer<ArrayBuffer>;
  /** The same bytes, for writing 32-bit words. */
  words: DataView;
  /** Number of bytes in use. */
  at = 0;

  constructor(bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(START_BYTES)) {
    this.bytes = bytes;
    this.words = wordsOf(bytes);
  }

  ensure(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.at);
    this.use(larger);
  }

  append(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A view of the bytes in use; valid until the next change. */
  view(from = 0): Buffer {
    return this.bytes.subarray(from, this.at);
  }

  /** Drops the first bytes, and shrinks an oversized buffer. */
  drop(count: number): void {
    const left = this.at - count;
    const oversized = this.bytes.length > 8 * START_BYTES && left < START_BYTES;
    const kept = oversized ? Buffer.allocUnsafeSlow(START_BYTES) : this.bytes;
    this.bytes.copy(kept, 0, count, this.at);
    if (oversized) this.use(kept);
    this.at = left;
  }

  /** Removes the first bytes together with their memory; the rest moves to `next`. */
  take(count: number, next: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const taken = this.bytes.subarray(0, count);
    this.bytes.copy(next, 0, count, this.at);
    this.at -= count;
    this.use(next);
    return taken;
  }

  protected use(bytes: Buffer<ArrayBuffer>): void {
    this.bytes = bytes;
    this.words = wordsOf(bytes);
  }
}

/** A view for reading and writing words at any offset. */
export function wordsOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
