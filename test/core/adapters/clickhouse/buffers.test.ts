import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUFFER_BYTES, LineBufferPool } from '../../../../src/core/adapters/clickhouse/buffers.ts';

test('released memory is reused', () => {
  const pool = new LineBufferPool();
  const first = pool.take(1);
  assert.equal(first.length, BUFFER_BYTES);
  const other = pool.take(BUFFER_BYTES);
  assert.notEqual(other.buffer, first.buffer);
  pool.release(first.buffer);
  assert.equal(pool.take(1).buffer, first.buffer);
  assert.notEqual(pool.take(1).buffer, first.buffer, 'used only once');
});

test('oversized buffers are not kept, and only a few others are', () => {
  const pool = new LineBufferPool();
  const long = pool.take(BUFFER_BYTES + 1);
  assert.equal(long.length, BUFFER_BYTES + 1);
  pool.release(long.buffer);
  assert.ok(long.buffer.detached);
  const many = Array.from({ length: 100 }, () => pool.take(0));
  for (const { buffer } of many) pool.release(buffer);
  const kept = many.filter(({ buffer }) => !buffer.detached);
  assert.ok(kept.length > 0 && kept.length < 20);
});
