/** Reads a stream by byte counts, whatever the size of its pieces. Buffers at most the bytes requested plus one piece. */
export class ByteCursor {
  /** Bytes taken so far. */
  position = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #pieces: Buffer[] = [];
  #available = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Bytes that can be taken without waiting. */
  get available(): number {
    return this.#available;
  }

  /** Waits until `count` bytes can be taken; false if the stream ends first. */
  async fill(count: number): Promise<boolean> {
    while (this.#available < count && !this.#ended) {
      const { done, value } = await this.#source.next();
      if (done) this.#ended = true;
      else if (value.length > 0) this.#add(value);
    }
    return this.#available >= count;
  }

  /** The next `count` bytes, which must be available. */
  take(count: number): Buffer {
    const bytes = this.peek(count);
    this.#drop(count);
    return bytes;
  }

  /** The next `count` available bytes, without taking them. */
  peek(count: number): Buffer {
    const first = this.#pieces[0] ?? Buffer.alloc(0);
    if (first.length >= count) return first.subarray(0, count);
    const joined = Buffer.concat(this.#pieces, this.#available);
    this.#pieces = [joined];
    return joined.subarray(0, count);
  }

  /** Up to `limit` bytes, without copying; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    if (!(await this.fill(1))) return undefined;
    return this.take(Math.min(limit, (this.#pieces[0] as Buffer).length));
  }

  /** Stops reading and closes the source. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#source.return?.();
  }

  #add(value: Uint8Array): void {
    this.#pieces.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    this.#available += value.length;
  }

  #drop(count: number): void {
    this.position += count;
    this.#available -= count;
    for (let left = count; left > 0; ) {
      const first = this.#pieces[0] as Buffer;
      if (first.length > left) {
        this.#pieces[0] = first.subarray(left);
        return;
      }
      left -= first.length;
      this.#pieces.shift();
    }
  }
}
