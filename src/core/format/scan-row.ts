import type { Timestamp } from '../ports/types.ts';
import { parseLine } from './archive-row.ts';
import { decodeBytes } from './json-scan.ts';
import { type RowSpans, rowEnd } from './row-scanner.ts';

/** The parts of a row that a search needs. */
export interface ScannedRow {
  ts: Timestamp | null;
  raw: Buffer;
}

const spans: RowSpans = { ts: -1, tsEnd: -1, raw: -1, rawEnd: -1 };

/** The row in the line `start … end`; undefined if it is not a row. Like `parseLine`, but faster. */
export function scanRow(block: Buffer, start: number, end: number): ScannedRow | undefined {
  if (rowEnd(block, start, spans) !== end + 1) {
    const row = parseLine(block.subarray(start, end));
    return 'malformed' in row ? undefined : row;
  }
  const { ts, tsEnd, raw, rawEnd } = spans;
  return {
    ts: ts < 0 ? null : block.toString('latin1', ts + 1, tsEnd - 1),
    raw: raw < 0 ? Buffer.alloc(0) : decodeBytes(block, { start: raw, end: rawEnd }),
  };
}
