import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineWidth, moreMark, withMark } from '../../../src/components/text/line.ts';

const arrows = { up: '^', down: 'v' };

test('marks are on the first visible line if there is more above, and on the last if there is more below', () => {
  const marks = (top: number, height: number, count: number) =>
    Array.from({ length: height }, (_, line) => moreMark(line, { top, height, count }, arrows)).join();
  assert.equal(marks(0, 3, 3), ',,');
  assert.equal(marks(0, 3, 4), ',,v');
  assert.equal(marks(1, 3, 5), '^,,v');
  assert.equal(marks(2, 3, 5), '^,,');
  assert.equal(marks(1, 1, 3), 'v');
});

test('a mark takes the place of padding first, and then of text', () => {
  const text = (line: string, columns: number) =>
    withMark([{ text: line }, { text: '   ' }], 'v', columns)
      .map((span) => span.text)
      .join('');
  assert.equal(text('abc', 6), 'abc  v');
  assert.equal(text('abcd', 6), 'abcd v');
  assert.equal(text('abcde', 6), 'abc… v');
  assert.equal(text('', 6), '     v');
  assert.equal(lineWidth(withMark([{ text: 'abc' }], '', 6)), 6);
});
