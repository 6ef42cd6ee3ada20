import type { Timestamp } from '../../ports/types.ts';
import { type ArchiveRow, parseLine } from './archive-row.ts';
import { type RowSpans, rowEnd } from './row-scanner.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [ZERO, ONE, TWO, NINE] = [0x30, 0x31, 0x32, 0x39];
const EXAMPLES = 3;
const TS_OFFSET = '{"ts":'.length;
const RAW_OFFSET = ',"raw":'.length;
const RAW64 = Buffer.from(',"raw64":"');
const ID = Buffer.from(',"id":"');
const FID = Buffer.from(',"fid":"');
const ITS = Buffer.from(',"its":"');
const FIELDS = Buffer.from(',"fields":{');
const COLS = Buffer.from(',"cols":{');

/** Selects rows with `from ≤ timestamp < to`, in milliseconds since 1970. */
export interface RowRange {
  from_ms: number;
  to_ms: number;
}

/** Totals of the lines read for a restore. */
export interface RestoreTotals {
  /** Valid rows, of any time. */
  rows: number;
  /** Of these, rows in the range. */
  in_range: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Number of lines that are not rows, and the first few with line number (the header is line 1) and reason. */
  malformed: number;
  examples: string[];
}

/** Lines to send, in pieces, and their number. */
export interface RestoreBlock {
  pieces: Buffer[];
  rows: number;
}

/** Spans in a line of the form that this program writes: of the values without their quotes. */
export interface OwnSpans extends RowSpans {
  /** Negative without `raw64`. */
  exactStart: number;
  exactEnd: number;
  id: number;
  idEnd: number;
  its: number;
  itsEnd: number;
}

/** A row that a restore can store; without a storable time of ingest, it has that of the row. */
export type StorableRow = ArchiveRow & { ts: Timestamp; its: Timestamp };

/**
 * Finds the rows in an archive's lines that a restore stores, and counts them. Lines that are not rows, or lack a time,
 * are counted and skipped.
 */
export abstract class RestoreLines {
  readonly totals: RestoreTotals = {
    rows: 0,
    in_range: 0,
    first: null,
    last: null,
    malformed: 0,
    examples: [],
  };
  readonly #range: RowRange | undefined;
  /** Span of the last row's time in the block. */
  #lastStart = -1;
  #lastEnd = -1;
  readonly #spans: OwnSpans = {
    ts: -1,
    tsEnd: -1,
    raw: -1,
    rawEnd: -1,
    exact: true,
    exactStart: -1,
    exactEnd: -1,
    id: -1,
    idEnd: -1,
    its: -1,
    itsEnd: -1,
  };

  constructor(range: RowRange | undefined) {
    this.#range = range;
  }

  /** Takes each row in the range, in the form that this program writes. `spans` is reused. */
  protected abstract takeOwn(bytes: Buffer, start: number, end: number, spans: OwnSpans): void;
  /** Takes each other row in the range. */
  protected abstract takeOther(row: StorableRow): void;

  /** Reads complete lines, without the header line. */
  protected read(bytes: Buffer): void {
    const spans = this.#spans;
    for (let start = 0; start < bytes.length; ) {
      const end = rowEnd(bytes, start, spans);
      if (end > 0 && isOwnForm(bytes, start, end, spans)) {
        if (this.#countOwn(bytes)) this.takeOwn(bytes, start, end, spans);
        start = end;
        continue;
      }
      const next = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
      this.#parse(bytes.subarray(start, next));
      start = next;
    }
    if (this.#lastEnd > 0) this.totals.last = bytes.toString('latin1', this.#lastStart, this.#lastEnd);
    this.#lastEnd = -1;
  }

  /** Counts a line in our own form. Returns whether its row is in the range. */
  #countOwn(bytes: Buffer): boolean {
    const { ts, tsEnd } = this.#spans;
    const { totals } = this;
    totals.rows++;
    const time = totals.first === null || this.#range !== undefined;
    const text = time ? bytes.toString('latin1', ts + 1, tsEnd - 1) : '';
    totals.first ??= text;
    this.#lastStart = ts + 1;
    this.#lastEnd = tsEnd - 1;
    return this.#isInRange(text);
  }

  #isInRange(time: Timestamp): boolean {
    if (this.#range && !contains(this.#range, Date.parse(time))) return false;
    this.totals.in_range++;
    return true;
  }

  #parse(line: Buffer): void {
    const { totals } = this;
    const row = parseLine(line);
    const reason = 'malformed' in row ? row.malformed : rejection(row);
    if (reason !== undefined) {
      totals.malformed++;
      if (totals.examples.length < EXAMPLES)
        totals.examples.push(`line ${totals.rows + totals.malformed + 1}: ${reason}`);
      return;
    }
    const { ts, its, ...rest } = row as ArchiveRow & { ts: Timestamp };
    totals.rows++;
    totals.first ??= ts;
    totals.last = ts;
    this.#lastEnd = -1;
    const ingested = its !== null && isStorable(Buffer.from(its), 0) ? its : ts;
    if (this.#isInRange(ts)) this.takeOther({ ts, its: ingested, ...rest });
  }
}

function contains({ from_ms, to_ms }: RowRange, ms: number): boolean {
  return ms >= from_ms && ms < to_ms;
}

/**
 * Converts an archive's lines to lines that the database reads as the same rows. Lines in the form that this program
 * writes pass through unchanged; all others are parsed and rewritten.
 */
export class RestoreLineEncoder extends RestoreLines {
  readonly #only: readonly RowRange[] | undefined;
  /** The range that the last row was compared with. */
  #at = 0;
  /** Rows still to be skipped. */
  #skip: number;
  #block: RestoreBlock = { pieces: [], rows: 0 };
  #bytes: Buffer = Buffer.alloc(0);
  /** The current run of lines that are sent unchanged. */
  #runStart = 0;
  #runEnd = 0;

  /**
   * Of the rows in the range, those outside of `only`, and then the first `skip`, are counted but not sent. `only` is
   * sorted.
   */
  constructor(range: RowRange | undefined, skip = 0, only?: readonly RowRange[]) {
    super(range);
    this.#skip = skip;
    this.#only = only;
  }

  /** Takes complete lines, without the header line. */
  take(bytes: Buffer): RestoreBlock {
    this.#bytes = bytes;
    this.#block = { pieces: [], rows: 0 };
    this.#runStart = 0;
    this.#runEnd = 0;
    this.read(bytes);
    this.#endRun();
    return this.#block;
  }

  protected override takeOwn(bytes: Buffer, start: number, end: number, { ts, tsEnd }: OwnSpans): void {
    if (!this.#isSent(this.#only ? bytes.toString('latin1', ts + 1, tsEnd - 1) : '')) return;
    if (start !== this.#runEnd) {
      this.#endRun();
      this.#runStart = start;
    }
    this.#runEnd = end;
    this.#block.rows++;
  }

  protected override takeOther(row: StorableRow): void {
    if (!this.#isSent(row.ts)) return;
    this.#endRun();
    this.#block.pieces.push(...rewritten(row));
    this.#block.rows++;
  }

  #isSent(time: Timestamp): boolean {
    if (this.#only && !this.#isWithin(this.#only, Date.parse(time))) return false;
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  /** Rows are mostly sorted, so the next range is rarely far. */
  #isWithin(ranges: readonly RowRange[], ms: number): boolean {
    while (this.#at > 0 && ms < (ranges[this.#at]?.from_ms ?? Number.POSITIVE_INFINITY)) this.#at--;
    while (ms >= (ranges[this.#at]?.to_ms ?? Number.POSITIVE_INFINITY)) this.#at++;
    const range = ranges[this.#at];
    return range !== undefined && contains(range, ms);
  }

  #endRun(): void {
    if (this.#runEnd > this.#runStart)
      this.#block.pieces.push(this.#bytes.subarray(this.#runStart, this.#runEnd));
    this.#runStart = this.#runEnd;
  }
}

function rejection({ ts }: ArchiveRow): string | undefined {
  if (ts === null) return 'no time';
  return isStorable(Buffer.from(ts), 0) ? undefined : 'time out of range';
}

/** Whether ClickHouse's DateTime64 can hold the time at `at`: years 1900 to 2299. */
function isStorable(bytes: Buffer, at: number): boolean {
  const [first, second] = [bytes[at], bytes[at + 1] as number];
  return first === ONE ? second === NINE : first === TWO && second >= ZERO && second <= TWO;
}

/**
 * Whether a line has the keys that this program writes, in order and once each, and no escapes in short texts. If so, sets
 * the other spans.
 */
function isOwnForm(bytes: Buffer, start: number, end: number, spans: OwnSpans): boolean {
  const { ts, tsEnd, raw, rawEnd } = spans;
  if (ts !== start + TS_OFFSET || raw !== tsEnd + RAW_OFFSET) return false;
  if (!isStorable(bytes, ts + 1)) return false;
  spans.exactStart = startsWith(bytes, rawEnd, RAW64) ? rawEnd + RAW64.length : -1;
  const exactEnd = spans.exactStart < 0 ? rawEnd : textEnd(bytes, spans.exactStart);
  spans.exactEnd = spans.exactStart < 0 ? -1 : exactEnd - 1;
  spans.id = exactEnd + ID.length;
  const idEnd = textAfter(bytes, exactEnd, ID);
  spans.idEnd = idEnd - 1;
  const fidEnd = textAfter(bytes, idEnd, FID);
  spans.its = fidEnd + ITS.length;
  const at = textAfter(bytes, fidEnd, ITS);
  spans.itsEnd = at - 1;
  if (at < 0 || !isStorable(bytes, spans.its)) return false;
  return at + 2 === end || startsWith(bytes, at, FIELDS) || startsWith(bytes, at, COLS);
}

/** The end of the text that follows a key at `at`; negative if `at` is, if the key is another, or if the text has escapes. */
function textAfter(bytes: Buffer, at: number, key: Buffer): number {
  return at >= 0 && startsWith(bytes, at, key) ? textEnd(bytes, at + key.length) : -1;
}

function startsWith(bytes: Buffer, at: number, key: Buffer): boolean {
  for (let index = 0; index < key.length; index++) if (bytes[at + index] !== key[index]) return false;
  return true;
}

/** The end of a text without escapes; negative if it has any. */
function textEnd(bytes: Buffer, start: number): number {
  for (let at = start; ; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH || byte === undefined) return -1;
  }
}

/** A row's line with the log line in base64, which suits any bytes and keeps long log lines out of strings. */
function rewritten({ ts, raw, id, its, fields, cols }: StorableRow): Buffer[] {
  const texts = JSON.stringify({ ts, id, its }).slice(0, -1);
  return [
    Buffer.from(`${texts},"raw64":"`),
    Buffer.from(raw.toString('base64'), 'latin1'),
    Buffer.from('"'),
    ...(fields === null ? [] : [Buffer.from(',"fields":'), fields]),
    ...(cols === null ? [] : [Buffer.from(',"cols":'), cols]),
    Buffer.from('}\n'),
  ];
}
