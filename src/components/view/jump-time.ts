import { timeOf } from '../../core/text/time.ts';

/** Accepted input of a jump. */
export const JUMP_HINT = 'UTC: 2026-03-01 14:00, 14:00, -2h, +30m';

/** Why the input of a jump was rejected. */
export function notATime(text: string): string {
  return `Not a time: ${text.trim()}. Try 2026-03-01 14:00`;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?$/i;
const CLOCK = /^\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?$/;
const STEP = /^([+-])((?:\d+(?:\.\d+)?(?:ms|[smhdw]))+)$/;
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

function stepOf(text: string): number | undefined {
  const match = STEP.exec(text);
  if (!match) return undefined;
  const parts = [...(match[2] ?? '').matchAll(/([\d.]+)(ms|[smhdw])/g)];
  const size = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  return match[1] === '-' ? -size : size;
}

/** Rejects days that do not exist, such as February 30. */
function checked(stamp: string): string | undefined {
  const time = timeOf(stamp);
  if (time === undefined) return undefined;
  const day = stamp.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? stamp : undefined;
}

function absolute(text: string): string | undefined {
  if (DAY.test(text)) return checked(`${text}T00:00:00Z`);
  const [, day, clock = '', zone = 'Z'] = MOMENT.exec(text) ?? [];
  if (day === undefined) return undefined;
  const full = (clock.length === 5 ? `${clock}:00` : clock).replace(',', '.');
  const stamp = checked(`${day}T${full}${zone.toUpperCase()}`);
  // A UTC time keeps all its digits; a time in another zone is truncated to milliseconds.
  if (stamp === undefined || stamp.endsWith('Z')) return stamp;
  return new Date(timeOf(stamp) ?? 0).toISOString();
}

/**
 * Parses the input of a jump into a UTC timestamp; undefined if it is not a time. `from` is the time of the row under
 * the cursor: a time of day is on its day, a step is relative to it.
 */
export function parseJump(text: string, from: string | null): string | undefined {
  const input = text.trim();
  const start = timeOf(from);
  if (CLOCK.test(input)) {
    if (from === null || start === undefined) return undefined;
    return absolute(
      `${from.slice(0, 10)} ${input.padStart(input.indexOf(':') === 1 ? input.length + 1 : 0, '0')}`,
    );
  }
  const step = stepOf(input);
  if (step === undefined) return absolute(input);
  const time = new Date((start ?? Number.NaN) + step);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
