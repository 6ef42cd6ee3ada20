const START_BYTES = 1 << 20;

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
    this.#use(larger);
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
    if (oversized) this.#use(kept);
    this.at = left;
  }

  /** Removes the first bytes together with their memory; the rest moves to `next`. */
  take(count: number, next: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const taken = this.bytes.subarray(0, count);
    this.bytes.copy(next, 0, count, this.at);
    this.at -= count;
    this.#use(next);
    return taken;
  }

  #use(bytes: Buffer<ArrayBuffer>): void {
    this.bytes = bytes;
    this.words = wordsOf(bytes);
  }
}

/** A view for reading and writing words at any offset. */
export function wordsOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
