import type { LineBlock } from '../../ports/log-database.ts';
import { repairLines } from '../line-repair.ts';
import { type Rows, readBeginning, readBlock } from './block.ts';
import { Growing } from './growing.ts';
import { JsonOut, Literal } from './json-out.ts';
import { jsonString } from './key-path.ts';
import type { LineMemory } from './line-memory.ts';
import { malformed, NotRead, Reader, unknown } from './reader.ts';
import { type Cursor, RowKey } from './row-key.ts';

/** Size from which lines are handed on. */
const HAND_ON = 512 << 10;
/** Larger blocks are not awaited. */
const MAX_BLOCK = 16 << 20;
/** More rows of one key are left to ClickHouse's text, which does not need them all at once. */
const MAX_HELD = 8 << 20;

const TS = new Literal('{"ts":');
const RAW = new Literal(',"raw":"');
const ID = new Literal('","id":"');
const FID = Buffer.from('","fid":');
const ITS = Buffer.from(',"its":');
const FIELDS = new Literal(',"fields":');
const CLOSE = new Literal('}\n');

/** What an answer is of. */
export interface AnswerOf {
  fractal_id: string;
  /** Whether rows come with their fields. */
  fields: boolean;
}

const CUT = Symbol('cut');
/** How ClickHouse's messages of an exception end. */
const MESSAGE_END = /(?:\(version [\w.]+(?: \([^()]*\))?\)|__exception__)\s*$/;

/**
 * Turns an answer in Native format into the lines that ClickHouse's own text of it would be.
 *
 * The lines of the last key are held back until a row of another key is seen: so all that was handed on lies before
 * `cursor`, and another query that begins there neither repeats a row nor leaves one out, though rows that share a
 * key have no order among them.
 */
export class LineFeed {
  readonly #fidToIts: Literal;
  readonly #fields: boolean;
  readonly #in = new Growing();
  readonly #memory: LineMemory;
  readonly #out: JsonOut;
  #ready: LineBlock[] = [];
  #key: RowKey | undefined;
  #lines = 0;
  /** Bytes and lines before the key that is held back. */
  #settled = { bytes: 0, lines: 0 };
  /** The block that comes first, once it is all there, and where it ends. */
  #found: { rows: Rows | undefined; end: number } | undefined;
  /** So many bytes are awaited before a block is tried: each try is a pass over all that is there. */
  #awaited = 0;

  constructor({ fractal_id, fields }: AnswerOf, memory: LineMemory) {
    this.#memory = memory;
    this.#out = new JsonOut(memory.take(0));
    this.#fields = fields;
    const fid = jsonString(Buffer.from(fractal_id));
    this.#fidToIts = new Literal(Buffer.concat([FID, fid, ITS]));
  }

  /** Takes bytes. Throws `NotRead`: as `unknown` and `large` all from `cursor` on must be asked for anew. */
  add(bytes: Uint8Array): void {
    this.#in.append(bytes);
    while (this.#in.at > 0 && this.#in.at >= this.#awaited && this.#block());
  }

  /** The answer has ended. Throws `NotRead`, also where that was inside a block. */
  end(): void {
    while (this.#in.at > 0) if (!this.#block(true)) throw malformed('an answer that is cut off');
    this.#settled = { bytes: this.#out.at, lines: this.#lines };
    this.settle();
  }

  /** Hands on what lies before `cursor`. */
  settle(): void {
    const { bytes, lines } = this.#settled;
    if (lines === 0) return;
    const written = this.#out.take(bytes, this.#memory.take(this.#out.at - bytes));
    const repaired = repairLines(written);
    if (repaired !== written) this.#memory.give(written.buffer);
    this.#ready.push({ bytes: repaired, lines });
    this.#lines -= lines;
    this.#settled = { bytes: 0, lines: 0 };
  }

  /** Key of the rows that are held back; undefined before the first row. */
  cursor(): Cursor | undefined {
    return this.#key?.cursor();
  }

  /** Takes away the lines that are ready. */
  take(): LineBlock[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** What was given and not read. */
  unread(): Buffer {
    return this.#in.view();
  }

  /** Writes the rows of the block that comes first, if that is whole beyond doubt. */
  #block(last = false): boolean {
    this.#found ??= this.#find();
    if (!this.#found) return false;
    const { rows, end } = this.#found;
    if (!(last && end === this.#in.at) && !this.#goesOn(end)) return false;
    // Rows that end like a message are rather read as text than a message as rows.
    if (last && endsAsMessage(this.#in.view())) throw unknown('an answer that ends as messages do');
    if (rows) this.#rows(rows);
    this.#found = undefined;
    this.#in.drop(end);
    // Blocks are about alike: a little more is there once the next one is.
    this.#awaited = Math.ceil(end * 1.05);
    return true;
  }

  /** Whether another block begins there; throws where something else does. */
  #goesOn(at: number): boolean {
    return attempt(() => readBeginning(new Reader(this.#in.view(at)), this.#fields)) !== CUT;
  }

  #find(): { rows: Rows | undefined; end: number } | undefined {
    const reader = new Reader(this.#in.view());
    const rows = attempt(() => readBlock(reader, this.#fields));
    if (rows !== CUT) return { rows, end: reader.at };
    if (this.#in.at >= MAX_BLOCK) throw new NotRead('large', 'A very large block');
    this.#awaited = Math.min(MAX_BLOCK, Math.ceil(this.#in.at * 1.5));
    return undefined;
  }

  #rows(rows: Rows): void {
    for (let left = rows.count; left > 0; left--) {
      this.#follow(rows);
      this.#write(rows);
    }
    this.#key?.keep();
  }

  /** Settles what lies before the row, if that has another key. */
  #follow({ ts, id }: Rows): void {
    id.next();
    if (this.#key?.follow(ts.bytes, ts.at, id.from, id.at)) {
      if (this.#out.at - this.#settled.bytes > MAX_HELD) throw unknown('very many rows of one key');
      return;
    }
    this.#key ??= new RowKey(ts.bytes, ts.at, id.from, id.at);
    this.#settled = { bytes: this.#out.at, lines: this.#lines };
    if (this.#out.at >= HAND_ON) this.settle();
  }

  #write({ ts, raw, id, its, fields }: Rows): void {
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
    if (fields) {
      out.raw(FIELDS);
      fields.write(out);
    }
    out.raw(CLOSE);
    this.#lines++;
  }
}

/** What `read` makes of bytes, if they are all there. */
function attempt<Read>(read: () => Read): Read | typeof CUT {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotRead && error.why === 'more') return CUT;
    throw error;
  }
}

function endsAsMessage(bytes: Buffer): boolean {
  return MESSAGE_END.test(bytes.toString('latin1', Math.max(0, bytes.length - 256)));
}
