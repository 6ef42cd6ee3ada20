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
  let headed = false;
  // The beginning of a line that is not over: pieces, for joining them at every step would be quadratic.
  let begun: Buffer[] = [];
  let length = 0;
  for await (const piece of content) {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const lines = Buffer.concat([...begun, piece.subarray(0, end)]);
      yield* blocks(headed ? lines : afterHeader(lines));
      headed = true;
      begun = [];
      length = 0;
    }
    if (end < piece.length) begun.push(piece.subarray(end));
    length += piece.length - end;
    if (!headed && length > MAX_HEADER_BYTES)
      throw notBifract('This is no archive: its first line has no end');
  }
  const last = Buffer.concat(begun);
  if (!headed) checkHeader(last);
  else if (last.length > 0) yield { bytes: Buffer.concat([last, Buffer.of(NEWLINE)]), lines: 1 };
}

function* blocks(bytes: Buffer): Generator<LineBlock> {
  if (bytes.length > 0) yield { bytes, lines: countLines(bytes).count };
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
