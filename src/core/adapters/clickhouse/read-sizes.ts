import type { OwnedBlock } from './join-in-order.ts';

/**
 * Limits for one join with the original lines. ClickHouse keeps both sides in memory and sorts them, which takes up to
 * eight times the bytes of the lines.
 */
const JOIN_FIRST_ROWS = 1024;
const JOIN_MAX_ROWS = 65_536;
const JOIN_GROWTH = 8;
const JOIN_BYTES = 32 << 20;
/** Block size in rows: divided by `BLOCK_STEP` each time a block is too large. */
const MAX_BLOCK_ROWS = 8192;
const MIN_BLOCK_ROWS = 128;
const BLOCK_STEP = 8;
/** Rows to request as text after a stop: multiplied by `ROW_STEP` if decoding soon stops again. */
const FIRST_ROWS = 16_384;
const MAX_ROWS = 1 << 22;
const ROW_STEP = 4;
/** Two stops are far apart if more than this many times the last text range was decoded between them. */
const FAR_APART = 8;

/** How many rows to join with their original lines: fewer if the lines so far were long. */
export class JoinSize {
  rows = JOIN_FIRST_ROWS;

  /** Several blocks, so that each is small enough to be buffered. */
  get block_rows(): number {
    return Math.max(MIN_BLOCK_ROWS, Math.floor((this.rows * MAX_BLOCK_ROWS) / JOIN_MAX_ROWS));
  }

  /** Passes on the lines of a join, and chooses the rows of the next one. */
  async *adapt(joined: AsyncIterable<OwnedBlock>): AsyncGenerator<OwnedBlock> {
    const sum = { lines: 0, bytes: 0 };
    for await (const block of joined) {
      sum.lines += block.lines;
      sum.bytes += block.bytes.length;
      yield block;
    }
    if (sum.lines === 0) return;
    const fitting = Math.ceil((JOIN_BYTES * sum.lines) / sum.bytes);
    this.rows = Math.min(fitting, JOIN_MAX_ROWS, this.rows * JOIN_GROWTH);
  }
}

/**
 * How many rows to request when decoding stops. A stop costs two queries: if decoding stops again and again, nearly all
 * rows are soon requested as text; if it stops rarely, only a few are.
 */
export class FallbackSize {
  /** Block size to request, rows. */
  block_rows: number;
  #rows = 0;

  constructor(block_rows = MAX_BLOCK_ROWS) {
    this.block_rows = block_rows;
  }

  /** Reduces the block size; false if it is at its minimum. */
  shrinkBlocks(): boolean {
    if (this.block_rows <= MIN_BLOCK_ROWS) return false;
    this.block_rows = Math.max(MIN_BLOCK_ROWS, Math.floor(this.block_rows / BLOCK_STEP));
    return true;
  }

  /** Number of rows to request as text, after a stop with `decoded` rows decoded. */
  nextRows(decoded: number): number {
    const far = this.#rows === 0 || decoded > FAR_APART * this.#rows;
    this.#rows = far ? FIRST_ROWS : Math.min(MAX_ROWS, this.#rows * ROW_STEP);
    return this.#rows;
  }
}
