import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseEnvFile } from '../../../src/core/config/env-file.ts';

test('reads keys and values, trimmed, split at the first equals sign', () => {
  const text =
    '\uFEFF# made at installation\r\n\r\n  POSTGRES_USER = bifract \nKEY=a=b==\n\t#X=1\nEMPTY=\nno value\n=x\n';
  assert.deepEqual(parseEnvFile(text), { POSTGRES_USER: 'bifract', KEY: 'a=b==', EMPTY: '' });
});

test('removes matching quotes and keeps every other character', () => {
  const text = `A="x y"\nB='$HOME # no comment'\nC="open\nD=it's\nE="\nF=""\nG="a'\nH=a # b\nI=\\n`;
  assert.deepEqual(parseEnvFile(text), {
    A: 'x y',
    B: '$HOME # no comment',
    C: '"open',
    D: "it's",
    E: '"',
    F: '',
    G: `"a'`,
    H: 'a # b',
    I: '\\n',
  });
});

test('the last of two values wins, at the position of the first', () => {
  const vars = parseEnvFile('B=1\nA=2\nB=3');
  assert.deepEqual(Object.entries(vars), [
    ['B', '3'],
    ['A', '2'],
  ]);
});

test('a key may have the name of a member of Object', () => {
  const vars = parseEnvFile('__proto__=x\nconstructor=y');
  assert.deepEqual(Object.entries(vars), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

test('any text parses into trimmed, single-line keys and values', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const [key, value] of Object.entries(parseEnvFile(text))) {
        assert.ok(key !== '' && key === key.trim() && !key.includes('=') && !key.startsWith('#'));
        assert.ok(!/[\r\n]/.test(key + value));
      }
    }),
  );
});

test('reads back what was written line by line', () => {
  const key = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,20}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/).filter((text) => !/^(['"]).*\1$/.test(text));
  fc.assert(
    fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (vars) => {
      const text = Object.entries(vars).map(([name, content]) => `  ${name} = ${content}  `);
      assert.deepEqual(parseEnvFile(text.join('\r\n')), vars);
    }),
  );
});
