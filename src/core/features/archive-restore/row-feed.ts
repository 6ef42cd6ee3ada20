import type { RestoreLines } from '../../format/index.ts';

/** Part of the rows, as it is sent. */
export interface RowPart {
  bytes: AsyncGenerator<Buffer>;
  /** Rows returned so far. */
  rows(): number;
}

/** The selected rows of a file, returned in parts. `close` closes the source. */
export class RowFeed {
  readonly #source: AsyncIterator<Buffer>;
  readonly #lines: RestoreLines;
  #next: { pieces: Buffer[]; rows: number } | undefined;
  #done = false;

  /** `blocks` must contain complete lines. */
  constructor(blocks: AsyncIterable<Buffer>, lines: RestoreLines) {
    this.#source = blocks[Symbol.asyncIterator]();
    this.#lines = lines;
  }

  /** Whether there is another row; reads until that is known. */
  async hasMore(): Promise<boolean> {
    while (this.#next === undefined && !this.#done) {
      const { done, value } = await this.#source.next();
      if (done) this.#done = true;
      else {
        const block = this.#lines.take(value);
        if (block.rows > 0) this.#next = block;
      }
    }
    return this.#next !== undefined;
  }

  /**
   * Rows up to about a limit; `onBlock` is called after each block. If a part is not read to its end, the rest of it
   * is lost.
   */
  take(limit: { rows: number; bytes: number }, onBlock: () => void): RowPart {
    let [rows, bytes] = [0, 0];
    const feed = this;
    const part = async function* () {
      while (rows < limit.rows && bytes < limit.bytes && (await feed.hasMore())) {
        const block = feed.#next as { pieces: Buffer[]; rows: number };
        feed.#next = undefined;
        rows += block.rows;
        for (const piece of block.pieces) {
          bytes += piece.length;
          yield piece;
        }
        onBlock();
      }
    };
    return { bytes: part(), rows: () => rows };
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
