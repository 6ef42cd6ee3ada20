import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throttle } from '../../../src/core/job/throttle.ts';

test('of calls within the interval only the first is passed on', () => {
  const seen: number[] = [];
  const report = throttle((value: number) => seen.push(value), 3_600_000);
  for (const value of [1, 2, 3]) report(value);
  assert.deepEqual(seen, [1]);
});

test('calls that are an interval apart are all passed on', () => {
  const seen: number[] = [];
  const report = throttle((value: number) => seen.push(value), 0);
  for (const value of [1, 2, 3]) report(value);
  assert.deepEqual(seen, [1, 2, 3]);
});
