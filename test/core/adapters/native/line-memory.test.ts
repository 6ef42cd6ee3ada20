import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINES_BYTES, LineMemory } from '../../../../src/core/adapters/native/line-memory.ts';

test('memory that was given back is taken again', () => {
  const memory = new LineMemory();
  const first = memory.take(1);
  assert.equal(first.length, LINES_BYTES);
  const other = memory.take(LINES_BYTES);
  assert.notEqual(other.buffer, first.buffer);
  memory.give(first.buffer);
  assert.equal(memory.take(1).buffer, first.buffer);
  assert.notEqual(memory.take(1).buffer, first.buffer, 'but once');
});

test('what something long needed is not kept, nor more than a few', () => {
  const memory = new LineMemory();
  const long = memory.take(LINES_BYTES + 1);
  assert.equal(long.length, LINES_BYTES + 1);
  memory.give(long.buffer);
  assert.ok(long.buffer.detached);
  const many = Array.from({ length: 100 }, () => memory.take(0));
  for (const { buffer } of many) memory.give(buffer);
  const kept = many.filter(({ buffer }) => !buffer.detached);
  assert.ok(kept.length > 0 && kept.length < 20);
});
