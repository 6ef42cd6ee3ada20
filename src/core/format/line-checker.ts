import type { Timestamp } from '../ports/types.ts';
import { parseLine } from './archive-row.ts';
import { rowEnd } from './row-scanner.ts';

const NEWLINE = 0x0a;
const EXAMPLES = 3;

/** Totals of an archive's lines. */
export interface LineTotals {
  rows: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Number of lines that are not rows, and the first few with line number (the header is line 1) and reason. */
  malformed: number;
  examples: string[];
}

/** Checks and counts an archive's lines; a line is a row if `parseLine` accepts it. */
export class LineChecker {
  readonly totals: LineTotals = { rows: 0, first: null, last: null, malformed: 0, examples: [] };

  /** Takes complete lines, without the header line. */
  add(bytes: Buffer): void {
    const { totals } = this;
    let last = -1;
    for (let start = 0; start < bytes.length; ) {
      let end = rowEnd(bytes, start);
      totals.rows++;
      if (end < 0) {
        end = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
        if (!this.#parse(bytes.subarray(start, end))) {
          start = end;
          continue;
        }
      }
      totals.first ??= timeOf(bytes.subarray(start, end));
      last = start;
      start = end;
    }
    if (last >= 0)
      totals.last = timeOf(bytes.subarray(last, bytes.indexOf(NEWLINE, last) + 1)) ?? totals.last;
  }

  #parse(line: Buffer): boolean {
    const row = parseLine(line);
    if (!('malformed' in row)) return true;
    const { totals } = this;
    totals.malformed++;
    if (totals.examples.length < EXAMPLES) totals.examples.push(`line ${totals.rows + 1}: ${row.malformed}`);
    return false;
  }
}

function timeOf(line: Buffer): Timestamp | null {
  const row = parseLine(line);
  return 'malformed' in row ? null : row.ts;
}
