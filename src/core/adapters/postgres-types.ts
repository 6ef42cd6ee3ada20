const BIGINT = 20;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/**
 * How values of PostgreSQL arrive. Times without a zone mean UTC here, and keep their microseconds; whole
 * numbers of 64 bits become numbers, and throw where a number could not hold them.
 */
export function parserOf(oid: number): ((text: string) => unknown) | undefined {
  if (oid === BIGINT) return wholeNumber;
  if (oid === TIMESTAMP) return utcTime;
  if (oid === TIMESTAMPTZ) return (text) => utcTime(text.replace(/\+00(:00)?$/, ''));
  return undefined;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is more than a number can hold`);
  return value;
}

/** `2026-03-01 12:00:00.123456` as ISO; what is no point in time (`infinity`) as it is. */
function utcTime(text: string): string {
  return text[10] === ' ' ? `${text.slice(0, 10)}T${text.slice(11)}Z` : text;
}

/** A time as a parameter for a column without zone: the zone is dropped, for it is UTC on both sides. */
export function withoutZone(time: string | null): string | null {
  return time === null ? null : time.replace(/Z$/, '');
}
