import { type JsonWriter, Literal } from './json-writer.ts';
import { type Reader, unsupported } from './reader.ts';
import { writeDate, writeTicks, writeTime } from './times.ts';

const EMPTY = Buffer.alloc(0);
const TRUE = new Literal('true');
const FALSE = new Literal('false');
const MINUS = 45;

/** A column of a block, or a nested column. Values are written in order, each once. */
export interface Column {
  /** Locates the values and skips them, so that a block is known to be complete before a line is written. */
  locate(reader: Reader, count: number): void;
  /** Writes the next value as JSON. */
  write(out: JsonWriter): void;
}

export class StringColumn implements Column {
  bytes: Buffer = EMPTY;
  /** Start and end of the current value. */
  from = 0;
  at = 0;

  locate(reader: Reader, count: number): void {
    this.bytes = reader.bytes;
    this.at = reader.at;
    reader.skipStrings(count);
  }

  write(out: JsonWriter): void {
    this.next();
    out.string(this.bytes, this.from, this.at);
  }

  /** Moves to the next value. */
  next(): void {
    const { bytes } = this;
    let { at } = this;
    let byte = bytes[at++] as number;
    let length = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++] as number;
      length += (byte & 127) * scale;
    }
    this.from = at;
    this.at = at + length;
  }
}

type WriteValue = (out: JsonWriter, bytes: Buffer, at: number) => void;

/** Values of a fixed size. */
export class FixedColumn implements Column {
  bytes: Buffer = EMPTY;
  at = 0;
  readonly #size: number;
  readonly #write: WriteValue;

  constructor(size: number, write: WriteValue) {
    this.#size = size;
    this.#write = write;
  }

  locate(reader: Reader, count: number): void {
    this.bytes = reader.bytes;
    this.at = reader.skip(count * this.#size);
  }

  write(out: JsonWriter): void {
    this.#write(out, this.bytes, this.at);
    this.at += this.#size;
  }
}

/** Fixed-size types by ClickHouse name. */
const FIXED: Record<string, [size: number, write: WriteValue]> = {
  Int8: [1, (out, bytes, at) => writeInteger(out, bytes.readInt8(at))],
  Int16: [2, (out, bytes, at) => writeInteger(out, bytes.readInt16LE(at))],
  Int32: [4, (out, bytes, at) => writeInteger(out, bytes.readInt32LE(at))],
  Int64: [8, writeInt64],
  UInt8: [1, (out, bytes, at) => out.digits(bytes.readUInt8(at))],
  UInt16: [2, (out, bytes, at) => out.digits(bytes.readUInt16LE(at))],
  UInt32: [4, (out, bytes, at) => out.digits(bytes.readUInt32LE(at))],
  UInt64: [8, writeUInt64],
  Float64: [8, writeFloat64],
  Bool: [1, writeBool],
  Date: [2, (out, bytes, at) => writeDate(out, bytes.readUInt16LE(at))],
  DateTime: [4, (out, bytes, at) => writeTime(out, bytes.readUInt32LE(at), 0, 0)],
};

/** A column of scalar values; undefined if the type is not supported. */
export function scalarColumn(type: string): Column | undefined {
  if (type === 'String') return new StringColumn();
  const fixed = Object.hasOwn(FIXED, type) ? FIXED[type] : undefined;
  if (fixed) return new FixedColumn(...fixed);
  // The time zone of the type does not matter: with `iso`, the text is UTC.
  const scale = /^DateTime64\((\d)(?:, '[\w/+-]+')?\)$/.exec(type)?.[1];
  return scale === undefined ? undefined : ticksColumn(Number(scale));
}

/** Times as 64-bit ticks. */
function ticksColumn(scale: number): FixedColumn {
  return new FixedColumn(8, (out, bytes, at) => writeTicks(out, bytes, at, scale));
}

function writeInteger(out: JsonWriter, value: number): void {
  if (value < 0) out.byte(MINUS);
  out.digits(Math.abs(value));
}

function writeInt64(out: JsonWriter, bytes: Buffer, at: number): void {
  const high = bytes.readInt32LE(at + 4);
  const exact = high >= -0x200000 && high < 0x200000;
  if (exact) writeInteger(out, high * 0x100000000 + bytes.readUInt32LE(at));
  else out.ascii(String(bytes.readBigInt64LE(at)));
}

function writeUInt64(out: JsonWriter, bytes: Buffer, at: number): void {
  const high = bytes.readUInt32LE(at + 4);
  if (high < 0x200000) out.digits(high * 0x100000000 + bytes.readUInt32LE(at));
  else out.ascii(String(bytes.readBigUInt64LE(at)));
}

/** JavaScript and ClickHouse both write the shortest round-trip text; only the sign of the exponent differs. */
function writeFloat64(out: JsonWriter, bytes: Buffer, at: number): void {
  const value = bytes.readDoubleLE(at);
  if (!Number.isFinite(value)) throw unsupported('number is not finite');
  if (Object.is(value, -0)) out.ascii('-0');
  else if (Number.isSafeInteger(value)) writeInteger(out, value);
  else out.ascii(String(value).replace('e+', 'e'));
}

function writeBool(out: JsonWriter, bytes: Buffer, at: number): void {
  const value = bytes[at] as number;
  if (value > 1) throw unsupported('invalid Bool');
  out.raw(value === 1 ? TRUE : FALSE);
}
