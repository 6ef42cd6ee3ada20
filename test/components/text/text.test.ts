import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitLine, justify, lineWidth, mergeSpans } from '../../../src/components/text/line.ts';
import { fit, shorten, truncate, wrap } from '../../../src/components/text/text.ts';
import { sanitize, width } from '../../../src/core/text/sanitize.ts';

test('truncate adds an ellipsis and never splits a wide character', () => {
  assert.equal(truncate('abcdef', 6), 'abcdef');
  assert.equal(truncate('abcdef', 5), 'abcd…');
  assert.equal(truncate('日本語', 4), '日…');
  assert.equal(truncate('abc', 0), '');
});

test('fit pads and aligns', () => {
  assert.equal(fit('ab', 4), 'ab  ');
  assert.equal(fit('ab', 4, 'right'), '  ab');
  assert.equal(fit('日本語', 4), '日… ');
});

test('a fitted line has exactly the requested width for any text', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('日本', '👍', '\x1b[31m', ''),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 6 }), fc.integer({ min: 0, max: 40 }), (texts, columns) => {
      const line = fitLine(
        texts.map((part) => ({ text: part })),
        columns,
      );
      assert.equal(
        line.reduce((sum, span) => sum + width(span.text), 0),
        columns,
      );
      assert.ok(line.every((span) => span.text === sanitize(span.text)));
    }),
    { numRuns: 1_000 },
  );
});

test('a cut line ends with an ellipsis, also when cut between two spans', () => {
  assert.equal(
    fitLine([{ text: 'abcd' }, { text: 'efgh' }], 4)
      .map((span) => span.text)
      .join(''),
    'abc…',
  );
  assert.equal(
    fitLine([{ text: 'abcd' }], 4)
      .map((span) => span.text)
      .join(''),
    'abcd',
  );
});

test('justify keeps the right part and cuts the left one', () => {
  const line = justify([{ text: 'a long left side' }], [{ text: 'right' }], 12);
  assert.equal(line.map((span) => span.text).join(''), 'a long…right');
  assert.equal(lineWidth(line), 12);
});

test('wrap breaks at spaces, and inside words that are too long', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  assert.deepEqual(wrap('', 10), ['']);
});

test('merged spans keep all text', () => {
  const line = [
    { text: 'a', tone: 'dim' },
    { text: ' ' },
    { text: 'b', tone: 'dim' },
    { text: 'c', tone: 'bad' },
  ] as const;
  assert.deepEqual(mergeSpans(line), [
    { text: 'a b', tone: 'dim' },
    { text: 'c', tone: 'bad' },
  ]);
});

test('shorten cuts the longest words in the middle and keeps the end of the line', () => {
  const path = '/opt/bifract/archives/c0000000-0000/c0000000-0000-20260301-120000.bifract-archive';
  const shown = shorten(`Verification of ${path}: started`, 50);
  assert.equal(shown.length, 50);
  assert.match(shown, /^Verification of \/opt\S*…\S+archive: started$/);
  assert.equal(shorten('short enough', 50), 'short enough');
  assert.equal(shorten('no long word in this text', 10), 'no long word in this text');
});
