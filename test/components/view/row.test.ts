import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunksOf } from '../../../src/components/view/browse.ts';
import { fieldPairs } from '../../../src/components/view/pages/row.ts';

test('nested fields become dotted names and values, in order', () => {
  const pairs = fieldPairs(
    '{"z":"1","a":{"b":{"c":"x"},"d":[1,"2",{"e":null}]},"t":true,"n":null,"o":{},"l":[]}',
  );
  assert.deepEqual(pairs, [
    ['z', '1'],
    ['a.b.c', 'x'],
    ['a.d', '[1,"2",{"e":null}]'],
    ['t', 'true'],
    ['n', 'null'],
    ['o', '{}'],
    ['l', '[]'],
  ]);
});

test('numbers keep all their digits', () => {
  assert.deepEqual(fieldPairs('{"a":12345678901234567890,"b":1.10,"c":[1e400]}'), [
    ['a', '12345678901234567890'],
    ['b', '1.10'],
    ['c', '[1e400]'],
  ]);
});

test('text that is not a JSON object has no fields', () => {
  for (const text of ['{"cut":"off', '[1]', '"text"', 'null', '']) assert.equal(fieldPairs(text), undefined);
  assert.deepEqual(fieldPairs('{}'), []);
});

test('the chunks cover exactly the requested rows', () => {
  assert.deepEqual(chunksOf(0, 32), [0]);
  assert.deepEqual(chunksOf(31, 33), [0, 1]);
  assert.deepEqual(chunksOf(64, 64), []);
  assert.deepEqual(chunksOf(0, 0), []);
  assert.deepEqual(chunksOf(40, 10), []);
});
