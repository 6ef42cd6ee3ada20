import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concurrentParts,
  PartBuffers,
  partSizes,
  splitIntoParts,
} from '../../../../src/core/adapters/s3/parts.ts';
import { all, pattern, pieces } from '../../../contracts/storage.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TIB = 2 ** 40;
const plain = { part_mib: undefined, endpoint: undefined };
const r2 = { part_mib: undefined, endpoint: 'https://0123.r2.cloudflarestorage.com' };

function sizesUntil(sizes: (number: number) => number, bytes: number): number[] {
  const list: number[] = [];
  for (let sum = 0; sum < bytes; sum += list.at(-1) ?? 0) list.push(sizes(list.length + 1));
  return list;
}

test('5 TiB fit, expected or not, in parts of valid sizes', () => {
  for (const expected of [undefined, 5 * TIB]) {
    const list = sizesUntil(partSizes(plain, expected), 5 * TIB);
    assert.ok(list.length <= 10_000, `${list.length} parts`);
    assert.ok(list.every((size) => size >= 5 * MIB && size <= 5 * GIB));
  }
});

test('parts have equal size up to 20 GiB without an expected size, else up to that size', () => {
  for (const [expected, bytes] of [
    [undefined, 20 * GIB],
    [1 * GIB, 20 * GIB],
    [100 * GIB, 120 * GIB],
    [2 * TIB, 2.4 * TIB],
  ] as const) {
    assert.equal(new Set(sizesUntil(partSizes(plain, expected), bytes)).size, 1, String(expected));
  }
});

test('terabytes fit even if the expected size was far too low', () => {
  for (const expected of [1, 10 * GIB, 50 * GIB, 200 * GIB]) {
    assert.ok(sizesUntil(partSizes(plain, expected), 2 * TIB).length <= 10_000, String(expected));
  }
});

test('small uploads need little memory', () => {
  const size = partSizes(plain, undefined)(1);
  assert.ok(size * concurrentParts(size) <= 64 * MIB);
  assert.equal(concurrentParts(GIB), 1);
});

test('parts have equal size on R2, and if configured', () => {
  assert.equal(new Set(sizesUntil(partSizes(r2, undefined), 300 * GIB)).size, 1);
  const fixed = partSizes({ part_mib: 100, endpoint: undefined }, 5 * TIB);
  assert.deepEqual(new Set(sizesUntil(fixed, 900 * GIB)), new Set([100 * MIB]));
  assert.throws(() => sizesUntil(fixed, TIB), /10000/);
});

test('content is split exactly, whatever the size of its pieces', async () => {
  for (const total of [0, 1, 9, 10, 11, 20, 21, 35]) {
    for (const piece of [1, 3, 10, 100]) {
      const content = pattern(total);
      const parts = await all(splitIntoParts(pieces(content, piece), () => 10, new PartBuffers()));
      assert.ok(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(content));
      assert.deepEqual(
        parts.map(({ number, last }) => [number, last]),
        parts.map((_, at) => [at + 1, at === parts.length - 1]),
      );
      assert.ok(parts.slice(0, -1).every(({ bytes }) => bytes.length === 10));
      assert.equal(parts.length, Math.max(1, Math.ceil(total / 10)));
    }
  }
});

test('a freed buffer is reused', () => {
  const buffers = new PartBuffers();
  const first = buffers.take(100);
  buffers.free(first.subarray(0, 50));
  assert.equal(buffers.take(100).buffer, first.buffer);
  assert.notEqual(buffers.take(100).buffer, first.buffer);
});
