import { S3Error } from './s3-error.ts';

/** Trailing headers of a chunked body. */
export type Trailer = Record<string, string>;

/** Decodes an `aws-chunked` body. Trailing headers go into `trailer`. */
export async function* dechunk(source: AsyncIterable<Buffer>, trailer: Trailer): AsyncGenerator<Buffer> {
  const reader = new Reader(source);
  while (true) {
    const size = Number.parseInt(await reader.line(), 16);
    if (!(size >= 0)) throw new S3Error(400, 'InvalidChunkSizeError');
    if (size === 0) break;
    yield* reader.take(size);
    await reader.line();
  }
  for (const line of (await reader.rest()).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) trailer[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
}

class Reader {
  readonly #source: AsyncIterator<Buffer>;
  #buffered: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    while (true) {
      const end = this.#buffered.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffered.subarray(0, end).toString();
        this.#buffered = this.#buffered.subarray(end + 2);
        return line;
      }
      if (!(await this.#more())) throw new S3Error(400, 'IncompleteBody');
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#buffered.length === 0 && !(await this.#more())) throw new S3Error(400, 'IncompleteBody');
      const piece = this.#buffered.subarray(0, left);
      this.#buffered = this.#buffered.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async rest(): Promise<string> {
    while (await this.#more());
    return this.#buffered.toString();
  }

  async #more(): Promise<boolean> {
    const step = await this.#source.next();
    if (!step.done)
      this.#buffered = this.#buffered.length ? Buffer.concat([this.#buffered, step.value]) : step.value;
    return !step.done;
  }
}
