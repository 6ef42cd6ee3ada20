import { BifractError } from '../errors.ts';
import type { LineBlock } from '../ports/log-database.ts';
import type { RowPosition } from './ends.ts';
import { type ContentFrame, frameTarget } from './frame.ts';
import { decodeString, NoJson, readMembers } from './json-scan.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
/** The first line of every archive. */
export const ARCHIVE_HEADER = Buffer.from('{"_bifract_archive_version":1}\n');
/** A line of so many bytes, its newline left out, stops the server's reader. */
export const LONG_LINE_BYTES = 10 * 1024 * 1024;

/** Cuts an archive's content, header line first, into frames that end where a line ends. */
export async function* archiveFrames(blocks: AsyncIterable<LineBlock>): AsyncGenerator<ContentFrame> {
  let draft = new FrameDraft(ARCHIVE_HEADER);
  let made = 0;
  for await (const block of blocks) {
    checkEnd(block);
    let counted = 0;
    for (let rest = block.bytes; rest.length > 0; ) {
      const target = frameTarget(made);
      const fit = wholeLines(rest, target - draft.size, draft.rows === 0);
      if (fit > 0) counted += draft.add(rest.subarray(0, fit));
      rest = rest.subarray(fit);
      if (rest.length > 0 || draft.size >= target) {
        yield draft.finish();
        made++;
        draft = new FrameDraft();
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

class FrameDraft {
  size = 0;
  rows = 0;
  #longLines = 0;
  readonly #header: Buffer | undefined;
  readonly #parts: Buffer[] = [];

  constructor(header?: Buffer) {
    this.#header = header;
    this.size = header?.length ?? 0;
  }

  /** Adds whole lines; tells how many. */
  add(lines: Buffer): number {
    const { count, long } = countLines(lines);
    this.#parts.push(lines);
    this.size += lines.length;
    this.rows += count;
    this.#longLines += long;
    return count;
  }

  finish(): ContentFrame {
    const parts = this.#header ? [this.#header, ...this.#parts] : this.#parts;
    return {
      bytes: Buffer.concat(parts, this.size),
      rows: this.rows,
      lines: this.rows + (this.#header ? 1 : 0),
      longLines: this.#longLines,
      first: rowPosition(firstLine(this.#parts[0])),
      last: rowPosition(lastLine(this.#parts.at(-1))),
    };
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

function firstLine(part: Buffer | undefined): Buffer | undefined {
  return part?.subarray(0, part.indexOf(NEWLINE));
}

function lastLine(part: Buffer | undefined): Buffer | undefined {
  if (part === undefined || part.length < 2) return part;
  return part.subarray(part.lastIndexOf(NEWLINE, part.length - 2) + 1);
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
