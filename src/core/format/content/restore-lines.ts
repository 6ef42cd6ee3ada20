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
const TEXTS = ['id', 'fid', 'its'].map((key) => Buffer.from(`,"${key}":"`));
const FIELDS = Buffer.from(',"fields":{');
const COLS = Buffer.from(',"cols":{');
/** Readers disagree about unpaired surrogates, so lines with escaped surrogates are rewritten. */
const SURROGATES = ['\\ud', '\\uD'];

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

/**
 * Converts an archive's lines to lines that the database reads as the same rows. Lines in the form that this program
 * writes pass through unchanged; all others are parsed and rewritten. Lines that are not rows, or lack a time, are
 * counted and skipped.
 */
export class RestoreLineEncoder {
  readonly totals: RestoreTotals = {
    rows: 0,
    in_range: 0,
    first: null,
    last: null,
    malformed: 0,
    examples: [],
  };
  readonly #range: RowRange | undefined;
  /** Rows still to be skipped. */
  #skip: number;
  /** Span of the last row's time in the block. */
  #lastStart = -1;
  #lastEnd = -1;
  readonly #spans: RowSpans = { ts: -1, tsEnd: -1, raw: -1, rawEnd: -1, exact: true };

  /** The first `skip` rows in the range are counted but not sent. */
  constructor(range: RowRange | undefined, skip = 0) {
    this.#range = range;
    this.#skip = skip;
  }

  /** Takes complete lines, without the header line. */
  take(bytes: Buffer): RestoreBlock {
    const block: RestoreBlock = { pieces: [], rows: 0 };
    const suspect = SURROGATES.some((half) => bytes.includes(half, 0, 'latin1'));
    /** Start of the current run of unchanged lines. */
    let run = 0;
    for (let start = 0; start < bytes.length; ) {
      const end = rowEnd(bytes, start, this.#spans);
      if (end > 0 && !suspect && isOwnForm(bytes, start, end, this.#spans)) {
        if (!this.#countUnchanged(bytes)) run = this.#endRun(bytes, run, start, end, block);
        else block.rows++;
        start = end;
        continue;
      }
      const next = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
      run = this.#endRun(bytes, run, start, next, block);
      this.#rewrite(bytes.subarray(start, next), block);
      start = next;
    }
    this.#endRun(bytes, run, bytes.length, bytes.length, block);
    if (this.#lastEnd > 0) this.totals.last = bytes.toString('latin1', this.#lastStart, this.#lastEnd);
    this.#lastEnd = -1;
    return block;
  }

  /** Ends a run of unchanged lines. Returns the start of the next one. */
  #endRun(bytes: Buffer, run: number, start: number, next: number, block: RestoreBlock): number {
    if (start > run) block.pieces.push(bytes.subarray(run, start));
    return next;
  }

  /** Counts an unchanged line. Returns whether to send it. */
  #countUnchanged(bytes: Buffer): boolean {
    const { ts, tsEnd } = this.#spans;
    const { totals } = this;
    totals.rows++;
    const time = totals.first === null || this.#range !== undefined;
    const text = time ? bytes.toString('latin1', ts + 1, tsEnd - 1) : '';
    totals.first ??= text;
    this.#lastStart = ts + 1;
    this.#lastEnd = tsEnd - 1;
    return this.#isSelected(text);
  }

  #isSelected(time: Timestamp): boolean {
    if (this.#range) {
      const ms = Date.parse(time);
      if (ms < this.#range.from_ms || ms >= this.#range.to_ms) return false;
    }
    this.totals.in_range++;
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  #rewrite(line: Buffer, block: RestoreBlock): void {
    const { totals } = this;
    const row = parseLine(line);
    const reason = 'malformed' in row ? row.malformed : rejection(row);
    if (reason !== undefined) {
      totals.malformed++;
      if (totals.examples.length < EXAMPLES)
        totals.examples.push(`line ${totals.rows + totals.malformed + 1}: ${reason}`);
      return;
    }
    const { ts, ...rest } = row as ArchiveRow & { ts: Timestamp };
    totals.rows++;
    totals.first ??= ts;
    totals.last = ts;
    this.#lastEnd = -1;
    if (!this.#isSelected(ts)) return;
    block.pieces.push(...rewritten({ ts, ...rest }));
    block.rows++;
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

/** Whether a line has the keys that this program writes, in order and once each, and no escapes in short texts. */
function isOwnForm(bytes: Buffer, start: number, end: number, { ts, tsEnd, raw, rawEnd }: RowSpans): boolean {
  if (ts !== start + TS_OFFSET || raw !== tsEnd + RAW_OFFSET) return false;
  if (!isStorable(bytes, ts + 1)) return false;
  let at = startsWith(bytes, rawEnd, RAW64) ? textEnd(bytes, rawEnd + RAW64.length) : rawEnd;
  let itsStart = -1;
  for (const key of TEXTS) {
    if (at < 0 || !startsWith(bytes, at, key)) return false;
    itsStart = at + key.length;
    at = textEnd(bytes, at + key.length);
  }
  if (at < 0 || !isStorable(bytes, itsStart)) return false;
  return at + 2 === end || startsWith(bytes, at, FIELDS) || startsWith(bytes, at, COLS);
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
function rewritten({ ts, raw, id, its, fields, cols }: ArchiveRow & { ts: Timestamp }): Buffer[] {
  const ingested = its !== null && isStorable(Buffer.from(its), 0) ? its : ts;
  const texts = JSON.stringify({ ts, id, its: ingested }).slice(0, -1);
  return [
    Buffer.from(`${texts},"raw64":"`),
    Buffer.from(raw.toString('base64'), 'latin1'),
    Buffer.from('"'),
    ...(fields === null ? [] : [Buffer.from(',"fields":'), fields]),
    ...(cols === null ? [] : [Buffer.from(',"cols":'), cols]),
    Buffer.from('}\n'),
  ];
}
