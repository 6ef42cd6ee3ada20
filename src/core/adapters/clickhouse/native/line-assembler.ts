import type { LineBlock, RowKey } from '../../../ports/log-database.ts';
import type { GrowableBuffer, LineBufferPool } from '../buffers.ts';
import { repairLines } from '../utf8-repair.ts';
import { type OptionalColumns, type Rows, readBlock, readBlockStart } from './block.ts';
import { JsonWriter, Literal } from './json-writer.ts';
import { jsonString } from './key-path.ts';
import { DecodeError, malformed, Reader, unsupported } from './reader.ts';
import type { StringColumn } from './scalar-columns.ts';

/** Minimum size of a block of lines, except the last. */
const FLUSH_BYTES = 512 << 10;
/** Larger Native blocks are not buffered. */
const MAX_BLOCK = 16 << 20;
/** Limit for rows with the same key. More are requested as text, which need not be buffered. */
const MAX_KEY_BYTES = 8 << 20;

const TS = new Literal('{"ts":');
const RAW = new Literal(',"raw":"');
const ID = new Literal('","id":"');
const FID = Buffer.from('","fid":');
const ITS = Buffer.from(',"its":');
const FIELDS = new Literal(',"fields":');
const COLS = new Literal(',"cols":{');
const NORM_LOG = new Literal('"norm_log":"');
const CLOSE_MEMBER = new Literal('",');
const CLOSE = new Literal('}\n');
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const TICKS_BYTES = 8;

/** What a response contains. */
export interface ResponseScope extends OptionalColumns {
  fractal_id: string;
}

const INCOMPLETE = Symbol('incomplete');
/** End of a ClickHouse exception message. */
const EXCEPTION_END = /(?:\(version [\w.]+(?: \([^()]*\))?\)|__exception__)\s*$/;

/**
 * Turns a response in Native format into the same lines that ClickHouse would write as JSONEachRow.
 *
 * The lines of the last key are held back until a row with another key arrives. So everything returned lies before
 * `cursor`, and a query that starts there neither repeats nor skips a row, although the order of rows with the same key is
 * undefined.
 */
export class LineAssembler {
  readonly #fidToIts: Literal;
  readonly #optional: OptionalColumns;
  readonly #in: GrowableBuffer;
  readonly #buffers: LineBufferPool;
  readonly #out: JsonWriter;
  #ready: LineBlock[] = [];
  #key: RowPosition | undefined;
  #lines = 0;
  /** Bytes and lines before the last key. */
  #complete = { bytes: 0, lines: 0 };
  /** The next block and where it ends, once it is complete. */
  #next: { rows: Rows | undefined; end: number } | undefined;
  /** Bytes to wait for before the next attempt: each attempt scans all input. */
  #needed = 0;

  constructor({ fractal_id, ...optional }: ResponseScope, buffers: LineBufferPool, input: GrowableBuffer) {
    this.#in = input;
    this.#in.at = 0;
    this.#buffers = buffers;
    this.#out = new JsonWriter(buffers.take(0));
    this.#optional = optional;
    const fid = jsonString(Buffer.from(fractal_id));
    this.#fidToIts = new Literal(Buffer.concat([FID, fid, ITS]));
  }

  /** Adds bytes. Throws `DecodeError`; if it is `unsupported` or `too_large`, request everything from `cursor` on again. */
  add(bytes: Uint8Array): void {
    this.#in.append(bytes);
    while (this.#in.at > 0 && this.#in.at >= this.#needed && this.#block());
  }

  /** The response has ended. Throws `DecodeError` if it ended inside a block. */
  finish(): void {
    while (this.#in.at > 0) if (!this.#block(true)) throw malformed('truncated response');
    this.#complete = { bytes: this.#out.at, lines: this.#lines };
    this.flush();
    this.#buffers.release(this.#out.bytes.buffer);
  }

  /** Makes the lines before `cursor` ready. */
  flush(): void {
    const { bytes, lines } = this.#complete;
    if (lines === 0) return;
    const written = this.#out.take(bytes, this.#buffers.take(this.#out.at - bytes));
    const repaired = repairLines(written);
    if (repaired !== written) this.#buffers.release(written.buffer);
    this.#ready.push({ bytes: repaired, lines });
    this.#lines -= lines;
    this.#complete = { bytes: 0, lines: 0 };
  }

  /** Key of the lines held back; undefined before the first row. */
  cursor(): RowKey | undefined {
    return this.#key?.cursor();
  }

  /** Removes and returns the lines that are ready. */
  take(): LineBlock[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** Input not yet decoded. */
  unread(): Buffer {
    return this.#in.view();
  }

  /** Writes the rows of the next block, if it is certainly complete. */
  #block(last = false): boolean {
    this.#next ??= this.#find();
    if (!this.#next) return false;
    const { rows, end } = this.#next;
    if (!(last && end === this.#in.at) && !this.#blockFollows(end)) return false;
    // Better to request such rows as text than to take an error message for rows.
    if (last && endsWithException(this.#in.view())) throw unsupported('response ends like an error message');
    if (rows) this.#rows(rows);
    this.#next = undefined;
    this.#in.drop(end);
    // Blocks are similar in size: wait for a little more than the next one.
    this.#needed = Math.ceil(end * 1.05);
    return true;
  }

  /** Whether another block starts there; throws if something else does. */
  #blockFollows(at: number): boolean {
    return ifComplete(() => readBlockStart(new Reader(this.#in.view(at)), this.#optional)) !== INCOMPLETE;
  }

  #find(): { rows: Rows | undefined; end: number } | undefined {
    const reader = new Reader(this.#in.view());
    const rows = ifComplete(() => readBlock(reader, this.#optional));
    if (rows !== INCOMPLETE) return { rows, end: reader.at };
    if (this.#in.at >= MAX_BLOCK) throw new DecodeError('too_large', 'Block too large');
    this.#needed = Math.min(MAX_BLOCK, Math.ceil(this.#in.at * 1.5));
    return undefined;
  }

  #rows(rows: Rows): void {
    for (let left = rows.count; left > 0; left--) {
      this.#trackKey(rows);
      this.#write(rows);
    }
    this.#key?.keep();
  }

  /** Marks the lines before the row as complete if it has another key. */
  #trackKey({ ts, id }: Rows): void {
    id.next();
    if (this.#key?.advance(ts.bytes, ts.at, id.from, id.at)) {
      if (this.#out.at - this.#complete.bytes > MAX_KEY_BYTES)
        throw unsupported('too many rows with the same key');
      return;
    }
    this.#key ??= new RowPosition(ts.bytes, ts.at, id.from, id.at);
    this.#complete = { bytes: this.#out.at, lines: this.#lines };
    if (this.#out.at >= FLUSH_BYTES) this.flush();
  }

  #write({ ts, raw, id, its, fields, norm, cols }: Rows): void {
    const out = this.#out;
    out.raw(TS);
    ts.write(out);
    out.raw(RAW);
    raw.next();
    out.text(raw.bytes, raw.from, raw.at);
    out.raw(ID);
    out.text(id.bytes, id.from, id.at);
    out.raw(this.#fidToIts);
    its.write(out);
    let text = out.at;
    if (fields) {
      out.raw(FIELDS);
      text = out.at;
      fields.write(out);
    }
    if (norm || cols) this.#writeColumns(norm, cols, text);
    out.raw(CLOSE);
    this.#lines++;
  }

  /** Writes the columns that do not have their defaults. `text` is where the fields were written. */
  #writeColumns(norm: StringColumn | undefined, cols: StringColumn | undefined, text: number): void {
    const out = this.#out;
    norm?.next();
    cols?.next();
    const other = norm && !isTextOf(out.bytes, text, out.at, norm);
    if (!other && (!cols || cols.at === cols.from)) return;
    out.raw(COLS);
    if (other) {
      out.raw(NORM_LOG);
      out.text(norm.bytes, norm.from, norm.at);
      out.raw(CLOSE_MEMBER);
    }
    if (cols) out.copy(cols.bytes, cols.from, cols.at);
    // In place of the last comma.
    out.bytes[out.at - 1] = 0x7d;
  }
}

/**
 * Whether a column has the text of the fields that were written from `from` to `to`, as `toString(fields)` gives it:
 * the same, with escaped slashes.
 */
function isTextOf(
  written: Buffer,
  from: number,
  to: number,
  { bytes, from: start, at: end }: StringColumn,
): boolean {
  let at = start;
  for (let next = from; next < to; ) {
    const slash = written.indexOf(SLASH, next);
    const stop = slash < 0 || slash >= to ? to : slash;
    const length = stop - next;
    if (at + length > end || written.compare(bytes, at, at + length, next, stop) !== 0) return false;
    at += length;
    next = stop;
    if (stop === to) break;
    if (at + 2 > end || bytes[at] !== BACKSLASH || bytes[at + 1] !== SLASH) return false;
    at += 2;
    next++;
  }
  return at === end;
}

/** The result of `read`, or `INCOMPLETE` if it needs more bytes. */
function ifComplete<Read>(read: () => Read): Read | typeof INCOMPLETE {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError && error.reason === 'incomplete') return INCOMPLETE;
    throw error;
  }
}

function endsWithException(bytes: Buffer): boolean {
  return EXCEPTION_END.test(bytes.toString('latin1', Math.max(0, bytes.length - 256)));
}

/** The key of a row, as a position in its block. */
class RowPosition {
  #bytes: Buffer;
  #ticks: number;
  #from: number;
  #to: number;

  constructor(bytes: Buffer, ticks: number, from: number, to: number) {
    this.#bytes = bytes;
    this.#ticks = ticks;
    this.#from = from;
    this.#to = to;
  }

  /** Moves to a row; returns whether it has the same key. */
  advance(bytes: Buffer, ticks: number, from: number, to: number): boolean {
    if (this.#equals(bytes, ticks, from, to)) return true;
    this.#bytes = bytes;
    this.#ticks = ticks;
    this.#from = from;
    this.#to = to;
    return false;
  }

  #equals(bytes: Buffer, ticks: number, from: number, to: number): boolean {
    const current = this.#bytes;
    for (let index = 0; index < TICKS_BYTES; index++)
      if (current[this.#ticks + index] !== bytes[ticks + index]) return false;
    return (
      to - from === this.#to - this.#from && current.compare(bytes, from, to, this.#from, this.#to) === 0
    );
  }

  /** Copies the key, because the block's bytes will be overwritten. */
  keep(): void {
    const ticks = this.#bytes.subarray(this.#ticks, this.#ticks + TICKS_BYTES);
    this.#bytes = Buffer.concat([ticks, this.#bytes.subarray(this.#from, this.#to)]);
    this.#ticks = 0;
    this.#from = TICKS_BYTES;
    this.#to = this.#bytes.length;
  }

  cursor(): RowKey {
    return {
      ms: String(this.#bytes.readBigInt64LE(this.#ticks)),
      id: this.#bytes.toString('hex', this.#from, this.#to),
    };
  }
}
