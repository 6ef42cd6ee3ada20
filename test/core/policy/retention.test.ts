import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KeepRule, keepsSomething, retain } from '../../../src/core/policy/retention.ts';

const NOW = new Date('2026-03-31T12:00:00Z');
const DAY_MS = 86_400_000;

function at(created_at: string) {
  return { created_at };
}

function kept(times: string[], rule: KeepRule): Record<string, string> {
  const all = retain(times.map(at), rule, NOW);
  return Object.fromEntries(
    all
      .filter(({ reasons }) => reasons.length > 0)
      .map(({ item, reasons }) => [item.created_at, reasons.join()]),
  );
}

test('keeps the newest of each of the last days, weeks and months that have one', () => {
  const times = [
    '2026-03-31T09:00:00Z',
    '2026-03-31T01:00:00Z',
    '2026-03-30T23:59:59Z',
    '2026-03-29T23:00:00Z',
    '2026-03-20T00:00:00Z',
    '2026-01-31T00:00:00Z',
    '2025-12-31T23:59:59Z',
  ];
  assert.deepEqual(kept(times, { daily: 3 }), {
    '2026-03-31T09:00:00Z': 'daily',
    '2026-03-30T23:59:59Z': 'daily',
    '2026-03-29T23:00:00Z': 'daily',
  });
  // Monday is the 30th, so the 29th is in the week before.
  assert.deepEqual(kept(times, { weekly: 2 }), {
    '2026-03-31T09:00:00Z': 'weekly',
    '2026-03-29T23:00:00Z': 'weekly',
  });
  assert.deepEqual(kept(times, { monthly: 3 }), {
    '2026-03-31T09:00:00Z': 'monthly',
    '2026-01-31T00:00:00Z': 'monthly',
    '2025-12-31T23:59:59Z': 'monthly',
  });
  assert.deepEqual(kept(times, { last: 1, monthly: 1 }), { '2026-03-31T09:00:00Z': 'last,monthly' });
});

test('a pause in backups deletes nothing: only periods with backups count', () => {
  const times = ['2025-01-05T00:00:00Z', '2024-07-01T00:00:00Z'];
  assert.equal(Object.keys(kept(times, { daily: 2 })).length, 2);
});

test('an item dated in the future by a wrong clock is kept and does not count', () => {
  assert.deepEqual(kept(['2030-01-01T00:00:00Z', '2026-03-01T00:00:00Z'], { last: 1 }), {
    '2030-01-01T00:00:00Z': 'future',
    '2026-03-01T00:00:00Z': 'last',
  });
});

test('an empty rule is recognized', () => {
  assert.equal(keepsSomething({}), false);
  assert.equal(keepsSomething({ last: 0, daily: undefined }), false);
  assert.equal(keepsSomething({ weekly: 1 }), true);
});

test('for any backups: all are listed, the newest is kept, and a larger rule keeps no fewer', () => {
  const count = fc.option(fc.nat(5), { nil: undefined });
  const rules = fc.record({ last: count, daily: count, weekly: count, monthly: count });
  const ages = fc.array(fc.integer({ min: 0, max: 400 * DAY_MS }), { maxLength: 40 });
  let kept_newest = 0;
  fc.assert(
    fc.property(ages, rules, (list, rule) => {
      const items = list.map((age) => at(new Date(NOW.getTime() - age).toISOString()));
      const result = retain(items, rule, NOW);
      assert.deepEqual(new Set(result.map(({ item }) => item)), new Set(items));
      const keptCount = (one: KeepRule) =>
        retain(items, one, NOW).filter(({ reasons }) => reasons.length > 0).length;
      assert.ok(keptCount({ ...rule, daily: (rule.daily ?? 0) + 1 }) >= keptCount(rule));
      assert.ok(keptCount({ last: 3 }) === Math.min(3, items.length));
      if (items.length === 0 || !keepsSomething(rule)) return;
      kept_newest++;
      assert.ok((result[0]?.reasons.length ?? 0) > 0);
    }),
  );
  assert.ok(kept_newest > 0);
});
