import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hardWrap } from '../../../src/core/text/hard-wrap.ts';
import { width } from '../../../src/core/text/sanitize.ts';

test('a line breaks at the width limit and keeps all characters, spaces included', () => {
  assert.deepEqual(hardWrap('abcdefgh', 3), ['abc', 'def', 'gh']);
  assert.deepEqual(hardWrap('a   b   c', 4), ['a   ', 'b   ', 'c']);
  assert.deepEqual(hardWrap('abc', 3), ['abc']);
  assert.deepEqual(hardWrap('', 3), ['']);
  assert.deepEqual(hardWrap('a\n\nb\r\nc', 9), ['a', '', 'b', 'c']);
});

test('wide characters never exceed the width', () => {
  const lines = hardWrap(`x${'日本語'.repeat(20)}`, 7);
  assert.ok(lines.every((line) => width(line) <= 7));
  assert.equal(lines.join(''), `x${'日本語'.repeat(20)}`);
});

test('control sequences are removed', () => {
  assert.deepEqual(hardWrap('\x1b[31mred\x1b]8;;http://x\x07link', 80), ['redlink']);
});

test('a line of 1 MiB wraps within 3 seconds', () => {
  const started = performance.now();
  assert.equal(hardWrap('x'.repeat(2 ** 20), 76).length, Math.ceil(2 ** 20 / 76));
  assert.equal(hardWrap('日'.repeat(2 ** 19), 76).length, Math.ceil(2 ** 19 / 38));
  assert.ok(performance.now() - started < 3_000);
});
