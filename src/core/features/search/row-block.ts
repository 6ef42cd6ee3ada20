import { type ArchiveRow, type MalformedLine, parseLine, rowText } from '../../format/index.ts';
import { compareTimes } from '../../policy/instant.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { BrowsedRow, MatchedRow } from './contract.ts';
import type { BlockSearch } from './match-thread.ts';

const NEWLINE = 0x0a;
/** Maximum length of a value for screens. */
const SHOWN_BYTES = 1024 * 1024;

/** Consecutive rows of an archive. */
export class RowBlock {
  /** Index of the first row. */
  readonly first: number;
  readonly bytes: Buffer;
  /** Offset of each line, and of the end. */
  readonly #starts: number[] = [0];

  /** `bytes` are complete lines. */
  constructor(first: number, bytes: Buffer) {
    this.first = first;
    this.bytes = bytes;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1))
      this.#starts.push(at + 1);
  }

  get rows(): number {
    return this.#starts.length - 1;
  }

  /** Index after the last row. */
  get end(): number {
    return this.first + this.rows;
  }

  /** Rows of the block in an index range. */
  *read(from: number, to: number): Generator<BrowsedRow> {
    for (let row = Math.max(from, this.first); row < Math.min(to, this.end); row++) {
      yield browsed(row, this.#line(row - this.first));
    }
  }

  /** Index of the first row at or after a time; `end` if there is none. Rows are in time order. */
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

  /** Time of a row, by index in the block; negative values count from the end. */
  timeOf(index: number): Timestamp | null {
    const row = this.rows === 0 ? undefined : parseLine(this.#line(index < 0 ? this.rows + index : index));
    return row === undefined || 'malformed' in row ? null : row.ts;
  }

  /** Index of the first match at or after a row, or of the last one at or before it. */
  async find(
    search: BlockSearch,
    from: number,
    direction: 'next' | 'previous',
    { signal }: CallOptions = {},
  ): Promise<number | null> {
    const next = direction === 'next';
    const at = next ? Math.max(0, from - this.first) : Math.min(this.rows, from - this.first + 1);
    const border = this.#starts[Math.max(0, at)] ?? this.bytes.length;
    const lines = next ? this.bytes.subarray(border) : this.bytes.subarray(0, border);
    const found = await search.find(lines, { signal, ...(next ? { limit: 1 } : {}) });
    const hit = next ? found[0] : found.at(-1);
    return hit === undefined ? null : this.first + this.#rowAt((next ? border : 0) + hit.start);
  }

  /** All matching rows. */
  async matches(search: BlockSearch, { signal }: CallOptions = {}): Promise<MatchedRow[]> {
    const lines = await search.find(this.bytes, { signal });
    return lines.map(({ start, end }) => ({
      row: this.first + this.#rowAt(start),
      line: this.bytes.subarray(start, end),
    }));
  }

  #line(index: number): Buffer {
    return this.bytes.subarray(this.#starts[index], (this.#starts[index + 1] as number) - 1);
  }

  #rowAt(offset: number): number {
    let [low, high] = [0, this.rows];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** An invalid line is shown as is. */
function browsed(index: number, line: Buffer): BrowsedRow {
  const row: ArchiveRow | MalformedLine = parseLine(line);
  if ('malformed' in row) {
    return {
      index,
      ts: null,
      id: '',
      raw: shown(line),
      raw_bytes: line.length,
      text_from: 'raw',
      fields: null,
      cols: null,
      ingest_timestamp: null,
    };
  }
  const { text, from } = rowText(row);
  return {
    index,
    ts: row.ts,
    id: row.id,
    raw: shown(text),
    raw_bytes: text.length,
    text_from: from,
    fields: row.fields && shown(row.fields),
    cols: row.cols && shown(row.cols),
    ingest_timestamp: row.its,
  };
}

function shown(bytes: Buffer): string {
  return bytes.toString('utf8', 0, SHOWN_BYTES);
}

/** An LRU cache of blocks up to a number of bytes; the newest block is always kept. */
export class BlockCache {
  readonly #limit: number;
  readonly #blocks = new Map<number, RowBlock>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(number: number): RowBlock | undefined {
    const block = this.#blocks.get(number);
    if (block) {
      this.#blocks.delete(number);
      this.#blocks.set(number, block);
    }
    return block;
  }

  set(number: number, block: RowBlock): void {
    this.#drop(number);
    this.#blocks.set(number, block);
    this.#bytes += block.bytes.length;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#limit || oldest === number) return;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  #drop(number: number): void {
    const block = this.#blocks.get(number);
    if (!block) return;
    this.#blocks.delete(number);
    this.#bytes -= block.bytes.length;
  }
}
