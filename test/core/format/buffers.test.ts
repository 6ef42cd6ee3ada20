import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { freeBuffer } from '../../../src/core/format/buffers.ts';
import { compressBound, zstdFrame } from '../../../src/core/format/frames/frame.ts';

test('frees memory that is not shared', async () => {
  const exact = Buffer.allocUnsafeSlow(1000);
  freeBuffer(exact);
  assert.equal(exact.length, 0);
  for (const content of [
    randomBytes(500_000),
    randomBytes(500_000).toString('hex'),
    'a line '.repeat(250_000),
  ]) {
    const bytes = Buffer.from(content);
    const packed = await zstdFrame(bytes, 'archive');
    freeBuffer(packed, compressBound(bytes.length));
    assert.equal(packed.length, 0);
  }
});

test("keeps memory that others share, at all sizes of Node's pool", () => {
  for (let size = 1; size < 2 * Buffer.poolSize; size = Math.ceil(size * 1.3)) {
    const before = Buffer.from('before');
    const bytes = Buffer.allocUnsafe(size).fill('x');
    const after = Buffer.from('after');
    const shared = bytes.buffer === before.buffer || bytes.buffer === after.buffer;
    freeBuffer(bytes, size);
    assert.equal(String(before) + String(after), 'beforeafter');
    if (shared) assert.equal(bytes.length, size);
  }
});

test('freeing a tiny frame leaves other buffers intact', async () => {
  const before = Buffer.from('before');
  for (const size of [1, 1000, 1 << 16, 1 << 20, 20 << 20]) {
    const packed = await zstdFrame(Buffer.alloc(size, 'a line '), 'archive');
    freeBuffer(packed, compressBound(size));
  }
  assert.equal(String(before) + String(Buffer.from('after')), 'beforeafter');
});

test('a zstd failure is an error, not a short frame', async () => {
  const bytes = Buffer.alloc(1000, 'a line ');
  // The pledged size differs from the content.
  Object.defineProperty(bytes, 'length', { value: 2000 });
  await assert.rejects(zstdFrame(bytes, 'archive'), /[Ss]ize/);
});
