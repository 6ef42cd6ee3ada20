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

/**
 * How many rows to request when decoding stops. A stop costs two queries: if decoding stops again and again, nearly all
 * rows are soon requested as text; if it stops rarely, only a few are.
 */
export class FallbackSize {
  /** Block size to request, rows. */
  block_rows = MAX_BLOCK_ROWS;
  #rows = 0;

  /** Reduces the block size; false if it is at its minimum. */
  shrinkBlocks(): boolean {
    if (this.block_rows <= MIN_BLOCK_ROWS) return false;
    this.block_rows /= BLOCK_STEP;
    return true;
  }

  /** Number of rows to request as text, after a stop with `decoded` rows decoded. */
  nextRows(decoded: number): number {
    const far = this.#rows === 0 || decoded > FAR_APART * this.#rows;
    this.#rows = far ? FIRST_ROWS : Math.min(MAX_ROWS, this.#rows * ROW_STEP);
    return this.#rows;
  }
}
