import { hash } from 'node:crypto';
import { addDigest, emptyDigests, type RowDigests } from '../../policy/row-digests.ts';
import { decodeBytes } from './json-scan.ts';
import {
  type OwnSpans,
  RestoreLines,
  type RestoreTotals,
  type RowRange,
  type StorableRow,
} from './restore-lines.ts';

const BACKSLASH = 0x5c;
const ZERO = 0x30;
const DOT = 0x2e;
const MINUTE_MS = 60_000;
const UINT32 = 2 ** 32;
/** Before ID and line: salt, both times, length of the ID. */
const SALT_BYTES = 16;
const HEADER_BYTES = SALT_BYTES + 8 + 8 + 4;
/** As many sums of 32-bit words are exact. */
const MAX_SUMMED = 2 ** 20;
const UNESCAPED = new Map(
  [...'"\\/bfnrt'].map((letter, at) => [letter.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(at)]),
);
const SIMPLE = Uint8Array.from({ length: 256 }, (_, letter) => UNESCAPED.get(letter) ?? 0);

export interface DigestOptions {
  range: RowRange | undefined;
  /** 16 random bytes. */
  salt: Uint8Array;
  /** Whether the log line is a part of what makes a row. */
  line: boolean;
}

/** The rows of an archive in the range, by time, to be compared with those in the database. */
export interface DigestTotals extends RestoreTotals {
  digests: RowDigests;
}

/**
 * Digests the rows that a restore of the lines would store, as `LogRestore.digests` does those that the database has. If
 * some row has a time that the database may round, `digests` is not exact.
 */
export class RowDigester extends RestoreLines {
  readonly #line: boolean;
  readonly #digests = emptyDigests();
  #text: Buffer;
  /** Sums of the hashes of a minute, in words. */
  readonly #sums = new Float64Array(4);
  #summed = 0;
  #minute = 0;

  constructor({ range, salt, line }: DigestOptions) {
    super(range);
    this.#line = line;
    this.#text = Buffer.concat([salt, Buffer.alloc(4096)]);
  }

  /** Rows in the range so far. */
  get rows(): number {
    return this.totals.in_range;
  }

  /** Adds complete lines, without the header line. */
  add(bytes: Buffer): void {
    this.read(bytes);
  }

  finish(): DigestTotals {
    this.#endMinute();
    return { ...this.totals, digests: this.#digests };
  }

  protected override takeOwn(bytes: Buffer, _start: number, _end: number, spans: OwnSpans): void {
    const { ts, raw, rawEnd, exactStart, exactEnd, id, idEnd, its } = spans;
    this.#reserve(idEnd - id + Math.max(rawEnd - raw, exactEnd - exactStart));
    let at = HEADER_BYTES + bytes.copy(this.#text, HEADER_BYTES, id, idEnd);
    if (this.#line)
      at +=
        exactEnd > exactStart
          ? this.#text.write(bytes.toString('latin1', exactStart, exactEnd), at, 'base64')
          : decode(bytes, raw, rawEnd, this.#text, at);
    this.#addRow(timeAt(bytes, ts + 1), timeAt(bytes, its), idEnd - id, at);
  }

  protected override takeOther({ ts, its, id, raw }: StorableRow): void {
    const name = Buffer.from(id);
    this.#reserve(name.length + raw.length);
    let at = HEADER_BYTES + name.copy(this.#text, HEADER_BYTES);
    if (this.#line) at += raw.copy(this.#text, at);
    this.#addRow(timeAt(Buffer.from(ts), 0), timeAt(Buffer.from(its), 0), name.length, at);
  }

  /** Makes room for so many bytes of ID and line. */
  #reserve(bytes: number): void {
    const length = HEADER_BYTES + bytes;
    if (length > this.#text.length)
      this.#text = Buffer.concat([this.#text.subarray(0, SALT_BYTES), Buffer.alloc(2 * length)]);
  }

  #addRow(ms: number, its_ms: number, id_length: number, end: number): void {
    // Times before 1970 with fractions are rounded in different ways.
    if (ms < 0 || its_ms < 0) {
      this.#digests.exact = false;
      return;
    }
    const minute = Math.floor(ms / MINUTE_MS);
    if (minute !== this.#minute || this.#summed === MAX_SUMMED) this.#endMinute();
    this.#minute = minute;
    this.#summed++;
    const text = this.#text;
    writeTime(text, ms, SALT_BYTES);
    writeTime(text, its_ms, SALT_BYTES + 8);
    text.writeUInt32LE(id_length, SALT_BYTES + 16);
    // As text because returning a Buffer takes twice as long.
    const digest = hash('sha256', text.subarray(0, end), 'latin1');
    for (let word = 0; word < 4; word++) (this.#sums[word] as number) += wordAt(digest, 4 * word);
  }

  #endMinute(): void {
    if (this.#summed === 0) return;
    const sum = this.#sums.reduceRight((total, word) => (total << 32n) + BigInt(word), 0n);
    addDigest(this.#digests, this.#minute * MINUTE_MS, { rows: this.#summed, hash: sum });
    this.#sums.fill(0);
    this.#summed = 0;
  }
}

/** Decodes a string that has no escaped surrogates. Returns the number of bytes. */
function decode(bytes: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let length = at;
  for (let from = start + 1; from < end - 1; from++) {
    let byte = bytes[from] as number;
    if (byte === BACKSLASH) {
      byte = SIMPLE[bytes[++from] as number] as number;
      if (byte === 0) return decodeBytes(bytes, { start, end }).copy(to, at);
    }
    to[length++] = byte;
  }
  return length - at;
}

/** The valid UTC time at `at`, Unix ms. Further digits are cut off. */
function timeAt(bytes: Buffer, at: number): number {
  const year = 100 * twoDigits(bytes, at) + twoDigits(bytes, at + 2);
  const seconds = Date.UTC(
    year,
    twoDigits(bytes, at + 5) - 1,
    twoDigits(bytes, at + 8),
    twoDigits(bytes, at + 11),
    twoDigits(bytes, at + 14),
    twoDigits(bytes, at + 17),
  );
  if (bytes[at + 19] !== DOT) return seconds;
  let ms = 0;
  let unit = 100;
  for (let from = at + 20; unit >= 1 && isDigit(bytes[from]); from++, unit /= 10)
    ms += unit * digit(bytes, from);
  return seconds + Math.round(ms);
}

function twoDigits(bytes: Buffer, at: number): number {
  return 10 * digit(bytes, at) + digit(bytes, at + 1);
}

function digit(bytes: Buffer, at: number): number {
  return (bytes[at] as number) - ZERO;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

function writeTime(to: Buffer, ms: number, at: number): void {
  to.writeUInt32LE(ms % UINT32, at);
  to.writeUInt32LE(Math.floor(ms / UINT32), at + 4);
}

/** 32 bits, the lowest byte first. */
function wordAt(digest: string, at: number): number {
  const high = digest.charCodeAt(at + 3) * 2 ** 24;
  return (
    high + ((digest.charCodeAt(at + 2) << 16) | (digest.charCodeAt(at + 1) << 8) | digest.charCodeAt(at))
  );
}
