import type { Timestamp } from '../ports/types.ts';

/** How many backups to keep: the newest ones, and the newest of each of the last days, weeks and months that have any. */
export interface KeepRule {
  last?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
}

/** Something with an age. */
export interface Aged {
  created_at: Timestamp;
}

/** Whether a thing is kept, and what for; without a reason it goes. */
export interface Kept<Item> {
  item: Item;
  reasons: string[];
}

const BUCKETS: { rule: keyof KeepRule; of: (time: Date) => string }[] = [
  { rule: 'last', of: (time) => time.toISOString() },
  { rule: 'daily', of: (time) => day(time) },
  { rule: 'weekly', of: (time) => monday(time) },
  { rule: 'monthly', of: (time) => day(time).slice(0, 'yyyy-mm'.length) },
];

/**
 * What a rule keeps of `items`, newest first. Days begin at midnight, weeks on Monday, all in UTC. A period
 * without a backup does not count, so a pause in backups deletes nothing. What is dated after `now` is of a
 * clock that was wrong: it is kept, and takes nobody's place.
 */
export function retain<Item extends Aged>(items: readonly Item[], rule: KeepRule, now: Date): Kept<Item>[] {
  const kept = items
    .map((item) => ({ item, time: new Date(item.created_at), reasons: [] as string[] }))
    .sort((a, b) => b.time.getTime() - a.time.getTime());
  for (const { rule: name, of } of BUCKETS) {
    const left = { count: rule[name] ?? 0, last: '' };
    for (const { time, reasons } of kept) {
      if (time > now) continue;
      // Two of the same instant are two of the last ones, but one of a day.
      const bucket = of(time);
      if (left.count === 0 || (name !== 'last' && bucket === left.last)) continue;
      left.last = bucket;
      left.count--;
      reasons.push(name);
    }
  }
  for (const { time, reasons } of kept) if (time > now) reasons.push('future');
  return kept.map(({ item, reasons }) => ({ item, reasons }));
}

/** Whether the rule keeps anything at all: one that does not would delete everything. */
export function keepsSomething(rule: KeepRule): boolean {
  return Object.values(rule).some((count) => (count ?? 0) > 0);
}

function day(time: Date): string {
  return time.toISOString().slice(0, 'yyyy-mm-dd'.length);
}

function monday(time: Date): string {
  const first = new Date(time);
  first.setUTCDate(first.getUTCDate() - ((first.getUTCDay() + 6) % 7));
  return day(first);
}
