import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { frameRoom, zstdFrame } from '../../../src/core/format/frame.ts';
import { release } from '../../../src/core/format/frame-memory.ts';

test('memory that holds nothing else is given back', async () => {
  const exact = Buffer.allocUnsafeSlow(1000);
  release(exact);
  assert.equal(exact.length, 0);
  for (const content of [
    randomBytes(500_000),
    randomBytes(500_000).toString('hex'),
    'a line '.repeat(250_000),
  ]) {
    const bytes = Buffer.from(content);
    const packed = await zstdFrame(bytes, 'archive');
    release(packed, frameRoom(bytes.length));
    assert.equal(packed.length, 0);
  }
});

test("memory that others share stays, of all sizes that Node's pool gives", () => {
  for (let size = 1; size < 2 * Buffer.poolSize; size = Math.ceil(size * 1.3)) {
    const before = Buffer.from('before');
    const bytes = Buffer.allocUnsafe(size).fill('x');
    const after = Buffer.from('after');
    const shared = bytes.buffer === before.buffer || bytes.buffer === after.buffer;
    release(bytes, size);
    assert.equal(String(before) + String(after), 'beforeafter');
    if (shared) assert.equal(bytes.length, size);
  }
});

test('a frame of which next to nothing is left is no harm to others', async () => {
  const before = Buffer.from('before');
  for (const size of [1, 1000, 1 << 16, 1 << 20, 20 << 20]) {
    const packed = await zstdFrame(Buffer.alloc(size, 'a line '), 'archive');
    release(packed, frameRoom(size));
  }
  assert.equal(String(before) + String(Buffer.from('after')), 'beforeafter');
});

test('a frame that zstd gives up is an error, not a short frame', async () => {
  const bytes = Buffer.alloc(1000, 'a line ');
  // What it is told beforehand is not what comes.
  Object.defineProperty(bytes, 'length', { value: 2000 });
  await assert.rejects(zstdFrame(bytes, 'archive'), /[Ss]ize/);
});
