import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDamaged, fuzz, subjects } from '../../fuzz/format-fuzz.ts';

test('no damaged file passes as complete', { timeout: 120_000 }, async () => {
  await fuzz(2000, 20260301);
});

test('detects a flipped bit in every byte of a small file', { timeout: 120_000 }, async () => {
  const small = (await subjects()).find(({ name }) => name === 'small');
  assert.ok(small);
  for (let at = 0; at < small.stored.length; at++) {
    const flipped = Buffer.from(small.stored);
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
    await checkDamaged(small, flipped, 65_536);
  }
});
