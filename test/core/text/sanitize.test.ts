import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { graphemes, sanitize, toAscii, width } from '../../../src/core/text/sanitize.ts';

const cases: readonly (readonly [string, string, string])[] = [
  ['plain text', 'web-prod 1', 'web-prod 1'],
  ['colors', '\x1b[31mred\x1b[0m', 'red'],
  ['cursor movement', 'a\x1b[2J\x1b[10;10Hb', 'ab'],
  ['a link, ended by ST', '\x1b]8;;http://x.example\x1b\\text\x1b]8;;\x1b\\', 'text'],
  ['a link, ended by BEL', '\x1b]8;;http://x.example\x07text\x1b]8;;\x07', 'text'],
  ['a clipboard write', 'a\x1b]52;c;aGk=\x07b', 'ab'],
  ['a string without a terminator', 'a\x1b]0;title', 'a'],
  ['8-bit controls', 'a\x9b31mb\x9d0;t\x9cc\x85d', 'abc d'],
  ['device control strings', 'a\x1bPq#0\x1b\\b', 'ab'],
  ['newlines and tabs', 'a\r\nb\tc\u2028d', 'a b c d'],
  ['NUL, BEL, BS, DEL', 'a\0\x07\x08\x7fb', 'ab'],
  ['a lone escape at the end', 'a\x1b', 'a'],
  ['bidi controls', 'a\u202eb\u2066c\u200fd', 'abcd'],
  ['zero width and joiners', 'a\u200bb\u2060c\ufeffd', 'abcd'],
  ['a joined emoji', '👩\u200d💻', '👩💻'],
  ['a skin tone', '👍🏽', '👍'],
  ['a flag', '🇩🇪', 'DE'],
  ['stacked combining marks', `a${'\u0301'.repeat(30)}b`, 'a\u0301\u0301b'],
  ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
];

for (const [name, input, expected] of cases) {
  test(`sanitize: ${name}`, () => assert.equal(sanitize(input), expected));
}

test('no control character survives any input, and sanitizing is idempotent', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\x1b',
      '\x1b[',
      '\x1b]',
      '\x9b',
      '\x9d',
      '\x07',
      '\x1b\\',
      ';',
      '31m',
      '8;;',
      '\u202e',
      '\u200d',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const clean = sanitize(pieces.join(''));
      assert.doesNotMatch(clean, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      assert.equal(sanitize(clean), clean);
    }),
    { numRuns: 2_000 },
  );
});

test('width counts terminal columns', () => {
  assert.equal(width('abc'), 3);
  assert.equal(width('日本'), 4);
  assert.equal(width('e\u0301'), 1);
  assert.equal(width('👍'), 2);
});

test('converting to ASCII keeps the width', () => {
  assert.equal(toAscii('a日é'), 'a???');
  assert.equal(width(toAscii('日本語')), width('日本語'));
});

test('graphemes are user-perceived characters', () => {
  assert.deepEqual(graphemes('ae\u0301日'), ['a', 'e\u0301', '日']);
});
