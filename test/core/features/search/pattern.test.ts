import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SearchPattern } from '../../../../src/core/features/search/contract.ts';
import { compilePattern, jsonPattern } from '../../../../src/core/features/search/pattern.ts';

const matches = (pattern: SearchPattern, text: string) => compilePattern(pattern).matches(Buffer.from(text));

test('text without capitals is case-insensitive, with capitals case-sensitive', () => {
  assert.ok(matches({ text: 'failed' }, 'login FAILED'));
  assert.ok(!matches({ text: 'Failed' }, 'login FAILED'));
  assert.ok(matches({ text: 'Failed' }, 'login Failed'));
  assert.ok(matches({ text: 'größe' }, 'GRÖßE'));
  assert.ok(matches({ text: 'a.b[c]' }, 'x A.B[C]'));
  assert.ok(!matches({ text: 'a.b' }, 'aXb'));
});

test('a line with invalid UTF-8 still matches', () => {
  assert.ok(compilePattern({ text: 'err' }).matches(Buffer.from([0xff, 0x45, 0x52, 0x52, 0xfe])));
});

test('the literal is required text only', () => {
  const cases: [regex: string, literal: string, flags?: string][] = [
    ['failed', 'failed'],
    ['user=(\\w+) from', 'user='],
    ['abc?d', 'ab'],
    ['ab*cde', 'cde'],
    ['abc{0,3}xy', 'ab'],
    ['a+bc', 'bc'],
    ['foo|bar', ''],
    ['\\x41BC', ''],
    ['[abc]def', 'def'],
    ['(never)?yes', 'yes'],
    ['a\\.bcd', 'a.bcd'],
    ['GET \\/x\\d', 'GET /x'],
    ['ab\\??c', 'ab'],
    ['kelvin', '', 'iu'],
    ['kelvin', 'kelvin', 'i'],
    ['[[ab]--[b]]cd', '', 'v'],
  ];
  for (const [regex, literal, flags] of cases)
    assert.equal(compilePattern({ regex, flags }).literal, literal, regex);
});

test('every match contains the literal', () => {
  const part = fc.constantFrom(
    'ab',
    'x',
    '.',
    '\\d',
    '[a-c]',
    '(cd)',
    '(e)?',
    'f*',
    'g+',
    'h{2}',
    '^',
    '-',
    '1',
    ' ',
  );
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 6 }),
      fc.stringMatching(/^[a-hx0-9 .-]{0,20}$/),
      (parts, text) => {
        const compiled = compilePattern({ regex: parts.join('') });
        if (!compiled.matches(Buffer.from(text))) return;
        matched++;
        assert.ok(text.includes(compiled.literal));
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(matched > 0);
});

test('the JSON pattern matches every JSON form of the literal', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab"\\/<>&\'$.'), maxLength: 6 });
  const writers = [
    (raw: string) => JSON.stringify(raw),
    (raw: string) => JSON.stringify(raw).replaceAll('/', '\\/'),
    (raw: string) =>
      JSON.stringify(raw).replace(/[<>&']/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`),
  ];
  let plains = 0;
  fc.assert(
    fc.property(text, text, text, (before, literal, after) => {
      const { pattern, plain } = jsonPattern(literal);
      for (const write of writers) assert.match(write(before + literal + after), new RegExp(pattern));
      if (!plain) return;
      plains++;
      assert.ok(writers.every((write) => write(literal) === `"${literal}"`));
    }),
    { numRuns: 2000 },
  );
  assert.ok(plains > 0);
});

test('invalid patterns are rejected', () => {
  for (const pattern of [
    { text: '' },
    { regex: '(' },
    { regex: 'a', flags: 'g' },
    { regex: 'a', flags: 'y' },
  ]) {
    assert.throws(() => compilePattern(pattern), { code: 'USAGE' });
  }
});
