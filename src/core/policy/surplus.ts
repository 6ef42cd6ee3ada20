import type { Timestamp } from '../ports/types.ts';
import type { Claim } from './claims.ts';
import { SKEW_MS } from './schedule.ts';

/** What retention counts as one: a group of archives, or an archive without one. */
export interface Unit {
  kind: 'group' | 'archive';
  /** Of the record. */
  id: string;
  created_at: Timestamp;
  /** Completed, with each of its files where the record says. */
  whole: boolean;
  /** Being written or restored. */
  active: boolean;
  /** What its files hold. */
  claims: readonly Claim[];
}

/** What stays and what is one too many. */
export interface Surplus {
  kept: Unit[];
  /** The oldest first. */
  surplus: Unit[];
}

/**
 * The newest `max` whole units are kept, and what is older than all of these is surplus: whole ones, and the files of
 * those that failed in part. Units without any file, and units at work, are nobody's surplus. What is dated in the future
 * is of a clock that was wrong: it stays, and takes nobody's place. Less than one is never kept: `max` is at least 1.
 */
export function surplusOf(units: readonly Unit[], max: number, now: Date): Surplus {
  if (!(max >= 1)) return { kept: [...units], surplus: [] };
  const dated = units
    .filter(({ created_at }) => Date.parse(created_at) <= now.getTime() + SKEW_MS)
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const whole = dated.filter((unit) => unit.whole);
  const last = whole[Math.floor(max) - 1];
  const older = last ? dated.slice(dated.indexOf(last) + 1) : [];
  const surplus = older.filter(({ active, claims }) => !active && claims.length > 0).reverse();
  const going = new Set(surplus);
  return { kept: units.filter((unit) => !going.has(unit)), surplus };
}

/** A stretch of time, Unix times, ms: `from ≤ time < to`. */
export interface Stretch {
  from: number;
  to: number;
}

/** What is left of the stretches of `claims` without those that a later one of `others` covers too. */
export function soleStretches(claims: readonly Claim[], others: readonly Claim[]): Stretch[] {
  return claims.flatMap(({ from, to, until }) =>
    others
      .filter((other) => other.until >= until)
      .reduce<Stretch[]>((left, other) => left.flatMap((one) => without(one, other)), [{ from, to }]),
  );
}

function without({ from, to }: Stretch, other: Stretch): Stretch[] {
  return [
    { from, to: Math.min(to, other.from) },
    { from: Math.max(from, other.to), to },
  ].filter((rest) => rest.from < rest.to);
}
