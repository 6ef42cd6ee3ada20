import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addDigest,
  areWithin,
  differingRanges,
  emptyDigests,
  mergeDigests,
  type RowDigests,
} from '../../../src/core/policy/row-digests.ts';

const MINUTE = 60_000;
const CENTURY_MINUTES = 100 * 366 * 24 * 60;

function digestsOf(minutes: readonly number[]): RowDigests {
  const digests = emptyDigests();
  for (const minute of minutes) addDigest(digests, minute * MINUTE, { rows: 1, hash: BigInt(minute) ** 5n });
  return digests;
}

test('sums are modulo 2^128', () => {
  const digests = emptyDigests();
  for (const hash of [2n ** 128n - 1n, 3n]) addDigest(digests, MINUTE, { rows: 1, hash });
  assert.deepEqual([...digests.buckets], [[1, { rows: 2, hash: 2n }]]);
});

test('rows of many years are digested in few buckets, in any order and division into files', () => {
  let coarse = 0;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: CENTURY_MINUTES }), { minLength: 2, maxLength: 40 }),
      fc.nat(40),
      (minutes, cut) => {
        const whole = digestsOf(minutes);
        const parts = emptyDigests();
        for (const part of [minutes.slice(cut), minutes.slice(0, cut)]) mergeDigests(parts, digestsOf(part));
        const sorted = ({ buckets }: RowDigests) => [...buckets].sort(([a], [b]) => a - b);
        assert.deepEqual(sorted(parts), sorted(whole));
        assert.equal(parts.bucket_ms, whole.bucket_ms);
        assert.deepEqual(differingRanges(whole, parts.buckets), []);
        const span = (whole.last_ms - whole.first_ms) / whole.bucket_ms;
        assert.ok(span < 2 ** 18 && (whole.bucket_ms === MINUTE || span >= 2 ** 16), String(span));
        if (whole.bucket_ms > MINUTE) coarse++;
      },
    ),
  );
  assert.ok(coarse > 0);
});

test('the ranges contain each bucket that differs, and are few', () => {
  for (const [count, step] of [
    [10, 3],
    [5000, 2],
    [1500, 70],
  ] as const) {
    const minutes = Array.from({ length: count }, (_, n) => n * step);
    const one = digestsOf([...minutes, ...minutes.map((minute) => minute + 1)]);
    const others = new Map(one.buckets);
    for (const minute of minutes) {
      const { rows, hash } = one.buckets.get(minute) ?? { rows: 0, hash: 0n };
      if (minute % 3 === 0) others.delete(minute);
      else others.set(minute, minute % 3 === 1 ? { rows, hash: hash + 1n } : { rows: rows + 1, hash });
    }
    const ranges = differingRanges(one, others);
    const needed = minutes.map((minute) => ({ from_ms: minute * MINUTE, to_ms: (minute + 1) * MINUTE }));
    if (count <= 1000) assert.deepEqual(ranges, needed);
    assert.ok(ranges.length <= 1000 && areWithin(needed, ranges), String(ranges.length));
    assert.equal(areWithin([{ from_ms: -MINUTE, to_ms: 0 }], ranges), false);
  }
});

test('rows that only the others have are no difference', () => {
  const digests = digestsOf([1]);
  assert.deepEqual(differingRanges(digests, new Map([...digests.buckets, [2, { rows: 1, hash: 1n }]])), []);
});
