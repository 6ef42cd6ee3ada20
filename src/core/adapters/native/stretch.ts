/** Rows of a block: at first, and each time that one is too large a part of that. */
const MOST_BLOCK_ROWS = 8192;
const LEAST_BLOCK_ROWS = 128;
const BLOCK_STEP = 8;
/** Rows that come as text where decoding stopped: at first, and each time that it stops again soon so many times more. */
const FIRST_ROWS = 16_384;
const MOST_ROWS = 1 << 22;
const ROW_STEP = 4;
/** Between two stops, so many times the rows of a stretch are far apart. */
const FAR = 8;

/**
 * How much is asked for at once where decoding stops: a stop costs two queries, so that rows which stop it again and
 * again soon come as text almost all, and a few among many stay few.
 */
export class Stretch {
  /** Rows of a block to ask for. */
  block_rows = MOST_BLOCK_ROWS;
  #rows = 0;

  /** After a block that was too large: whether to try with smaller ones. */
  smaller(): boolean {
    if (this.block_rows <= LEAST_BLOCK_ROWS) return false;
    this.block_rows /= BLOCK_STEP;
    return true;
  }

  /** After so many decoded rows and a stop: how many rows are to come as text. */
  next(decoded: number): number {
    const far = this.#rows === 0 || decoded > FAR * this.#rows;
    this.#rows = far ? FIRST_ROWS : Math.min(MOST_ROWS, this.#rows * ROW_STEP);
    return this.#rows;
  }
}
