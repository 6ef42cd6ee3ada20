import type { RestoreLines } from '../format/index.ts';

/** A part of the rows, as it is sent. */
export interface RowPart {
  bytes: AsyncGenerator<Buffer>;
  /** Rows handed out so far. */
  rows(): number;
}

/** The wanted rows of a file, to be taken part by part. Closed, it closes its source. */
export class RowFeed {
  readonly #source: AsyncIterator<Buffer>;
  readonly #lines: RestoreLines;
  #next: { pieces: Buffer[]; rows: number } | undefined;
  #over = false;

  /** `blocks` are whole lines. */
  constructor(blocks: AsyncIterable<Buffer>, lines: RestoreLines) {
    this.#source = blocks[Symbol.asyncIterator]();
    this.#lines = lines;
  }

  /** Whether there is another row; reads on until it is known. */
  async more(): Promise<boolean> {
    while (this.#next === undefined && !this.#over) {
      const { done, value } = await this.#source.next();
      if (done) this.#over = true;
      else {
        const block = this.#lines.take(value);
        if (block.rows > 0) this.#next = block;
      }
    }
    return this.#next !== undefined;
  }

  /** Rows up to about a limit; `told` is called with each block. What is left of it when it is given up is lost. */
  take(limit: { rows: number; bytes: number }, told: () => void): RowPart {
    let [rows, bytes] = [0, 0];
    const feed = this;
    const part = async function* () {
      while (rows < limit.rows && bytes < limit.bytes && (await feed.more())) {
        const block = feed.#next as { pieces: Buffer[]; rows: number };
        feed.#next = undefined;
        rows += block.rows;
        for (const piece of block.pieces) {
          bytes += piece.length;
          yield piece;
        }
        told();
      }
    };
    return { bytes: part(), rows: () => rows };
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
