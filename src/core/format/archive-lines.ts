import type { LineBlock } from '../ports/log-database.ts';
import { countLines } from './archive-frames.ts';
import { notBifract, unsupported } from './faults.ts';
import { foldKey } from './fold-key.ts';
import { type Member, NoJson, readMembers } from './json-scan.ts';

const NEWLINE = 0x0a;
const VERSION_KEY = '_bifract_archive_version';
const MAX_HEADER_BYTES = 1024 * 1024;

/**
 * The rows of an archive's content as blocks of whole lines, the header line checked and left out. A last line
 * that lacks its newline gets one. Throws `NOT_BIFRACT` where the header is missing or malformed, `UNSUPPORTED`
 * for another version, and what `content` throws.
 */
export async function* archiveLines(content: AsyncIterable<Buffer>): AsyncGenerator<LineBlock> {
  for await (const bytes of archiveBytes(content)) yield { bytes, lines: countLines(bytes).count };
}

/** As `archiveLines`, not counted. Only lines that two pieces share are copied. */
export async function* archiveBytes(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let headed = false;
  for await (const lines of wholeLines(content)) {
    if (headed) yield lines;
    else {
      const rows = afterHeader(lines);
      if (rows.length > 0) yield rows;
    }
    headed = true;
  }
  if (!headed) checkHeader(Buffer.alloc(0));
}

async function* wholeLines(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let headed = false;
  // The beginning of a line that is not over: pieces, for joining them at every step would be quadratic.
  let begun: Buffer[] = [];
  let length = 0;
  for await (const piece of content) {
    let start = 0;
    const first = begun.length > 0 ? piece.indexOf(NEWLINE) + 1 : 0;
    if (first > 0) {
      yield Buffer.concat([...begun, piece.subarray(0, first)]);
      begun = [];
      length = 0;
      headed = true;
      start = first;
    }
    const end = begun.length > 0 ? 0 : piece.lastIndexOf(NEWLINE) + 1;
    if (end > start) {
      yield piece.subarray(start, end);
      headed = true;
      start = end;
    }
    if (start < piece.length) begun.push(piece.subarray(start));
    length += piece.length - start;
    if (!headed && length > MAX_HEADER_BYTES)
      throw notBifract('This is no archive: its first line has no end');
  }
  if (begun.length > 0) yield Buffer.concat([...begun, Buffer.of(NEWLINE)]);
}

function afterHeader(lines: Buffer): Buffer {
  const end = lines.indexOf(NEWLINE);
  checkHeader(lines.subarray(0, end));
  return lines.subarray(end + 1);
}

/** The version is the number 1 and nothing that only equals it: the last of two counts, null counts not. */
function checkHeader(line: Buffer): void {
  const version = headerMembers(line)
    .filter((member) => foldKey(member.key) === VERSION_KEY)
    .map(({ start, end }) => line.toString('latin1', start, end))
    .findLast((value) => value !== 'null');
  if (version === '1') return;
  if (version !== undefined && /^[0-9]+$/.test(version)) {
    throw unsupported(`The archive is of version ${version.slice(0, 20)}; this program reads version 1`);
  }
  throw notBifract('This is no archive: its first line does not say its version');
}

function headerMembers(line: Buffer): Member[] {
  try {
    return readMembers(line);
  } catch (error) {
    if (error instanceof NoJson) throw notBifract('This is no archive: its first line is no header');
    throw error;
  }
}
