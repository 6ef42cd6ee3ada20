import type { Timestamp } from '../ports/types.ts';
import { type ArchiveRow, parseLine } from './archive-row.ts';
import { type RowSpans, rowEnd } from './row-scan.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [ZERO, ONE, TWO, NINE] = [0x30, 0x31, 0x32, 0x39];
const EXAMPLES = 3;
/** Where the first value and the second key of a line begin that is as ours are. */
const TS_AT = '{"ts":'.length;
const RAW_AFTER = ',"raw":'.length;
const RAW64 = Buffer.from(',"raw64":"');
const TEXTS = ['id', 'fid', 'its'].map((key) => Buffer.from(`,"${key}":"`));
const FIELDS = Buffer.from(',"fields":{');
/** One half of a pair of surrogates has no meaning, and every reader another idea of it. */
const SURROGATES = ['\\ud', '\\uD'];

/** Which rows are wanted: `from ≤ timestamp < to`, in milliseconds since 1970. */
export interface RowRange {
  from_ms: number;
  to_ms: number;
}

/** What the lines of an archive came to on their way into a database. */
export interface RestoreTotals {
  /** Sound rows, of all times. */
  rows: number;
  /** Of these, in the range. */
  wanted: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Lines that are no rows, and the first few of them with their reasons; the header line is line 1. */
  malformed: number;
  examples: string[];
}

/** Lines to be sent, in pieces, and how many rows they are. */
export interface RestoreBlock {
  pieces: Buffer[];
  rows: number;
}

/**
 * Makes of an archive's lines what a database reads as the same rows: a line that is written as ours are goes as it is, any
 * other is read as `parseLine` does and written anew. Lines that are no rows, or lack a time, are counted and left out.
 */
export class RestoreLines {
  readonly totals: RestoreTotals = {
    rows: 0,
    wanted: 0,
    first: null,
    last: null,
    malformed: 0,
    examples: [],
  };
  readonly #range: RowRange | undefined;
  /** Wanted rows that are still to be passed over. */
  #skip: number;
  /** Where in the block the time of the last row is. */
  #lastStart = -1;
  #lastEnd = -1;
  readonly #spans: RowSpans = { ts: -1, tsEnd: -1, raw: -1, rawEnd: -1, exact: true };

  /** `skip` wanted rows are counted, but not sent. */
  constructor(range: RowRange | undefined, skip = 0) {
    this.#range = range;
    this.#skip = skip;
  }

  /** Takes whole lines, the header line not among them. */
  take(bytes: Buffer): RestoreBlock {
    const block: RestoreBlock = { pieces: [], rows: 0 };
    const suspect = SURROGATES.some((half) => bytes.includes(half, 0, 'latin1'));
    /** Where the lines begin that go as they are. */
    let run = 0;
    for (let start = 0; start < bytes.length; ) {
      const end = rowEnd(bytes, start, this.#spans);
      if (end > 0 && !suspect && isPlain(bytes, start, end, this.#spans)) {
        if (!this.#plain(bytes)) run = this.#cut(bytes, run, start, end, block);
        else block.rows++;
        start = end;
        continue;
      }
      const next = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
      run = this.#cut(bytes, run, start, next, block);
      this.#slow(bytes.subarray(start, next), block);
      start = next;
    }
    this.#cut(bytes, run, bytes.length, bytes.length, block);
    if (this.#lastEnd > 0) this.totals.last = bytes.toString('latin1', this.#lastStart, this.#lastEnd);
    this.#lastEnd = -1;
    return block;
  }

  /** Ends a run of lines that go as they are. Returns where the next one begins. */
  #cut(bytes: Buffer, run: number, start: number, next: number, block: RestoreBlock): number {
    if (start > run) block.pieces.push(bytes.subarray(run, start));
    return next;
  }

  /** Counts a line that is as ours are; false where it is not to be sent. */
  #plain(bytes: Buffer): boolean {
    const { ts, tsEnd } = this.#spans;
    const { totals } = this;
    totals.rows++;
    const time = totals.first === null || this.#range !== undefined;
    const text = time ? bytes.toString('latin1', ts + 1, tsEnd - 1) : '';
    totals.first ??= text;
    this.#lastStart = ts + 1;
    this.#lastEnd = tsEnd - 1;
    return this.#wants(text);
  }

  #wants(time: Timestamp): boolean {
    if (this.#range) {
      const ms = Date.parse(time);
      if (ms < this.#range.from_ms || ms >= this.#range.to_ms) return false;
    }
    this.totals.wanted++;
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  #slow(line: Buffer, block: RestoreBlock): void {
    const { totals } = this;
    const row = parseLine(line);
    const reason = 'malformed' in row ? row.malformed : faultOf(row);
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
    if (!this.#wants(ts)) return;
    block.pieces.push(...written({ ts, ...rest }));
    block.rows++;
  }
}

function faultOf({ ts }: ArchiveRow): string | undefined {
  if (ts === null) return 'it has no time';
  return isHeld(Buffer.from(ts), 0) ? undefined : 'its time is out of range';
}

/** Whether the columns of ClickHouse can hold the time that begins there: from 1900 to 2299. */
function isHeld(bytes: Buffer, at: number): boolean {
  const [first, second] = [bytes[at], bytes[at + 1] as number];
  return first === ONE ? second === NINE : first === TWO && second >= ZERO && second <= TWO;
}

/** Keys in the order that ours are in, each once, and nothing in the texts that would have to be decoded. */
function isPlain(bytes: Buffer, start: number, end: number, { ts, tsEnd, raw, rawEnd }: RowSpans): boolean {
  if (ts !== start + TS_AT || raw !== tsEnd + RAW_AFTER) return false;
  if (!isHeld(bytes, ts + 1)) return false;
  let at = begins(bytes, rawEnd, RAW64) ? textEnd(bytes, rawEnd + RAW64.length) : rawEnd;
  let itsStart = -1;
  for (const key of TEXTS) {
    if (at < 0 || !begins(bytes, at, key)) return false;
    itsStart = at + key.length;
    at = textEnd(bytes, at + key.length);
  }
  if (at < 0 || !isHeld(bytes, itsStart)) return false;
  return at + 2 === end || begins(bytes, at, FIELDS);
}

function begins(bytes: Buffer, at: number, key: Buffer): boolean {
  for (let index = 0; index < key.length; index++) if (bytes[at + index] !== key[index]) return false;
  return true;
}

/** Where a text is over that needs no decoding; negative for one that does. */
function textEnd(bytes: Buffer, start: number): number {
  for (let at = start; ; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH || byte === undefined) return -1;
  }
}

/** The line of a row, its log line in base64: so it is whatever it holds. A long one is never a text of the heap. */
function written({ ts, raw, id, its, fields }: ArchiveRow & { ts: Timestamp }): Buffer[] {
  const ingested = its !== null && isHeld(Buffer.from(its), 0) ? its : ts;
  const texts = JSON.stringify({ ts, id, its: ingested }).slice(0, -1);
  const line = [
    Buffer.from(`${texts},"raw64":"`),
    Buffer.from(raw.toString('base64'), 'latin1'),
    Buffer.from(fields === null ? '"}\n' : '","fields":'),
  ];
  return fields === null ? line : [...line, fields, Buffer.from('}\n')];
}
