import type { BrowsedRow } from '../files.ts';
import { type ArchiveRow, type MalformedLine, parseLine } from '../format/index.ts';
import { compareTimes } from '../policy/instant.ts';
import type { Timestamp } from '../ports/types.ts';
import type { LineFinder } from './line-finder.ts';

const NEWLINE = 0x0a;
/** What a screen is given of one value. */
const SHOWN_BYTES = 1024 * 1024;

/** Some rows of an archive that follow each other, with the place of each. */
export class RowBlock {
  /** Number of the first row. */
  readonly first: number;
  readonly bytes: Buffer;
  /** Where each line begins, and where the last one is over. */
  readonly #starts: number[] = [0];

  /** `bytes` are whole lines. */
  constructor(first: number, bytes: Buffer) {
    this.first = first;
    this.bytes = bytes;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1))
      this.#starts.push(at + 1);
  }

  get rows(): number {
    return this.#starts.length - 1;
  }

  /** Number of the row after the last. */
  get end(): number {
    return this.first + this.rows;
  }

  /** The rows of the block between two numbers. */
  *read(from: number, to: number): Generator<BrowsedRow> {
    for (let row = Math.max(from, this.first); row < Math.min(to, this.end); row++) {
      yield browsed(row, this.#line(row - this.first));
    }
  }

  /** Number of the first row at or after a time; the block's end where there is none. Rows are in order of time. */
  at(time: Timestamp): number {
    let [low, high] = [0, this.rows];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const ts = this.timeOf(middle);
      if (ts !== null && compareTimes(ts, time) < 0) low = middle + 1;
      else high = middle;
    }
    return this.first + low;
  }

  /** Time of the row at a place in the block; negative places count from the end. */
  timeOf(place: number): Timestamp | null {
    const row = this.rows === 0 ? undefined : parseLine(this.#line(place < 0 ? this.rows + place : place));
    return row === undefined || 'malformed' in row ? null : row.ts;
  }

  /** Number of the first match at or after a row, or of the last one at or before it. */
  find(finder: LineFinder, from: number, direction: 'next' | 'previous'): number | null {
    let found: number | null = null;
    const start =
      direction === 'next' ? (this.#starts[Math.max(0, from - this.first)] ?? this.bytes.length) : 0;
    for (const hit of finder.find(this.bytes.subarray(start))) {
      const row = this.first + this.#place(start + hit.start);
      if (direction === 'next') return row;
      if (row > from) break;
      found = row;
    }
    return found;
  }

  #line(place: number): Buffer {
    return this.bytes.subarray(this.#starts[place], (this.#starts[place + 1] as number) - 1);
  }

  #place(offset: number): number {
    let [low, high] = [0, this.rows];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A line that is no row is shown as it is. */
function browsed(index: number, line: Buffer): BrowsedRow {
  const row: ArchiveRow | MalformedLine = parseLine(line);
  if ('malformed' in row) {
    return {
      index,
      ts: null,
      id: '',
      raw: shown(line),
      raw_bytes: line.length,
      fields: null,
      ingest_timestamp: null,
    };
  }
  return {
    index,
    ts: row.ts,
    id: row.id,
    raw: shown(row.raw),
    raw_bytes: row.raw.length,
    fields: row.fields && shown(row.fields),
    ingest_timestamp: row.its,
  };
}

function shown(bytes: Buffer): string {
  return bytes.toString('utf8', 0, SHOWN_BYTES);
}
