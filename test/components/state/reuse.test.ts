import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reuseUnchanged } from '../../../src/components/state/reuse.ts';

const record = (id: string, size: number) => ({ id, size, notes: ['a'] });

test('records that have not changed are kept, and the list if none has', () => {
  const before = [record('a', 1), record('b', 2)];
  assert.equal(reuseUnchanged(before, [record('a', 1), record('b', 2)]), before);
  const [a, b, c] = reuseUnchanged(before, [record('c', 3), record('a', 1), record('b', 9)]) as typeof before;
  assert.deepEqual([a, c], [record('c', 3), record('b', 9)]);
  assert.equal(b, before[0]);
  assert.notEqual(reuseUnchanged(before, [record('a', 1)]), before);
  assert.notEqual(reuseUnchanged(before, [record('b', 2), record('a', 1)]), before);
  const changed = [{ ...record('a', 1), notes: ['b'] }, record('b', 2)];
  assert.deepEqual(reuseUnchanged(before, changed), changed);
  assert.equal(reuseUnchanged(undefined, before), before);
  const health = { ok: true };
  assert.equal(reuseUnchanged({ ok: true }, health), health);
});
