import { createHash } from 'node:crypto';
import type { Key } from '../../ports/key.ts';
import type { Timestamp } from '../../ports/types.ts';
import { maxTrailerBytes, openTail } from '../envelope/trailer.ts';
import { cutOff, damaged, unsupported } from '../errors.ts';
import { type DecodedPiece, decompressStream } from '../frames/decoder.ts';
import { type ContentKind, END_MAGIC, type FrameEntry, HEAD_MAGIC, zstdFrame } from '../frames/frame.ts';
import type { StreamFrame } from '../frames/splitter.ts';
import { parseUntrustedJson } from './parse-json.ts';

/** Format version of head and trailer: the one written, and the newest supported. */
export const HEAD_VERSION = 1;

/** A column of the table that was archived, with its default expression (empty: none). */
export interface HeadColumn {
  name: string;
  type: string;
  default: string;
}

/** Input for the head of an archive. */
export interface ArchiveHead {
  /** Name and version of the writing program. */
  tool: string;
  fractal: { id: string; name: string };
  /** The period's label if the archive is split by time, else null. */
  period: string | null;
  /** `none`, `hour`, `day` or `week`. */
  split: string;
  /** Whether lines carry the parsed fields. Without them, a direct restore cannot restore those. */
  fields: boolean;
  /** Where the original lines come from: `none` if the server did not keep them. */
  raw_from?: 'logs' | 'logs_raw' | 'none';
  /** Every ordinary column of the table that was read: a value that is missing in a line is the default. */
  columns?: readonly HeadColumn[];
  /** Default: random. */
  uuid?: string;
  /** Default: now. */
  created?: Timestamp;
}

/** Input for the head of a backup. */
export interface BackupHead {
  /** Name and version of the writing program. */
  tool: string;
  /** Set if another job made the backup, e.g. `before restore of FILE`. */
  reason?: string;
  uuid?: string;
  created?: Timestamp;
}

/** The first frame of a sealed file. */
export interface Head {
  v: number;
  kind: ContentKind;
  uuid: string;
  created: Timestamp;
  tool: string;
  /** Archives only, to `columns`. */
  fractal?: { id: string; name: string };
  period?: string | null;
  split?: string;
  fields?: boolean;
  raw_from?: 'logs' | 'logs_raw' | 'none';
  columns?: readonly HeadColumn[];
  /** Backups made by another job only. */
  reason?: string;
  /** An end frame follows; if it is missing, the file was cut off. */
  end: boolean;
}

/** The last frame of a sealed file: totals of its content. */
export interface End {
  /** Log rows; 0 in a backup. */
  rows: number;
  /** Lines of content including an archive's header line; 0 in a backup. */
  lines: number;
  /** Content before compression, bytes. */
  bytes: number;
  /** SHA-256 of that content, hex. */
  sha256: string;
  first: Timestamp | null;
  last: Timestamp | null;
}

/** Contents of the trailer: head and end again, and the index of all frames. */
export interface Trailer {
  head: Head;
  end: End;
  index: FrameEntry[];
}

/** Parses a head frame's payload. Keeps unknown members; a newer version is `UNSUPPORTED`. */
function parseHead(payload: Buffer, at: number): Head {
  return checkHead(parseJson(payload, at, 'head'), at);
}

/** Parses an end frame's payload. */
function parseEnd(payload: Buffer, at: number): End {
  return checkEnd(parseJson(payload, at, 'end'), at);
}

/** A trailer's bytes before encryption. `index` holds an entry's JSON each, in order. */
export function encodeTrailer(head: Head, end: End, index: readonly string[]): Promise<Buffer> {
  const text = `{"head":${JSON.stringify(head)},"end":${JSON.stringify(end)},"index":[${index.join(',')}]}`;
  return zstdFrame(Buffer.from(text), head.kind);
}

/** The trailer that starts at byte `at` of the file, from its decrypted bytes. */
export async function decodeTrailer(bytes: Buffer, at: number): Promise<Trailer> {
  const trailer = parseJson(await inflate(bytes, at), at, 'trailer');
  const { head, end, index } = trailer;
  if (!Array.isArray(index)) throw damaged(at, 'the trailer has no index');
  return {
    head: checkHead(asObject(head, at, 'head'), at),
    end: checkEnd(asObject(end, at, 'end'), at),
    index: index.map((entry) => checkEntry(asObject(entry, at, 'index'), at)),
  };
}

async function inflate(bytes: Buffer, at: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of decompressStream([bytes], at)) {
    size += part.length;
    if (size > maxTrailerBytes(at)) throw damaged(at, 'the trailer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

function checkHead(head: Record<string, unknown>, at: number): Head {
  if (typeof head.v === 'number' && head.v > HEAD_VERSION) {
    const hint = 'Use a newer version of bifract, or recover the file by hand: see docs/reference/format.md.';
    throw unsupported(
      `File format version ${head.v} is not supported (newest supported: ${HEAD_VERSION})`,
      hint,
    );
  }
  const known = head.kind === 'archive' || head.kind === 'backup';
  if (head.v !== HEAD_VERSION || !known || head.end !== true) throw damaged(at, 'the head is invalid');
  return head as unknown as Head;
}

function checkEnd(end: Record<string, unknown>, at: number): End {
  const counts = [end.rows, end.lines, end.bytes].every(isCount);
  if (!counts || typeof end.sha256 !== 'string') throw damaged(at, 'the end frame is invalid');
  return end as unknown as End;
}

function checkEntry(entry: Record<string, unknown>, at: number): FrameEntry {
  const { offset, size, plain, rows } = entry;
  if (![offset, size, plain, rows].every(isCount) || (offset as number) + (size as number) > at) {
    throw damaged(at, 'the index is invalid');
  }
  return entry as unknown as FrameEntry;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseJson(bytes: Buffer, at: number, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseUntrustedJson(bytes);
  } catch (cause) {
    throw damaged(at, `the ${what} is not valid JSON`, cause);
  }
  return asObject(value, at, what);
}

function asObject(value: unknown, at: number, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw damaged(at, `the ${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Totals of the content, counted while reading. */
interface Totals {
  lines: number;
  bytes: number;
  sha256: string;
}

/**
 * Checks that a file has its head first and its end last, and that both match the content and the trailer.
 * Call it with each frame as it is read.
 */
export class MetadataChecker {
  head: Head | null = null;
  end: End | null = null;
  /** Of position, size, content size and rows of every frame: a file may have millions. */
  readonly #frames = createHash('sha256');
  #count = 0;
  #current: { plain: number; lines: number } = { plain: 0, lines: 0 };

  skippable(frame: StreamFrame & { kind: 'skippable' }): void {
    this.#refuseAfterEnd(frame.at);
    if (this.head === null) {
      if (frame.magic !== HEAD_MAGIC || frame.payload === undefined) throw noHead(frame.at);
      this.head = parseHead(frame.payload, frame.at);
    } else if (frame.magic === END_MAGIC && frame.payload !== undefined) {
      this.end = parseEnd(frame.payload, frame.at);
    }
  }

  content(piece: DecodedPiece & { kind: 'content' }, lines: number): void {
    this.#refuseAfterEnd(piece.at);
    if (this.head === null) throw noHead(piece.at);
    this.#current.plain += piece.bytes.length;
    this.#current.lines += lines;
    if (!piece.last) return;
    const header = this.#count++ === 0 ? 1 : 0;
    const rows = this.head.kind === 'archive' ? this.#current.lines - header : 0;
    this.#frames.update(frameText(piece.position, piece.size, this.#current.plain, rows));
    this.#current = { plain: 0, lines: 0 };
  }

  /** Call at the end of the stream. `tail.after` is everything after the end marker. */
  async finish(
    totals: Totals,
    tail: { key: Key; base: Buffer; offset: number; after: Buffer },
  ): Promise<void> {
    const { head, end } = this;
    if (head === null) throw cutOff('the head is missing');
    if (end === null) throw cutOff('the end frame is missing');
    const header = head.kind === 'archive' ? 1 : 0;
    const lines = head.kind === 'archive' ? totals.lines : 0;
    const agrees = end.bytes === totals.bytes && end.sha256 === totals.sha256;
    if (!agrees || end.lines !== lines || end.rows !== lines - header) {
      throw damaged(tail.offset, 'the content does not match the end frame');
    }
    const trailer = openTail(tail.key, tail.base, tail.offset, tail.after);
    this.#compare(await decodeTrailer(trailer, tail.offset), tail.offset);
  }

  #compare(trailer: Trailer, at: number): void {
    const index = createHash('sha256');
    for (const { offset, size, plain, rows } of trailer.index)
      index.update(frameText(offset, size, plain, rows));
    const same =
      JSON.stringify(trailer.head) === JSON.stringify(this.head) &&
      JSON.stringify(trailer.end) === JSON.stringify(this.end) &&
      index.digest('hex') === this.#frames.digest('hex');
    if (!same) throw damaged(at, 'the trailer does not match the content');
  }

  #refuseAfterEnd(at: number): void {
    if (this.end !== null) throw damaged(at, 'data follows the end frame');
  }
}

function frameText(...numbers: number[]): string {
  return `${numbers.join()};`;
}

function noHead(at: number): Error {
  return damaged(at, 'the head is missing');
}
