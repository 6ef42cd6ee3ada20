import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutIntoParts, lanes, PartBuffers, partSizes } from '../../../src/core/adapters/s3-parts.ts';
import { all, pattern, pieces } from '../../contracts/storage.ts';

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

test('5 TiB fit, whether expected or not, in parts that S3 takes', () => {
  for (const expected of [undefined, 5 * TIB]) {
    const list = sizesUntil(partSizes(plain, expected), 5 * TIB);
    assert.ok(list.length <= 10_000, `${list.length} parts`);
    assert.ok(list.every((size) => size >= 5 * MIB && size <= 5 * GIB));
  }
});

test('parts are of one size up to 20 GiB without a guess, and as long as a guess holds', () => {
  for (const [expected, bytes] of [
    [undefined, 20 * GIB],
    [1 * GIB, 20 * GIB],
    [100 * GIB, 120 * GIB],
    [2 * TIB, 2.4 * TIB],
  ] as const) {
    assert.equal(new Set(sizesUntil(partSizes(plain, expected), bytes)).size, 1, String(expected));
  }
});

test('a guess far too low still lets terabytes through', () => {
  for (const expected of [1, 10 * GIB, 50 * GIB, 200 * GIB]) {
    assert.ok(sizesUntil(partSizes(plain, expected), 2 * TIB).length <= 10_000, String(expected));
  }
});

test('small uploads take little memory', () => {
  const size = partSizes(plain, undefined)(1);
  assert.ok(size * lanes(size) <= 64 * MIB);
  assert.equal(lanes(GIB), 1);
});

test('R2 gets parts of one size, and so does who asks for it', () => {
  assert.equal(new Set(sizesUntil(partSizes(r2, undefined), 300 * GIB)).size, 1);
  const asked = partSizes({ part_mib: 100, endpoint: undefined }, 5 * TIB);
  assert.deepEqual(new Set(sizesUntil(asked, 900 * GIB)), new Set([100 * MIB]));
  assert.throws(() => sizesUntil(asked, TIB), /BIFRACT_S3_PART_MIB|10000 parts/);
});

test('content is cut exactly, whatever pieces it comes in', async () => {
  for (const total of [0, 1, 9, 10, 11, 20, 21, 35]) {
    for (const piece of [1, 3, 10, 100]) {
      const content = pattern(total);
      const parts = await all(cutIntoParts(pieces(content, piece), () => 10, new PartBuffers()));
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

test('a buffer goes round once it is given back', () => {
  const buffers = new PartBuffers();
  const first = buffers.take(100);
  buffers.release(first.subarray(0, 50));
  assert.equal(buffers.take(100).buffer, first.buffer);
  assert.notEqual(buffers.take(100).buffer, first.buffer);
});
