import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Search } from '../../../src/components/view/file-types.ts';
import { highlight, parseSearch } from '../../../src/components/view/search.ts';

function search(typed: string): Search {
  const made = parseSearch(typed);
  assert.ok('pattern' in made);
  return made;
}

function marked(text: string, typed: string): string {
  return highlight(text, search(typed))
    .map((span) => (span.bold ? `<${span.text}>` : span.text))
    .join('');
}

test('a text is a text, between slashes it is an expression', () => {
  assert.deepEqual(search('a.b').pattern, { text: 'a.b' });
  assert.deepEqual(search('/a.b/').pattern, { regex: 'a.b', flags: '' });
  assert.deepEqual(search('/a\\/b/im').pattern, { regex: 'a\\/b', flags: 'im' });
  assert.deepEqual(search('/var/log').pattern, { text: '/var/log' });
  assert.deepEqual(search('//').pattern, { text: '//' });
  assert.ok('trouble' in parseSearch('/((/'));
  assert.ok('trouble' in parseSearch('/a/ii'));
});

test('matches are marked as the engine finds them', () => {
  assert.equal(marked('Error error', 'error'), '<Error> <error>');
  assert.equal(marked('Error error', 'Error'), '<Error> error');
  assert.equal(marked('a.b a+b', 'a.b'), '<a.b> a+b');
  assert.equal(marked('x12y345', '/[0-9]+/'), 'x<12>y<345>');
  assert.equal(marked('aaa', '/x*/'), 'aaa');
  assert.equal(highlight('abc', undefined).length, 1);
});
