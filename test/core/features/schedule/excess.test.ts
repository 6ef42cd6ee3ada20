import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ArchiveEvidence } from '../../../../src/core/features/coverage/evidence.ts';
import {
  findExcess,
  type RetentionUnit,
  spansCoveredOnlyBy,
} from '../../../../src/core/features/schedule/excess.ts';
import { MAX_CLOCK_SKEW_MS } from '../../../../src/core/policy/retention.ts';

const NOW = new Date('2026-03-10T00:00:00Z');

function evidenceOf(from: number, to: number, until = 0): ArchiveEvidence {
  return { archive_id: 'a', from, to, until, rows: 1 };
}

function unit(day: number, given: Partial<RetentionUnit> = {}): RetentionUnit {
  const created_at = new Date(Date.UTC(2026, 2, day)).toISOString();
  return {
    kind: 'group',
    id: String(day),
    created_at,
    complete: true,
    active: false,
    evidence: [evidenceOf(0, 1)],
    ...given,
  };
}

const ids = (units: readonly RetentionUnit[]) => units.map(({ id }) => id);

test('the newest complete units are kept, and the oldest are in excess', () => {
  const units = [unit(3), unit(1), unit(4), unit(2)];
  assert.deepEqual(ids(findExcess(units, 2, NOW).excess), ['1', '2']);
  assert.deepEqual(ids(findExcess(units, 4, NOW).excess), []);
});

test('archives without a group count like groups, and the newest is kept', () => {
  const units = [1, 2, 3].map((day) => unit(day, { kind: 'archive' }));
  assert.deepEqual(ids(findExcess(units, 1, NOW).excess), ['1', '2']);
});

test('failed units do not count: the newest complete one is kept, however many failed after it', () => {
  const failed = [5, 6, 7].map((day) => unit(day, { complete: false }));
  assert.deepEqual(ids(findExcess([unit(1), unit(2), ...failed], 1, NOW).excess), ['1']);
  assert.deepEqual(ids(findExcess(failed, 1, NOW).excess), []);
  const old = unit(1, { complete: false });
  assert.deepEqual(ids(findExcess([old, unit(2), unit(3)], 1, NOW).excess), ['1', '2']);
  assert.deepEqual(ids(findExcess([unit(1, { complete: false, evidence: [] }), unit(2)], 1, NOW).excess), []);
});

test('active units are kept, and units dated in the future do not count', () => {
  const units = [unit(1, { active: true }), unit(2), unit(3), unit(30)];
  assert.deepEqual(ids(findExcess(units, 1, NOW).excess), ['2']);
  assert.deepEqual(ids(findExcess(units, 2, NOW).excess), []);
});

test('a limit below 1 deletes nothing', () => {
  for (const max of [0, -1, Number.NaN])
    assert.deepEqual(findExcess([unit(1), unit(2)], max, NOW).excess, []);
});

test('units dated within the clock skew count, later ones do not', () => {
  const dated = (offset_ms: number) =>
    unit(0, { id: 'ahead', created_at: new Date(NOW.getTime() + offset_ms).toISOString() });
  const excessWith = (offset_ms: number) => ids(findExcess([unit(2), dated(offset_ms)], 1, NOW).excess);
  assert.deepEqual(excessWith(MAX_CLOCK_SKEW_MS), ['2']);
  assert.deepEqual(excessWith(MAX_CLOCK_SKEW_MS + 1), []);
});

/** Any days, and the hours around the limit of the clock skew. */
const anyTime = fc.oneof(
  fc.date({ min: new Date('2026-02-20'), max: new Date('2026-03-20'), noInvalidDate: true }),
  fc.integer({ min: -1, max: 2 * MAX_CLOCK_SKEW_MS }).map((offset_ms) => new Date(NOW.getTime() + offset_ms)),
);

const anyUnit = fc.record({
  kind: fc.constantFrom('group' as const, 'archive' as const),
  id: fc.uuid(),
  created_at: anyTime.map((date) => date.toISOString()),
  complete: fc.boolean(),
  active: fc.boolean(),
  evidence: fc.constantFrom([], [evidenceOf(0, 1)]),
});

/** Whether a unit counts: it is not dated later than the clocks of two machines may differ. */
function counts({ created_at }: RetentionUnit): boolean {
  return Date.parse(created_at) <= NOW.getTime() + MAX_CLOCK_SKEW_MS;
}

test('for any units: none is lost, and the newest complete ones are never in excess', () => {
  const runs = { excess: 0, ahead: 0 };
  fc.assert(
    fc.property(
      fc.uniqueArray(anyUnit, { selector: ({ id }) => id, maxLength: 20 }),
      fc.integer({ min: -1, max: 6 }),
      (units, max) => {
        const { kept, excess } = findExcess(units, max, NOW);
        assert.deepEqual([...ids(kept), ...ids(excess)].sort(), ids(units).sort());
        const complete = units.filter((one) => one.complete && counts(one));
        const remaining = complete.filter((one) => kept.includes(one));
        assert.ok(remaining.length >= Math.min(complete.length, Math.max(max, 1)));
        for (const one of excess) {
          runs.excess++;
          assert.ok(counts(one) && !one.active && one.evidence.length > 0);
          assert.ok(remaining.filter((other) => other.created_at >= one.created_at).length >= max);
        }
        runs.ahead += units.filter((one) => counts(one) && Date.parse(one.created_at) > NOW.getTime()).length;
      },
    ),
  );
  assert.ok(runs.excess > 0 && runs.ahead > 0, JSON.stringify(runs));
});

test('for any spans: what is left and what later ones cover add up, without overlap', () => {
  const span = fc.record({ from: fc.nat(30), length: fc.integer({ min: 1, max: 20 }), until: fc.nat(5) });
  const evidence = fc
    .array(span, { maxLength: 6 })
    .map((all) => all.map(({ from, length, until }) => evidenceOf(from, from + length, until)));
  fc.assert(
    fc.property(
      evidence.filter(({ length }) => length > 0),
      evidence,
      ([entry], others): void => {
        if (entry === undefined) return;
        const remaining = spansCoveredOnlyBy([entry], others);
        for (let time = 0; time < 60; time++) {
          const inside: boolean = entry.from <= time && time < entry.to;
          const over = others.some(
            ({ from, to, until }) => until >= entry.until && from <= time && time < to,
          );
          const matches = remaining.filter(({ from, to }) => from <= time && time < to).length;
          assert.equal(matches, inside && !over ? 1 : 0);
        }
      },
    ),
  );
});
