import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeString, JsonSyntaxError, readMembers } from '../../../../src/core/format/content/json-scan.ts';

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Like JSON.parse, with unpaired surrogates replaced: bytes cannot hold them. */
function wellFormed(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

function read(text: string): [string, unknown][] {
  const bytes = Buffer.from(text);
  return readMembers(bytes).map((member) => {
    const value = bytes.toString('utf8', member.start, member.end);
    return [member.key, value.startsWith('"') ? decodeString(bytes, member) : JSON.parse(value)];
  });
}

test('members agree with JSON.parse', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), fc.nat(3), (value, space) => {
      const plain = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
      assert.deepEqual(read(JSON.stringify(value, undefined, space)), Object.entries(plain));
    }),
  );
});

test('rejects exactly what JSON.parse rejects', () => {
  const seeds = [
    '{"a":[1,-2.5e+3,{"b":null}],"c":"x\\u00e9\\n\\ud83e\\udd80","d":true}',
    '{}',
    ' {"a" : {} , "b":[] }\r',
  ];
  const alphabet = '{}[]":,\\/u0123eE+-.ntf lr\u0001\t';
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.nat(),
      fc.constantFrom(...alphabet),
      fc.nat(2),
      (seed, position, letter, removed) => {
        const at = position % (seed.length + 1);
        const text = seed.slice(0, at) + letter + seed.slice(at + removed);
        if (isJsonObject(text)) assert.deepEqual(Object.fromEntries(read(text)), wellFormed(text));
        else assert.throws(() => read(text), JsonSyntaxError, text);
      },
    ),
    { numRuns: 5000 },
  );
});

test('allows any nesting depth and keeps invalid UTF-8', () => {
  const deep = `{"a":${'[{"b":'.repeat(100_000)}1${'}]'.repeat(100_000)}}`;
  assert.equal(readMembers(Buffer.from(deep)).length, 1);
  const bytes = Buffer.from('{"a":"\xff\xfe"}', 'latin1');
  const [member] = readMembers(bytes);
  assert.deepEqual(bytes.subarray(member?.start, member?.end), Buffer.from('"\xff\xfe"', 'latin1'));
});
