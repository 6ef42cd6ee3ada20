import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Claim } from '../../../src/core/policy/claims.ts';
import { soleStretches, surplusOf, type Unit } from '../../../src/core/policy/surplus.ts';

const NOW = new Date('2026-03-10T00:00:00Z');

function claim(from: number, to: number, until = 0): Claim {
  return { archive_id: 'a', from, to, until, rows: 1 };
}

function unit(day: number, given: Partial<Unit> = {}): Unit {
  const created_at = new Date(Date.UTC(2026, 2, day)).toISOString();
  return {
    kind: 'group',
    id: String(day),
    created_at,
    whole: true,
    active: false,
    claims: [claim(0, 1)],
    ...given,
  };
}

const ids = (units: readonly Unit[]) => units.map(({ id }) => id);

test('the newest whole ones are kept, the oldest go first', () => {
  const units = [unit(3), unit(1), unit(4), unit(2)];
  assert.deepEqual(ids(surplusOf(units, 2, NOW).surplus), ['1', '2']);
  assert.deepEqual(ids(surplusOf(units, 4, NOW).surplus), []);
});

test('archives without a group are counted like groups, and the newest stays', () => {
  const units = [1, 2, 3].map((day) => unit(day, { kind: 'archive' }));
  assert.deepEqual(ids(surplusOf(units, 1, NOW).surplus), ['1', '2']);
});

test("what failed takes nobody's place: the newest whole one stays however many came after it", () => {
  const failed = [5, 6, 7].map((day) => unit(day, { whole: false }));
  assert.deepEqual(ids(surplusOf([unit(1), unit(2), ...failed], 1, NOW).surplus), ['1']);
  assert.deepEqual(ids(surplusOf(failed, 1, NOW).surplus), []);
  const old = unit(1, { whole: false });
  assert.deepEqual(ids(surplusOf([old, unit(2), unit(3)], 1, NOW).surplus), ['1', '2']);
  assert.deepEqual(ids(surplusOf([unit(1, { whole: false, claims: [] }), unit(2)], 1, NOW).surplus), []);
});

test("what is at work stays, and what is dated in the future takes nobody's place", () => {
  const units = [unit(1, { active: true }), unit(2), unit(3), unit(30)];
  assert.deepEqual(ids(surplusOf(units, 1, NOW).surplus), ['2']);
  assert.deepEqual(ids(surplusOf(units, 2, NOW).surplus), []);
});

test('a limit of none, or below, deletes nothing', () => {
  for (const max of [0, -1, Number.NaN])
    assert.deepEqual(surplusOf([unit(1), unit(2)], max, NOW).surplus, []);
});

const anyUnit = fc.record({
  kind: fc.constantFrom('group' as const, 'archive' as const),
  id: fc.uuid(),
  created_at: fc
    .date({ min: new Date('2026-02-20'), max: new Date('2026-03-20'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  whole: fc.boolean(),
  active: fc.boolean(),
  claims: fc.constantFrom([], [claim(0, 1)]),
});

test('whatever there is: units are split without loss, and the newest whole ones are never surplus', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyUnit, { selector: ({ id }) => id, maxLength: 20 }),
      fc.integer({ min: -1, max: 6 }),
      (units, max) => {
        const { kept, surplus } = surplusOf(units, max, NOW);
        assert.deepEqual([...ids(kept), ...ids(surplus)].sort(), ids(units).sort());
        const whole = units.filter((one) => one.whole && new Date(one.created_at) <= NOW);
        const left = whole.filter((one) => kept.includes(one));
        assert.ok(left.length >= Math.min(whole.length, Math.max(max, whole.length > 0 ? 1 : 0)));
        for (const one of surplus) {
          assert.ok(!one.active);
          assert.ok(left.filter((other) => other.created_at >= one.created_at).length >= max);
        }
      },
    ),
  );
});

test('a stretch without those that later ones cover: what is left and what they cover is the whole, without overlap', () => {
  const stretch = fc.record({ from: fc.nat(30), length: fc.integer({ min: 1, max: 20 }), until: fc.nat(5) });
  const claims = fc
    .array(stretch, { maxLength: 6 })
    .map((all) => all.map(({ from, length, until }) => claim(from, from + length, until)));
  fc.assert(
    fc.property(
      claims.filter(({ length }) => length > 0),
      claims,
      ([own], others): void => {
        if (own === undefined) return;
        const left = soleStretches([own], others);
        for (let time = 0; time < 60; time++) {
          const inside: boolean = own.from <= time && time < own.to;
          const over = others.some(({ from, to, until }) => until >= own.until && from <= time && time < to);
          const found = left.filter(({ from, to }) => from <= time && time < to).length;
          assert.equal(found, inside && !over ? 1 : 0);
        }
      },
    ),
  );
});
