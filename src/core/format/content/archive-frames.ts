import type { Hash } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { LineBlock } from '../../ports/log-database.ts';
import { FrameBufferPool } from '../buffers.ts';
import { unsupported } from '../errors.ts';
import { type ContentFrame, frameTarget, type RowPosition } from '../frames/frame.ts';
import { decodeString, JsonSyntaxError, readMembers } from './json-scan.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
/** The first line of every archive. */
export const ARCHIVE_HEADER = Buffer.from('{"_bifract_archive_version":1}\n');
/** The server's reader stops at a line of this length, newline excluded. */
export const LONG_LINE_BYTES = 10 * 1024 * 1024;
/** The longest line that is written and read: a line is held in memory. */
export const MAX_LINE_BYTES = 128 * 1024 * 1024;

/** Splits an archive's content, header line first, into frames that end at line ends. `hash` receives all content. */
export async function* archiveFrames(
  blocks: AsyncIterable<LineBlock>,
  hash: Hash,
): AsyncGenerator<ContentFrame> {
  const memory = new FrameBufferPool();
  let target = frameTarget(0);
  let builder = new FrameBuilder(memory, hash, target, ARCHIVE_HEADER);
  let index = 0;
  for await (const block of blocks) {
    checkEnd(block);
    let counted = 0;
    for (let rest = block.bytes; rest.length > 0; ) {
      const fit = fittingLines(rest, target - builder.size, builder.rows === 0);
      if (fit > MAX_LINE_BYTES) throw lineTooLong();
      if (fit > 0) counted += builder.add(rest.subarray(0, fit));
      rest = rest.subarray(fit);
      if (rest.length > 0 || builder.size >= target) {
        yield builder.finish();
        target = frameTarget(++index);
        builder = new FrameBuilder(memory, hash, target);
      }
    }
    checkCount(block, counted);
  }
  if (builder.size > 0) yield builder.finish();
}

/** The error for a line longer than `MAX_LINE_BYTES`. */
export function lineTooLong(): BifractError {
  return unsupported(
    `A log row takes more than ${MAX_LINE_BYTES / 2 ** 20} MiB`,
    'Rows of this size can be neither archived nor read.',
  );
}

/** Bytes of complete lines that fit into `limit`. With `atLeastOne`, the first line counts whatever its length. */
function fittingLines(bytes: Buffer, limit: number, atLeastOne: boolean): number {
  if (bytes.length <= limit) return bytes.length;
  const fit = limit > 0 ? bytes.lastIndexOf(NEWLINE, limit - 1) + 1 : 0;
  return fit > 0 || !atLeastOne ? fit : bytes.indexOf(NEWLINE, Math.max(0, limit)) + 1;
}

/** A frame being filled. Lines are copied at once: the source reuses a block's memory for the next one. */
class FrameBuilder {
  size = 0;
  rows = 0;
  #longLines = 0;
  #bytes: Buffer;
  readonly #target: number;
  readonly #memory: FrameBufferPool;
  readonly #header: number;
  readonly #hash: Hash;

  constructor(memory: FrameBufferPool, hash: Hash, target: number, header?: Buffer) {
    this.#memory = memory;
    this.#hash = hash;
    this.#target = target;
    this.#bytes = memory.acquire(target);
    this.#header = header?.length ?? 0;
    if (header) this.#append(header);
  }

  /** Adds complete lines and returns their number. */
  add(lines: Buffer): number {
    const { count, long } = countLines(lines);
    this.#append(lines);
    this.rows += count;
    this.#longLines += long;
    return count;
  }

  finish(): ContentFrame {
    const memory = this.#bytes;
    const bytes = memory.subarray(0, this.size);
    const rows = bytes.subarray(this.#header);
    return {
      bytes,
      rows: this.rows,
      lines: this.rows + (this.#header > 0 ? 1 : 0),
      longLines: this.#longLines,
      first: rowPosition(firstLine(rows)),
      last: rowPosition(lastLine(rows)),
      free: () => this.#memory.recycle(memory, this.#target),
    };
  }

  /** Hashes first: that brings the bytes into the CPU cache for the copy. */
  #append(bytes: Buffer): void {
    this.#hash.update(bytes);
    const size = this.size + bytes.length;
    if (size > this.#bytes.length) {
      const larger = this.#memory.acquire(size);
      this.#bytes.copy(larger, 0, 0, this.size);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.size);
    this.size = size;
  }
}

/** Counts lines, and the lines too long for the server's reader. */
export function countLines(bytes: Buffer): { count: number; long: number } {
  let count = 0;
  let long = 0;
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    count++;
    if (end - start >= LONG_LINE_BYTES) long++;
    start = end + 1;
  }
  return { count, long };
}

function firstLine(rows: Buffer): Buffer | undefined {
  return rows.length === 0 ? undefined : rows.subarray(0, rows.indexOf(NEWLINE));
}

function lastLine(rows: Buffer): Buffer | undefined {
  return rows.length === 0 ? undefined : rows.subarray(rows.lastIndexOf(NEWLINE, rows.length - 2) + 1);
}

/** The position of a line's row; null if the line is not a row. */
function rowPosition(line: Buffer | undefined): RowPosition | null {
  if (line === undefined) return null;
  try {
    const members = readMembers(line);
    const [ts, id] = ['ts', 'id'].map((key) => {
      const member = members.find((candidate) => candidate.key === key);
      return member === undefined || line[member.start] !== QUOTE ? undefined : decodeString(line, member);
    });
    return ts === undefined ? null : { ts, id: id ?? '' };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}

function checkEnd(block: LineBlock): void {
  if (block.bytes.length === 0 || block.bytes[block.bytes.length - 1] === NEWLINE) return;
  throw new BifractError('INTERNAL', 'A block of lines ends inside a line');
}

function checkCount(block: LineBlock, counted: number): void {
  if (counted === block.lines) return;
  throw new BifractError('INTERNAL', `A block declares ${block.lines} lines but holds ${counted}`);
}
