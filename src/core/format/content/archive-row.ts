import type { Timestamp } from '../../ports/types.ts';
import {
  decodeBytes,
  decodeString,
  foldKey,
  JsonSyntaxError,
  type Member,
  readMembers,
} from './json-scan.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const NULL_START = 0x6e;

const HOUR = '(?:[01]\\d|2[0-3])';
const SIXTY = '[0-5]\\d';
/** Checks everything but the length of the month. */
const TIME = new RegExp(
  `^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T${HOUR}:${SIXTY}:${SIXTY}(?:\\.\\d+)?(?:Z|[+-]${HOUR}:${SIXTY})$`,
);
const SECONDS_END = 19;
/** Sign, hours, colon, minutes. */
const OFFSET_LENGTH = 6;

/** A row of an archive. */
export interface ArchiveRow {
  /** In UTC with all its digits; null if absent. */
  ts: Timestamp | null;
  /** The log line, byte for byte. Empty if absent: the server's reader skips such rows. */
  raw: Buffer;
  id: string;
  fid: string;
  its: Timestamp | null;
  /** The parsed fields, as the JSON text of an object; null if absent. */
  fields: Buffer | null;
  /** Values of other columns, as the JSON text of an object; null if absent. */
  cols: Buffer | null;
}

/** A line that is not a row, and why. */
export interface MalformedLine {
  malformed: string;
}

/**
 * Parses a line, with or without its newline, as the server's reader does: keys in any case, the last of
 * duplicates, null as absent, other keys ignored. Lines which that reader skips are malformed.
 */
export function parseLine(line: Buffer): ArchiveRow | MalformedLine {
  try {
    const isNull = line.length < 64 && line.toString('latin1').trim() === 'null';
    return readRow(line, isNull ? [] : readMembers(line));
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { malformed: error.message };
    throw error;
  }
}

function readRow(line: Buffer, members: Member[]): ArchiveRow {
  const row: ArchiveRow = {
    ts: null,
    raw: Buffer.alloc(0),
    id: '',
    fid: '',
    its: null,
    fields: null,
    cols: null,
  };
  let exact: Buffer | undefined;
  for (const member of members) {
    if (line[member.start] === NULL_START) continue;
    const key = foldKey(member.key);
    if (key === 'ts' || key === 'its') row[key] = parseTime(readString(line, member));
    else if (key === 'id' || key === 'fid') row[key] = readString(line, member);
    else if (key === 'raw') row.raw = decodeBytes(line, asString(line, member));
    else if (key === 'raw64') exact = readBase64(line, member);
    else if ((key === 'fields' || key === 'cols') && line[member.start] === OPEN_BRACE) {
      row[key] = line.subarray(member.start, member.end);
    }
  }
  return exact === undefined || exact.length === 0 ? row : { ...row, raw: exact };
}

function asString(line: Buffer, member: Member): Member {
  if (line[member.start] !== QUOTE) throw new JsonSyntaxError(`${foldKey(member.key)} is not a string`);
  return member;
}

function readString(line: Buffer, member: Member): string {
  return decodeString(line, asString(line, member));
}

function readBase64(line: Buffer, member: Member): Buffer | undefined {
  if (line[member.start] !== QUOTE) return undefined;
  const text = decodeString(line, member);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new JsonSyntaxError('raw64 is not valid base64');
  return bytes;
}

/** Parses an RFC 3339 time to UTC, keeping all its digits. Throws `JsonSyntaxError` for anything else. */
function parseTime(text: string): Timestamp {
  if (!TIME.test(text) || !isInMonth(text)) throw new JsonSyntaxError('time is not RFC 3339');
  return text.endsWith('Z') ? text : toUtc(text);
}

function isInMonth(text: string): boolean {
  const day = Number(text.slice(8, 10));
  if (day <= 28) return true;
  // A day past the end of the month rolls over into the next one.
  return new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === day;
}

function toUtc(text: string): Timestamp {
  const zone = text.slice(-OFFSET_LENGTH);
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  const local = Date.parse(`${text.slice(0, SECONDS_END)}Z`);
  const utc = new Date(local + (zone[0] === '-' ? minutes : -minutes) * 60_000);
  const fraction = text.slice(SECONDS_END, -OFFSET_LENGTH);
  return `${utc.toISOString().slice(0, -'.000Z'.length)}${fraction}Z`;
}
