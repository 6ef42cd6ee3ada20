import type { Timestamp } from '../ports/types.ts';
import { NoJson } from './json-scan.ts';

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A time of RFC 3339, in UTC with the digits that it had. Throws `NoJson` for anything else. */
export function parseTime(text: string): Timestamp {
  const match = TIME.exec(text);
  if (match === null || !isOnTheClock(match)) throw new NoJson('a time is not RFC 3339');
  const [, , , , , , , fraction = '', zone = 'Z'] = match;
  if (zone === 'Z') return text;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  const whole = Date.parse(`${text.slice(0, 19)}Z`);
  const moved = new Date(whole - (zone[0] === '-' ? -minutes : minutes) * 60_000);
  return `${moved.toISOString().slice(0, -5)}${fraction}Z`;
}

function isOnTheClock(match: RegExpExecArray): boolean {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zone = match[8] as string;
  const zoneFits = zone === 'Z' || (Number(zone.slice(1, 3)) < 24 && Number(zone.slice(4)) < 60);
  const days = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60 && zoneFits;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
