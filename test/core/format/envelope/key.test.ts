import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { BifractError } from '../../../../src/core/contract/errors.ts';
import { hasKeyMark, newBase } from '../../../../src/core/format/envelope/layout.ts';
import { generateKey, keyId, parseKey } from '../../../../src/core/format/index.ts';

test('parses 64 hex digits in any case, with surrounding whitespace', () => {
  const hex = generateKey();
  assert.match(hex, /^[0-9a-f]{64}$/);
  assert.notEqual(hex, generateKey());
  assert.equal(keyId(parseKey(` ${hex.toUpperCase()}\n`)), keyId(parseKey(hex)));
});

for (const bad of [
  '',
  'abc',
  'z'.repeat(64),
  'ab'.repeat(31),
  'ab'.repeat(33),
  `${'ab'.repeat(16)} ${'cd'.repeat(16)}`,
]) {
  test(`rejects a key of ${bad.length} characters without showing it`, () => {
    assert.throws(
      () => parseKey(bad),
      (error: BifractError) => {
        assert.equal(error.code, 'KEY_MALFORMED');
        assert.ok(error.hint?.includes('BIFRACT_BACKUP_ENCRYPTION_KEY'));
        if (bad) assert.ok(!inspect(error).includes(bad));
        return true;
      },
    );
  });
}

test('a key is never printed or serialized', () => {
  const hex = generateKey();
  const key = parseKey(hex);
  const shown = [
    JSON.stringify({ key }),
    inspect(key, { depth: 9, showHidden: true }),
    String(key),
    keyId(key),
  ];
  for (const text of shown) assert.ok(!text.toLowerCase().includes(hex.slice(0, 12)), text);
});

test('the fingerprint is 8 hex digits and stable', () => {
  assert.equal(keyId(parseKey('00'.repeat(32))), keyId(parseKey('00'.repeat(32))));
  assert.match(keyId(parseKey('00'.repeat(32))), /^[0-9a-f]{8}$/);
  assert.notEqual(keyId(parseKey('00'.repeat(32))), keyId(parseKey('01'.repeat(32))));
});

test('a key mark matches its own key only', () => {
  const [own, other] = [parseKey(generateKey()), parseKey(generateKey())];
  const base = newBase(own);
  assert.equal(hasKeyMark(base, own), true);
  assert.equal(hasKeyMark(base, other), false);
  assert.notDeepEqual(base, newBase(own));
});
