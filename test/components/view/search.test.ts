import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { highlight, matchesIn, parseSearch } from '../../../src/components/view/search.ts';
import type { Search } from '../../../src/components/view/types.ts';

function search(typed: string): Search {
  const parsed = parseSearch(typed);
  assert.ok('pattern' in parsed);
  return parsed;
}

function highlighted(text: string, typed: string): string {
  return highlight(text, matchesIn([text], search(typed))[0] ?? [])
    .map((span) => (span.bold ? `<${span.text}>` : span.text))
    .join('');
}

test('plain text searches for text; text between slashes is a regular expression', () => {
  assert.deepEqual(search('a.b').pattern, { text: 'a.b' });
  assert.deepEqual(search('/a.b/').pattern, { regex: 'a.b', flags: '' });
  assert.deepEqual(search('/a\\/b/im').pattern, { regex: 'a\\/b', flags: 'im' });
  assert.deepEqual(search('/var/log').pattern, { text: '/var/log' });
  assert.deepEqual(search('//').pattern, { text: '//' });
  assert.ok('problem' in parseSearch('/((/'));
  assert.ok('problem' in parseSearch('/a/ii'));
});

test('highlighted matches follow the rules of the engine', () => {
  assert.equal(highlighted('Error error', 'error'), '<Error> <error>');
  assert.equal(highlighted('Error error', 'Error'), '<Error> error');
  assert.equal(highlighted('a.b a+b', 'a.b'), '<a.b> a+b');
  assert.equal(highlighted('x12y345', '/[0-9]+/'), 'x<12>y<345>');
  assert.equal(highlighted('aaa', '/x*/'), 'aaa');
});

test('the same text is drawn with and without matches, whatever they are', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é', '漢') });
  fc.assert(
    fc.property(text, fc.constantFrom('/a*/', '/b|./', '/(?=a)/', 'a', '.'), (line, typed) => {
      const spans = highlight(line, matchesIn([line], search(typed))[0] ?? []);
      assert.equal(spans.map((span) => span.text).join(''), line);
    }),
  );
});

test('an endless regular expression highlights nothing and costs time only once', () => {
  const endless = search(String.raw`/(\S+\s?)+ZZ$/`);
  const lines = Array.from({ length: 50 }, (_, index) => `${index} ${'word '.repeat(12)}ZZ at the end`);
  const started = performance.now();
  for (let frame = 0; frame < 20; frame++) {
    assert.deepEqual(
      matchesIn(lines, endless),
      lines.map(() => []),
    );
  }
  assert.ok(performance.now() - started < 1_000);
});
