import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sanitize, width } from '../../../src/components/view/sanitize.ts';
import {
  fit,
  fitLine,
  joined,
  lineWidth,
  spread,
  squeeze,
  truncate,
  wrap,
} from '../../../src/components/view/text.ts';

test('truncate marks what was lost, and never cuts a wide character in two', () => {
  assert.equal(truncate('abcdef', 6), 'abcdef');
  assert.equal(truncate('abcdef', 5), 'abcd…');
  assert.equal(truncate('日本語', 4), '日…');
  assert.equal(truncate('abc', 0), '');
});

test('fit fills and aligns', () => {
  assert.equal(fit('ab', 4), 'ab  ');
  assert.equal(fit('ab', 4, 'right'), '  ab');
  assert.equal(fit('日本語', 4), '日… ');
});

test('a fitted line has exactly the columns asked for, whatever it holds', () => {
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

test('a cut line says so, also when the cut falls between two spans', () => {
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

test('spread keeps the right end whole', () => {
  const line = spread([{ text: 'a long left side' }], [{ text: 'right' }], 12);
  assert.equal(line.map((span) => span.text).join(''), 'a long…right');
  assert.equal(lineWidth(line), 12);
});

test('wrap breaks at spaces, and words that are too long anywhere', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  assert.deepEqual(wrap('', 10), ['']);
});

test('joined spans lose no text', () => {
  const line = [
    { text: 'a', tone: 'dim' },
    { text: ' ' },
    { text: 'b', tone: 'dim' },
    { text: 'c', tone: 'bad' },
  ] as const;
  assert.deepEqual(joined(line), [
    { text: 'a b', tone: 'dim' },
    { text: 'c', tone: 'bad' },
  ]);
});

test('a line that is too long loses the middles of its longest words, not its end', () => {
  const path = '/opt/bifract/archives/c0000000-0000/c0000000-0000-20260301-120000.bifract-archive';
  const shown = squeeze(`Verification of ${path}: started`, 50);
  assert.equal(shown.length, 50);
  assert.match(shown, /^Verification of \/opt\S*…\S+archive: started$/);
  assert.equal(squeeze('short enough', 50), 'short enough');
  assert.equal(squeeze('nothing here is a long word', 10), 'nothing here is a long word');
});
