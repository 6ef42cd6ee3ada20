import type { Timestamp } from '../ports/types.ts';
import { JsonSyntaxError } from './json-scan.ts';

const HOUR = '(?:[01]\\d|2[0-3])';
const SIXTY = '[0-5]\\d';
/** Checks everything but the length of the month. */
const TIME = new RegExp(
  `^\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T${HOUR}:${SIXTY}:${SIXTY}(?:\\.\\d+)?(?:Z|[+-]${HOUR}:${SIXTY})$`,
);
const SECONDS_END = 19;
/** Sign, hours, colon, minutes. */
const OFFSET_LENGTH = 6;

/** Parses an RFC 3339 time to UTC, keeping all its digits. Throws `JsonSyntaxError` for anything else. */
export function parseTime(text: string): Timestamp {
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
