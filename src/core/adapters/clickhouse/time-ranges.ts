import { firstMillisecond } from '../../policy/row-range.ts';
import type { LogWindow, RowKey } from '../../ports/log-database.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { OwnedBlock } from './join-in-order.ts';
import { bordersQuery, type LineSource } from './queries.ts';
import type { ClickHouseSession } from './session.ts';

/** Rows of the first ranges, before it is known how long lines are. */
const FIRST_ROWS = 16_384;
/** Each range is a query, which takes ClickHouse as long as some thousand rows. */
const MIN_ROWS = 8192;
const MAX_ROWS = 131_072;
/** Lines in a range, bytes. */
const RANGE_BYTES = 24 << 20;
/** Ranges to find with one query: the next ones suit the lines so far. */
const BATCH = 4;
const LIMIT_MS = 600_000;

/** Rows of a window from `start` on. */
export type StartedWindow = LogWindow & { start?: RowKey };

/** How many rows a range has: fewer if the lines so far were long. */
export class RangeSize {
  rows = FIRST_ROWS;
  #lines = 0;
  #bytes = 0;

  /** Passes on the lines of a range, and chooses the rows of those that are not found yet. */
  async *measure(blocks: AsyncIterable<OwnedBlock>): AsyncGenerator<OwnedBlock> {
    for await (const block of blocks) {
      this.#lines += block.lines;
      this.#bytes += block.bytes.length;
      const fitting = Math.floor((RANGE_BYTES * this.#lines) / this.#bytes);
      this.rows = Math.max(MIN_ROWS, Math.min(MAX_ROWS, fitting));
      yield block;
    }
  }
}

/**
 * Splits a window into ranges of time, in order, of about `size` rows each. Together they are the window, whatever rows
 * arrive meanwhile: a range ends where the next one starts. Rows with the same time are in the same range.
 */
export async function* timeRanges(
  session: ClickHouseSession,
  source: LineSource,
  { start, ...window }: StartedWindow,
  size: RangeSize,
  options: CallOptions,
): AsyncGenerator<StartedWindow> {
  const first = window.from === undefined ? Number.NEGATIVE_INFINITY : firstMillisecond(window.from);
  let range: StartedWindow = { ...window, start };
  // A border at the time of `start` would put rows into two ranges.
  let last = Math.max(first, Number(start?.ms ?? Number.NEGATIVE_INFINITY));
  for (let search = last; ; ) {
    const from = Number.isFinite(search) ? new Date(search).toISOString() : undefined;
    const query = bordersQuery(source, { ...window, from }, size.rows, BATCH);
    const borders = await session.rows<{ ms: number }>(query, { ...options, limit_ms: LIMIT_MS });
    let found = false;
    for (const { ms } of borders) {
      if (ms <= last) continue;
      const border = new Date(ms).toISOString();
      yield { ...range, to: border };
      range = { ...window, from: border };
      [last, search, found] = [ms, ms, true];
    }
    if (borders.length < BATCH) break;
    // All of them have the same time.
    if (!found) search = last + 1;
  }
  yield range;
}
