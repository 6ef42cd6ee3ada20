import { scanRow } from '../format/index.ts';
import { compareTimes } from '../policy/instant.ts';
import { type Needle, storedForm } from '../policy/needle.ts';
import type { Timestamp } from '../ports/types.ts';

const NEWLINE = 0x0a;

/** From (included) and to (excluded). */
export interface TimeWindow {
  from?: Timestamp;
  to?: Timestamp;
}

/** Finds the lines of rows that match, in blocks of whole lines. */
export class LineFinder {
  readonly #needle: Needle;
  readonly #window: TimeWindow;
  /** The literal as it can stand in a block, to pass over all other lines at once. */
  readonly #stored: RegExp | undefined;
  readonly #bytes: Buffer;

  constructor(needle: Needle, window: TimeWindow = {}) {
    this.#needle = needle;
    this.#window = window;
    this.#bytes = Buffer.from(needle.literal);
    const { pattern, plain } = storedForm(needle.literal);
    const anyCase = needle.any_case && needle.literal.toLowerCase() !== needle.literal.toUpperCase();
    if (anyCase || !plain) this.#stored = new RegExp(pattern, anyCase ? 'gi' : 'g');
  }

  /** Where the matching lines of a block begin and end, newlines left out. */
  *find(block: Buffer): Generator<{ start: number; end: number }> {
    const next = this.#candidates(block);
    for (let at = next(0); at >= 0; ) {
      const start = at === 0 ? 0 : block.lastIndexOf(NEWLINE, at - 1) + 1;
      const newline = block.indexOf(NEWLINE, at);
      const end = newline < 0 ? block.length : newline;
      if (this.#isHit(block, start, end)) yield { start, end };
      if (end + 1 >= block.length) return;
      at = next(end + 1);
    }
  }

  /** Gives the next place, at or after one, where a matching line may be; negative where there is none. */
  #candidates(block: Buffer): (from: number) => number {
    if (this.#bytes.length === 0) return (from) => (from < block.length ? from : -1);
    const stored = this.#stored;
    if (stored === undefined) return (from) => block.indexOf(this.#bytes, from);
    const text = block.toString('latin1');
    return (from) => {
      stored.lastIndex = from;
      return stored.exec(text)?.index ?? -1;
    };
  }

  #isHit(block: Buffer, start: number, end: number): boolean {
    const row = scanRow(block, start, end);
    if (row === undefined) return false;
    const { from, to } = this.#window;
    if (from !== undefined && (row.ts === null || compareTimes(row.ts, from) < 0)) return false;
    if (to !== undefined && (row.ts === null || compareTimes(row.ts, to) >= 0)) return false;
    return this.#needle.matches(row.raw);
  }
}
