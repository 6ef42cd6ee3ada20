import type { Hash } from 'node:crypto';
import { BifractError } from '../errors.ts';
import type { LineBlock } from '../ports/log-database.ts';
import type { RowPosition } from './ends.ts';
import { type ContentFrame, frameTarget } from './frame.ts';
import { FrameMemory } from './frame-memory.ts';
import { decodeString, NoJson, readMembers } from './json-scan.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
/** The first line of every archive. */
export const ARCHIVE_HEADER = Buffer.from('{"_bifract_archive_version":1}\n');
/** A line of so many bytes, its newline left out, stops the server's reader. */
export const LONG_LINE_BYTES = 10 * 1024 * 1024;

/** Cuts an archive's content, header line first, into frames that end where a line ends; `hash` gets all of it. */
export async function* archiveFrames(
  blocks: AsyncIterable<LineBlock>,
  hash: Hash,
): AsyncGenerator<ContentFrame> {
  const memory = new FrameMemory();
  let target = frameTarget(0);
  let draft = new FrameDraft(memory, hash, target, ARCHIVE_HEADER);
  let made = 0;
  for await (const block of blocks) {
    checkEnd(block);
    let counted = 0;
    for (let rest = block.bytes; rest.length > 0; ) {
      const fit = wholeLines(rest, target - draft.size, draft.rows === 0);
      if (fit > 0) counted += draft.add(rest.subarray(0, fit));
      rest = rest.subarray(fit);
      if (rest.length > 0 || draft.size >= target) {
        yield draft.finish();
        target = frameTarget(++made);
        draft = new FrameDraft(memory, hash, target);
      }
    }
    checkCount(block, counted);
  }
  if (draft.size > 0) yield draft.finish();
}

/** How many bytes of whole lines fit into `room`; one line where `atLeastOne`, however long it is. */
function wholeLines(bytes: Buffer, room: number, atLeastOne: boolean): number {
  if (bytes.length <= room) return bytes.length;
  const fit = room > 0 ? bytes.lastIndexOf(NEWLINE, room - 1) + 1 : 0;
  return fit > 0 || !atLeastOne ? fit : bytes.indexOf(NEWLINE, Math.max(0, room)) + 1;
}

/** A frame that is being filled. Lines are copied at once: a block's memory is its source's again with the next one. */
class FrameDraft {
  size = 0;
  rows = 0;
  #longLines = 0;
  #bytes: Buffer;
  readonly #target: number;
  readonly #memory: FrameMemory;
  readonly #header: number;
  readonly #hash: Hash;

  constructor(memory: FrameMemory, hash: Hash, target: number, header?: Buffer) {
    this.#memory = memory;
    this.#hash = hash;
    this.#target = target;
    this.#bytes = memory.take(target);
    this.#header = header?.length ?? 0;
    if (header) this.#append(header);
  }

  /** Adds whole lines; tells how many. */
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
      free: () => this.#memory.give(memory, this.#target),
    };
  }

  /** Hashes first: that takes long enough for the bytes to come out of slow memory meanwhile, and the copy finds them near. */
  #append(bytes: Buffer): void {
    this.#hash.update(bytes);
    const size = this.size + bytes.length;
    if (size > this.#bytes.length) {
      const larger = this.#memory.take(size);
      this.#bytes.copy(larger, 0, 0, this.size);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.size);
    this.size = size;
  }
}

/** Counts newlines, and the lines that the server's reader refuses. */
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

/** The place of the row that a line holds; null where it holds none. */
function rowPosition(line: Buffer | undefined): RowPosition | null {
  if (line === undefined) return null;
  try {
    const members = readMembers(line);
    const [ts, id] = ['ts', 'id'].map((key) => {
      const member = members.find((one) => one.key === key);
      return member === undefined || line[member.start] !== QUOTE ? undefined : decodeString(line, member);
    });
    return ts === undefined ? null : { ts, id: id ?? '' };
  } catch (error) {
    if (error instanceof NoJson) return null;
    throw error;
  }
}

function checkEnd(block: LineBlock): void {
  if (block.bytes.length === 0 || block.bytes[block.bytes.length - 1] === NEWLINE) return;
  throw new BifractError('INTERNAL', 'A block of lines ends inside a line');
}

function checkCount(block: LineBlock, counted: number): void {
  if (counted === block.lines) return;
  throw new BifractError('INTERNAL', `A block said to hold ${block.lines} lines holds ${counted}`);
}
