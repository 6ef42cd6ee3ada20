import type { Timestamp } from '../ports/types.ts';
import { dayOf, periodAt } from './periods.ts';

/**
 * How many backups to keep: the newest ones, and the newest of each of the last days, weeks and months that have any.
 */
export interface KeepRule {
  last?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
}

/** How far the clock of another machine may be ahead: later dates come from a wrong clock. */
export const MAX_CLOCK_SKEW_MS = 60 * 60_000;

/** Whether a time comes from a wrong clock. */
export function isFuture(time: Timestamp, now: Date): boolean {
  return Date.parse(time) > now.getTime() + MAX_CLOCK_SKEW_MS;
}

interface Dated {
  created_at: Timestamp;
}

/** Whether an item is kept, and why; without a reason it is deleted. */
interface RetentionDecision<Item> {
  item: Item;
  reasons: string[];
}

const BUCKETS: { rule: keyof KeepRule; keyOf: (time: Date) => string }[] = [
  { rule: 'last', keyOf: (time) => time.toISOString() },
  { rule: 'daily', keyOf: (time) => dayOf(time.toISOString()) },
  { rule: 'weekly', keyOf: (time) => periodAt('week', time.toISOString()).label },
  { rule: 'monthly', keyOf: (time) => time.toISOString().slice(0, 'yyyy-mm'.length) },
];

/**
 * Applies a rule to `items`; returns them newest first. Days start at midnight, weeks on Monday, all in UTC. Periods
 * without a backup do not count, so a pause in backups deletes nothing. Items dated in the future,
 * by a wrong clock, are kept and do not count.
 */
export function retain<Item extends Dated>(
  items: readonly Item[],
  rule: KeepRule,
  now: Date,
): RetentionDecision<Item>[] {
  const decisions = items
    .map((item) => ({ item, time: new Date(item.created_at), reasons: [] as string[] }))
    .sort((a, b) => b.time.getTime() - a.time.getTime());
  for (const { rule: name, keyOf } of BUCKETS) {
    const remaining = { count: rule[name] ?? 0, last: '' };
    for (const { item, time, reasons } of decisions) {
      if (isFuture(item.created_at, now)) continue;
      // Two backups of the same instant count as two for `last`, but as one for a day.
      const bucket = keyOf(time);
      if (remaining.count === 0 || (name !== 'last' && bucket === remaining.last)) continue;
      remaining.last = bucket;
      remaining.count--;
      reasons.push(name);
    }
  }
  for (const { item, reasons } of decisions) if (isFuture(item.created_at, now)) reasons.push('future');
  return decisions.map(({ item, reasons }) => ({ item, reasons }));
}

/** Whether the rule keeps anything at all: one that does not would delete everything. */
export function keepsSomething(rule: KeepRule): boolean {
  return Object.values(rule).some((count) => (count ?? 0) > 0);
}
