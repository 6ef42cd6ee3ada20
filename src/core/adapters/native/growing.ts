const START_BYTES = 1 << 20;

/** Bytes that grow at the end and are given up at the front. */
export class Growing {
  bytes: Buffer<ArrayBuffer>;
  /** The same, to be written by words. */
  words: DataView;
  /** How many there are. */
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

  /** Those that there are: a view, good until the next change. */
  view(from = 0): Buffer {
    return this.bytes.subarray(from, this.at);
  }

  /** Gives up the first ones, and room that only something long needed. */
  drop(count: number): void {
    const left = this.at - count;
    const roomy = this.bytes.length > 8 * START_BYTES && left < START_BYTES;
    const kept = roomy ? Buffer.allocUnsafeSlow(START_BYTES) : this.bytes;
    this.bytes.copy(kept, 0, count, this.at);
    if (roomy) this.#use(kept);
    this.at = left;
  }

  /** Takes the first ones away, with the memory that they are in: what follows them goes on in `next`. */
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

/** A view of bytes by words, which need not begin where a word would. */
export function wordsOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
