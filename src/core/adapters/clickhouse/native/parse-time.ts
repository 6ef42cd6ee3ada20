const [ZERO, DASH, COLON, DOT, LETTER_T, LETTER_Z] = [0x30, 0x2d, 0x3a, 0x2e, 0x54, 0x5a];
const FRACTION_AT = '2026-03-01T12:00:00'.length;
/** With more digits, ClickHouse would have to round. */
const FRACTION_DIGITS = 3;
/** Years whose times are stored as they are, whatever the precision. */
const [FIRST_YEAR, LAST_YEAR] = [1970, 2261];
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/**
 * Milliseconds of a time like `2026-03-01T12:00:00.123Z` with up to three fraction digits; negative for any other text,
 * and for times out of range.
 */
export function parseTime(bytes: Buffer, from: number, to: number): number {
  const length = to - from;
  if (length < FRACTION_AT + 1 || bytes[to - 1] !== LETTER_Z) return -1;
  const separated =
    bytes[from + 4] === DASH &&
    bytes[from + 7] === DASH &&
    bytes[from + 10] === LETTER_T &&
    bytes[from + 13] === COLON &&
    bytes[from + 16] === COLON;
  if (!separated) return -1;
  const year = number(bytes, from, 4);
  const month = number(bytes, from + 5, 2);
  const day = number(bytes, from + 8, 2);
  const hour = number(bytes, from + 11, 2);
  const minute = number(bytes, from + 14, 2);
  const second = number(bytes, from + 17, 2);
  const fraction = milliseconds(bytes, from + FRACTION_AT, to - 1);
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12)) return -1;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const before = DAYS_BEFORE[month - 1] as number;
  const days = (DAYS_BEFORE[month] as number) - before + Number(leap && month === 2);
  if (!(day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60 && fraction >= 0)) return -1;
  const years = year - 1;
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400) - 477;
  const dayOfEpoch = (year - 1970) * 365 + leaps + before + Number(leap && month > 2) + day - 1;
  return (((dayOfEpoch * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction;
}

/** A number of so many digits; NaN if they are not. */
function number(bytes: Buffer, from: number, digits: number): number {
  let value = 0;
  for (let at = from; at < from + digits; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** The fraction between these positions, which starts with a dot; negative if it is not one. */
function milliseconds(bytes: Buffer, from: number, to: number): number {
  if (from === to) return 0;
  const digits = to - from - 1;
  if (bytes[from] !== DOT || digits < 1 || digits > FRACTION_DIGITS) return -1;
  const value = number(bytes, from + 1, digits) * 10 ** (FRACTION_DIGITS - digits);
  return Number.isNaN(value) ? -1 : value;
}
