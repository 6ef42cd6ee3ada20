import { type RowText, scanRow } from '../../format/index.ts';
import { compareTimes } from '../../policy/instant.ts';
import type { Timestamp } from '../../ports/types.ts';
import type { SearchPattern } from './contract.ts';
import { type CompiledPattern, compilePattern, jsonPattern } from './pattern.ts';

const NEWLINE = 0x0a;
/** A row without its original line. */
const NO_LINE = '"raw":""';

/** From (included) and to (excluded). */
export interface TimeWindow {
  from?: Timestamp;
  to?: Timestamp;
}

/** Start and end offset of a matching line, without newline, and what was searched. */
export interface MatchingLine {
  start: number;
  end: number;
  text_from: RowText['from'];
}

/** Finds matching rows in blocks of complete lines. */
export class LineMatcher {
  readonly #pattern: CompiledPattern;
  readonly #window: TimeWindow;
  /** The literal as it can appear in a block, to skip all other lines quickly. */
  readonly #stored: RegExp | undefined;
  readonly #bytes: Buffer;

  /** Throws `USAGE` for an invalid pattern. */
  constructor(pattern: SearchPattern, window: TimeWindow = {}) {
    this.#pattern = compilePattern(pattern);
    this.#window = window;
    const { literal, any_case } = this.#pattern;
    this.#bytes = Buffer.from(literal);
    const stored = jsonPattern(literal);
    const anyCase = any_case && literal.toLowerCase() !== literal.toUpperCase();
    if (anyCase || !stored.plain) this.#stored = new RegExp(stored.pattern, anyCase ? 'gi' : 'g');
  }

  *find(block: Buffer): Generator<MatchingLine> {
    const next = this.#candidates(block);
    for (let at = next(0); at >= 0; ) {
      const start = at === 0 ? 0 : block.lastIndexOf(NEWLINE, at - 1) + 1;
      const newline = block.indexOf(NEWLINE, at);
      const end = newline < 0 ? block.length : newline;
      const text_from = this.#match(block, start, end);
      if (text_from !== undefined) yield { start, end, text_from };
      if (end + 1 >= block.length) return;
      at = next(end + 1);
    }
  }

  /** Returns the offset of the next candidate at or after an offset; negative if there is none. */
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

  /** What the pattern was found in; undefined if the line does not match. */
  #match(block: Buffer, start: number, end: number): RowText['from'] | undefined {
    const row = scanRow(block, start, end);
    if (row === undefined || !isInWindow(row.ts, this.#window)) return undefined;
    return this.#pattern.matches(row.text) ? row.from : undefined;
  }
}

/** Whether only the text of the fields of some row in the window can be searched, since its line was not kept. */
export function lacksLines(block: Buffer, window: TimeWindow): boolean {
  for (let at = block.indexOf(NO_LINE); at >= 0; at = block.indexOf(NO_LINE, at)) {
    const start = at === 0 ? 0 : block.lastIndexOf(NEWLINE, at - 1) + 1;
    const newline = block.indexOf(NEWLINE, at);
    at = newline < 0 ? block.length : newline;
    const row = scanRow(block, start, at);
    if (row && row.from !== 'raw' && row.from !== null && isInWindow(row.ts, window)) return true;
  }
  return false;
}

function isInWindow(ts: Timestamp | null, { from, to }: TimeWindow): boolean {
  if (from !== undefined && (ts === null || compareTimes(ts, from) < 0)) return false;
  return to === undefined || (ts !== null && compareTimes(ts, to) < 0);
}
