const BIGINT = 20;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/**
 * Parsers for values of PostgreSQL. Times without a zone are UTC and keep their microseconds. A 64-bit integer becomes a
 * number, and throws if it is not a safe integer.
 */
export function parserOf(oid: number): ((text: string) => unknown) | undefined {
  if (oid === BIGINT) return safeInteger;
  if (oid === TIMESTAMP) return utcTime;
  if (oid === TIMESTAMPTZ) return (text) => utcTime(text.replace(/\+00(:00)?$/, ''));
  return undefined;
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not a safe integer`);
  return value;
}

/** `2026-03-01 12:00:00.123456` in ISO format; other values (`infinity`) unchanged. */
function utcTime(text: string): string {
  return text[10] === ' ' ? `${text.slice(0, 10)}T${text.slice(11)}Z` : text;
}

/** A time as a parameter for a column without time zone, which is always UTC. */
export function withoutZone(time: string | null): string | null {
  return time === null ? null : time.replace(/Z$/, '');
}
