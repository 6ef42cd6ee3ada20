import type { LineBlock } from '../../ports/log-database.ts';
import { notBifract, unsupported } from '../errors.ts';
import { countLines, lineTooLong, MAX_LINE_BYTES } from './archive-frames.ts';
import { foldKey, JsonSyntaxError, type Member, readMembers } from './json-scan.ts';

const NEWLINE = 0x0a;
const VERSION_KEY = '_bifract_archive_version';
const MAX_HEADER_BYTES = 1024 * 1024;

/**
 * The rows of an archive's content as blocks of complete lines, without the header line, which is checked. Adds a
 * missing final newline. Throws `NOT_BIFRACT` if the header is missing or malformed, `UNSUPPORTED` for another
 * version, and whatever `content` throws.
 */
export async function* archiveLines(content: AsyncIterable<Buffer>): AsyncGenerator<LineBlock> {
  for await (const bytes of archiveBytes(content)) yield { bytes, lines: countLines(bytes).count };
}

/** Like `archiveLines`, without counting. Copies only lines that span two pieces. */
export async function* archiveBytes(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let headerRead = false;
  for await (const lines of completeLines(content)) {
    if (headerRead) yield lines;
    else {
      const rows = afterHeader(lines);
      if (rows.length > 0) yield rows;
    }
    headerRead = true;
  }
  if (!headerRead) checkHeader(Buffer.alloc(0));
}

async function* completeLines(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let headerRead = false;
  // Pieces of an incomplete line, joined only once: joining at every step would be quadratic.
  let partial: Buffer[] = [];
  let length = 0;
  for await (const piece of content) {
    let start = 0;
    const first = partial.length > 0 ? piece.indexOf(NEWLINE) + 1 : 0;
    if (first > 0) {
      yield Buffer.concat([...partial, piece.subarray(0, first)]);
      partial = [];
      length = 0;
      headerRead = true;
      start = first;
    }
    const end = partial.length > 0 ? 0 : piece.lastIndexOf(NEWLINE) + 1;
    if (end > start) {
      yield piece.subarray(start, end);
      headerRead = true;
      start = end;
    }
    if (start < piece.length) partial.push(piece.subarray(start));
    length += piece.length - start;
    if (!headerRead && length > MAX_HEADER_BYTES)
      throw notBifract('Not an archive: the first line is too long for a header');
    if (length > MAX_LINE_BYTES) throw lineTooLong();
  }
  if (partial.length > 0) yield Buffer.concat([...partial, Buffer.of(NEWLINE)]);
}

function afterHeader(lines: Buffer): Buffer {
  const end = lines.indexOf(NEWLINE);
  checkHeader(lines.subarray(0, end));
  return lines.subarray(end + 1);
}

/** The version must be the literal `1`. Of duplicate keys the last counts; null is ignored. */
function checkHeader(line: Buffer): void {
  const version = headerMembers(line)
    .filter((member) => foldKey(member.key) === VERSION_KEY)
    .map(({ start, end }) => line.toString('latin1', start, end))
    .findLast((value) => value !== 'null');
  if (version === '1') return;
  if (version !== undefined && /^[0-9]+$/.test(version)) {
    throw unsupported(`Archive version ${version.slice(0, 20)} is not supported (supported: 1)`);
  }
  throw notBifract('Not an archive: the header line has no version');
}

function headerMembers(line: Buffer): Member[] {
  try {
    return readMembers(line);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw notBifract('Not an archive: the first line is not a header');
    throw error;
  }
}
