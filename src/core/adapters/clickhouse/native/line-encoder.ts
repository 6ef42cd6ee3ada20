import { quoteName } from '../columns.ts';
import { ColumnBytes, sourceOf } from './column-bytes.ts';
import { FieldsColumn, type FieldsShape } from './fields-column.ts';
import { FieldsEncoder, startsWith } from './fields-encoder.ts';
import { escapeSlashes, JsonScanner, unescapeText } from './json-text.ts';
import { WORD } from './json-writer.ts';
import { parseTime } from './parse-time.ts';

const [NEWLINE, QUOTE, COMMA, OPEN, CLOSE] = [0x0a, 0x22, 0x2c, 0x7b, 0x7d];
const NULL = Buffer.from('null');
/** Limits of a block. */
const MAX_ROWS = 16_384;
const MAX_BYTES = 4 << 20;
/** A block with fewer rows is not ended because of a row that would add too many paths. */
const MIN_ROWS = 4096;
/** Longer lines would need large columns. */
const MAX_LINE = 1 << 20;
/** Bytes that must follow the lines in their memory. */
export const PADDING = 4 * WORD;

/** Members of a line, in the order that this program writes. */
const KEYS = ['ts', 'raw', 'raw64', 'id', 'fid', 'its', 'fields', 'cols'];
const KEY_TEXTS = KEYS.map((key) => Buffer.from(`"${key}":`));
const [TS, RAW, RAW64, ID, ITS, FIELDS, COLS] = [0, 1, 2, 3, 5, 6, 7];

/** A member of `cols`. */
export interface EncoderColumn {
  name: string;
  /** Its type in the input, `Nullable`. */
  type: string;
  /** Bytes of a value in place of a null; undefined for text, whose values are known to be stored as they are. */
  size: number | undefined;
  /** Whether it has the text of the fields, as ClickHouse writes it, if a line has no other value. */
  text_of_fields?: boolean;
}

/** The input of the insert that blocks are for. */
export interface EncoderShape {
  fields: FieldsShape & { type: string };
  cols: readonly EncoderColumn[];
}

/** Encoded lines: blocks in Native format, and lines that must be sent as text. */
export interface Encoded {
  blocks: Buffer<ArrayBuffer>[];
  texts: Buffer<ArrayBuffer>[];
}

/** A column of `cols`, and the text for the next row. */
class OtherColumn {
  readonly key: Buffer;
  readonly nulls = new ColumnBytes();
  readonly values = new ColumnBytes();
  readonly size: number | undefined;
  readonly textOfFields: boolean;
  from = 0;
  to = 0;

  constructor({ name, size, text_of_fields = false }: EncoderColumn) {
    this.key = Buffer.from(`${JSON.stringify(name)}:`);
    this.size = size;
    this.textOfFields = text_of_fields;
  }
}

/**
 * Encodes archive lines as blocks in Native format. Never guesses: a line that is not certain to be stored exactly as
 * ClickHouse would store its text is returned as it is.
 */
export class LineEncoder {
  readonly #shape: EncoderShape;
  readonly #json = new JsonScanner(sourceOf(Buffer.alloc(PADDING)));
  readonly #ts = new ColumnBytes();
  readonly #raw = new ColumnBytes();
  readonly #raw64 = new ColumnBytes();
  readonly #id = new ColumnBytes();
  readonly #its = new ColumnBytes();
  readonly #fields: FieldsColumn;
  readonly #encoder: FieldsEncoder;
  readonly #cols: OtherColumn[];
  /** The unescaped log line. */
  readonly #line = new ColumnBytes();
  /** The text of the fields, as ClickHouse writes it. */
  readonly #text = new ColumnBytes();
  #rows = 0;
  #bytes = 0;
  #encoded: Encoded = { blocks: [], texts: [] };
  /** Spans of the members of a line; 0: not there. Of texts without quotes. */
  readonly #from = new Int32Array(KEYS.length);
  readonly #to = new Int32Array(KEYS.length);
  #escaped = false;

  constructor(shape: EncoderShape) {
    this.#shape = shape;
    this.#fields = new FieldsColumn(shape.fields);
    this.#cols = shape.cols.map((column) => new OtherColumn(column));
    const wantsText = this.#cols.some(({ textOfFields }) => textOfFields);
    this.#encoder = new FieldsEncoder(this.#fields, this.#json, wantsText);
  }

  /** Adds complete lines: the first `length` bytes of memory that has `PADDING` more. */
  add(memory: ArrayBuffer, length: number): void {
    const bytes = Buffer.from(memory);
    // What is read beyond the lines must not look like a part of one.
    bytes.fill(0, length, length + PADDING);
    this.#json.source = sourceOf(bytes);
    for (let start = 0; start < length; ) {
      const end = this.#add(bytes, start);
      if (end > 0) start = end;
      else {
        const next = bytes.indexOf(NEWLINE, start) + 1;
        const to = next > 0 && next < length ? next : length;
        this.#encoded.texts.push(Buffer.from(bytes.subarray(start, to)));
        // A block does not wait for many such lines.
        this.#bytes += to - start;
        this.#endFullBlock();
        start = to;
      }
    }
  }

  /** Takes what is complete; with `last`, the incomplete block too. */
  take(last = false): Encoded {
    if (last) this.#endBlock();
    const taken = this.#encoded;
    this.#encoded = { blocks: [], texts: [] };
    return taken;
  }

  /** Adds the line at `start`. Returns the position after it; negative if it must be sent as text. */
  #add(bytes: Buffer, start: number): number {
    const end = this.#lineEnd(bytes, start);
    if (end < 0 || end - start > MAX_LINE) return -1;
    const [from, to] = [this.#from, this.#to];
    const ts = parseTime(bytes, from[TS] as number, to[TS] as number);
    const its = parseTime(bytes, from[ITS] as number, to[ITS] as number);
    if (ts < 0 || its < 0 || from[ID] === 0 || (from[RAW] === 0 && from[RAW64] === 0)) return -1;
    const line = this.#line;
    line.at = 0;
    if (this.#escaped && !unescapeText(this.#json.source, from[RAW] as number, to[RAW] as number, line))
      return -1;
    if (from[FIELDS] === 0) this.#encoder.readNone();
    if (!this.#encoder.fits) {
      if (this.#rows < MIN_ROWS) return -1;
      this.#endBlock();
      // The paths that were found may have been those of the block.
      return this.#add(bytes, start);
    }
    this.#write(ts, its);
    this.#bytes += end - start;
    this.#rows++;
    this.#endFullBlock();
    return end;
  }

  /** Finds the members of the line at `start`, and reads its fields. Returns the position after the line. */
  #lineEnd(bytes: Buffer, start: number): number {
    this.#from.fill(0);
    this.#to.fill(0);
    this.#escaped = false;
    for (const column of this.#cols) column.from = 0;
    if (bytes[start] !== OPEN) return -1;
    let expected = 0;
    for (let at = start + 1; ; ) {
      const key = keyAt(bytes, at, expected);
      if (key < 0 || this.#from[key] !== 0) return -1;
      at = this.#memberEnd(bytes, key, at + (KEY_TEXTS[key] as Buffer).length);
      if (at < 0) return -1;
      const byte = bytes[at++];
      if (byte === CLOSE) return bytes[at] === NEWLINE ? at + 1 : -1;
      if (byte !== COMMA) return -1;
      expected = key + 1;
    }
  }

  #memberEnd(bytes: Buffer, key: number, at: number): number {
    this.#from[key] = at;
    if (key === FIELDS) {
      this.#to[key] = this.#encoder.read(at);
      return this.#to[key];
    }
    if (key === COLS) return this.#colsEnd(bytes, at);
    const json = this.#json;
    json.escaped = false;
    const end = bytes[at] === QUOTE ? json.stringEnd(at + 1) : -1;
    if (end < 0 || (json.escaped && key !== RAW)) return -1;
    if (key === RAW) this.#escaped = json.escaped;
    this.#from[key] = at + 1;
    this.#to[key] = end;
    return end + 1;
  }

  #colsEnd(bytes: Buffer, from: number): number {
    if (bytes[from] !== OPEN) return -1;
    if (bytes[from + 1] === CLOSE) return from + 2;
    const json = this.#json;
    for (let at = from + 1; ; at++) {
      const start = at;
      const column = this.#cols.find(({ key }) => startsWith(bytes, start, key));
      if (column?.from !== 0) return -1;
      at += column.key.length;
      if (startsWith(bytes, at, NULL)) {
        // Also a second value is one too many.
        column.from = -1;
        at += NULL.length;
      } else {
        json.escaped = false;
        const end = column.size === undefined && bytes[at] === QUOTE ? json.stringEnd(at + 1) : -1;
        if (end < 0 || json.escaped) return -1;
        column.from = at + 1;
        column.to = end;
        at = end + 1;
      }
      if (bytes[at] === CLOSE) return at + 1;
      if (bytes[at] !== COMMA) return -1;
    }
  }

  #write(ts: number, its: number): void {
    const { source } = this.#json;
    const [from, to] = [this.#from, this.#to];
    const coded = (to[RAW64] as number) > (from[RAW64] as number);
    this.#ts.int64(ts);
    if (coded) this.#raw.byte(0);
    else if (this.#escaped) this.#raw.text(this.#line, 0, this.#line.at);
    else this.#raw.text(source, from[RAW] as number, to[RAW] as number);
    this.#raw64.text(source, from[RAW64] as number, to[RAW64] as number);
    this.#id.text(source, from[ID] as number, to[ID] as number);
    this.#its.int64(its);
    this.#encoder.write();
    for (const column of this.#cols) {
      const given = column.from > 0;
      const computed = !given && column.textOfFields && this.#encoder.canonical;
      column.nulls.byte(given || computed ? 0 : 1);
      if (given) column.values.text(source, column.from, column.to);
      else if (computed) this.#writeText(column.values);
      else column.values.zeros(column.size ?? 1);
    }
  }

  #writeText(values: ColumnBytes): void {
    const text = this.#text;
    text.at = 0;
    escapeSlashes(this.#json.source, this.#from[FIELDS] as number, this.#to[FIELDS] as number, text);
    values.text(text, 0, text.at);
  }

  #endFullBlock(): void {
    if (this.#rows >= MAX_ROWS || this.#bytes >= MAX_BYTES || this.#fields.full) this.#endBlock();
  }

  #endBlock(): void {
    if (this.#rows > 0) this.#encoded.blocks.push(this.#block());
    this.#rows = 0;
    this.#bytes = 0;
    for (const column of this.#columns()) column.clear();
    this.#fields.clear();
  }

  #block(): Buffer<ArrayBuffer> {
    const { fields, cols } = this.#shape;
    const size = this.#columns().reduce((sum, { at }) => sum + at, this.#fields.size());
    // Names and prefixes come to it.
    const out = new ColumnBytes(size + (size >> 4) + (64 << 10));
    out.varint(6 + Number(cols.length > 0));
    out.varint(this.#rows);
    const column = (name: string, type: string, ...parts: ColumnBytes[]) => {
      out.header(name, type);
      for (const part of parts) out.append(part.view());
    };
    column('ts', `DateTime64(3, 'UTC')`, this.#ts);
    column('raw', 'String', this.#raw);
    column('raw64', 'String', this.#raw64);
    column('id', 'String', this.#id);
    column('its', `DateTime64(3, 'UTC')`, this.#its);
    out.header('fields', fields.type);
    this.#fields.prefix(out);
    this.#fields.data(out);
    if (cols.length > 0) {
      const members = cols.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ');
      const parts = this.#cols.flatMap(({ nulls, values }) => [nulls, values]);
      column('cols', `Tuple(${members})`, ...parts);
    }
    return out.bytes.subarray(0, out.at);
  }

  #columns(): ColumnBytes[] {
    const cols = this.#cols.flatMap(({ nulls, values }) => [nulls, values]);
    return [this.#ts, this.#raw, this.#raw64, this.#id, this.#its, ...cols];
  }
}

/** Index of the key at this position, most likely the expected one or one after it; negative if there is none. */
function keyAt(bytes: Buffer, at: number, expected: number): number {
  for (let tried = 0; tried < KEYS.length; tried++) {
    const key = (expected + tried) % KEYS.length;
    if (startsWith(bytes, at, KEY_TEXTS[key] as Buffer)) return key;
  }
  return -1;
}
