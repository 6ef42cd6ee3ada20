import type { Timestamp } from '../ports/types.ts';
import { foldKey } from './fold-key.ts';
import { decodeBytes, decodeString, type Member, NoJson, readMembers } from './json-scan.ts';
import { parseTime } from './row-time.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
/** Only `null` begins like it. */
const NULL = 0x6e;

/** A row of an archive. */
export interface ArchiveRow {
  /** In UTC with all its digits; null where the line has none. */
  ts: Timestamp | null;
  /** The log line, exact to the byte. Empty where the line has none: the server's reader leaves such rows out. */
  raw: Buffer;
  id: string;
  fid: string;
  its: Timestamp | null;
  /** The parsed fields, as the JSON text of an object; null where the line has none. */
  fields: Buffer | null;
}

/** A line that is no row, and why. */
export interface MalformedLine {
  malformed: string;
}

/**
 * Reads a line, with or without its newline, as the server's reader does: keys in any case, the last of two,
 * null for absent, others ignored. What that reader skips is malformed.
 */
export function parseLine(line: Buffer): ArchiveRow | MalformedLine {
  try {
    const isNull = line.length < 64 && line.toString('latin1').trim() === 'null';
    return readRow(line, isNull ? [] : readMembers(line));
  } catch (error) {
    if (error instanceof NoJson) return { malformed: error.message };
    throw error;
  }
}

function readRow(line: Buffer, members: Member[]): ArchiveRow {
  const row: ArchiveRow = { ts: null, raw: Buffer.alloc(0), id: '', fid: '', its: null, fields: null };
  let exact: Buffer | undefined;
  for (const member of members) {
    if (line[member.start] === NULL) continue;
    const key = foldKey(member.key);
    if (key === 'ts' || key === 'its') row[key] = parseTime(readString(line, member));
    else if (key === 'id' || key === 'fid') row[key] = readString(line, member);
    else if (key === 'raw') row.raw = decodeBytes(line, asString(line, member));
    else if (key === 'raw64') exact = readBase64(line, member);
    else if (key === 'fields' && line[member.start] === OPEN_BRACE) {
      row.fields = line.subarray(member.start, member.end);
    }
  }
  return exact === undefined || exact.length === 0 ? row : { ...row, raw: exact };
}

function asString(line: Buffer, member: Member): Member {
  if (line[member.start] !== QUOTE) throw new NoJson(`${foldKey(member.key)} is no string`);
  return member;
}

function readString(line: Buffer, member: Member): string {
  return decodeString(line, asString(line, member));
}

function readBase64(line: Buffer, member: Member): Buffer | undefined {
  if (line[member.start] !== QUOTE) return undefined;
  const text = decodeString(line, member);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new NoJson('raw64 is no base64');
  return bytes;
}
