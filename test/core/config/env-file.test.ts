import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseEnvFile, setVariables } from '../../../src/core/config/env-file.ts';
import { BifractError } from '../../../src/core/contract/errors.ts';

function parse(text: string, environment: NodeJS.ProcessEnv = {}) {
  return parseEnvFile(Buffer.from(text), environment);
}

/** Latin-1 in and out: a character is a byte. */
function set(bytes: string, variables: Record<string, string>): string {
  return setVariables(Buffer.from(bytes, 'latin1'), variables).toString('latin1');
}

function isRefusal(error: unknown): boolean {
  return error instanceof BifractError && error.code === 'ENV_INVALID';
}

test('reads keys and values, trimmed, split at the first equals sign', () => {
  const text =
    '\uFEFF# made at installation\r\n\r\n  POSTGRES_USER = bifract \nKEY=a=b==\n\t#X=1\nEMPTY=\nno value\n=x\n';
  assert.deepEqual(parse(text), { POSTGRES_USER: 'bifract', KEY: 'a=b==', EMPTY: '' });
});

test('reads export, YAML separators, quotes and comments as Docker Compose does', () => {
  const text = [
    'export A=1',
    '\texport\tB = "x y" # comment',
    "C='$HOME # no comment'",
    'D=a # b',
    'E=a#b',
    'F= # nothing',
    'G=""',
    `H='it\\'s'`,
    'I="a\\tb\\"c\\\\d\\$e\\q"',
    'J=\\n',
    'K: yaml',
    'export=2',
    'L=#x',
  ];
  assert.deepEqual(parse(text.join('\n')), {
    A: '1',
    B: 'x y',
    C: '$HOME # no comment',
    D: 'a',
    E: 'a#b',
    F: '',
    G: '',
    H: "it's",
    I: 'a\tb"c\\d$e\\q',
    J: '\\n',
    K: 'yaml',
    export: '2',
    L: '#x',
  });
});

test('a quoted value may span lines; a quote that is not closed at the end of a line is a character', () => {
  assert.deepEqual(parse('A="one\nB=2\nthree"\nC=4'), { A: 'one\nB=2\nthree', C: '4' });
  assert.deepEqual(parse(`A="x\nB=it's\nC="a'\nD="\\"`), { A: '"x', B: "it's", C: `"a'`, D: '"\\"' });
  assert.deepEqual(parse('A="x" y\nB=2'), { A: '"x" y', B: '2' });
});

test('replaces references to earlier variables and to the environment, which wins', () => {
  const text = `A=1\nB=$A-\${A}\nC="\${X:-d\${A}}"\nD=\${EMPTY:-d}\${EMPTY-d}\nE=\${A:+y}\${X+n}\nF=a$$b$1$\nG=$Z\nH=$OUT`;
  assert.deepEqual(parse(`EMPTY=\n${text}`, { OUT: '$A', Z: '' }), {
    EMPTY: '',
    A: '1',
    B: '1-1',
    C: 'd1',
    D: 'd',
    E: 'y',
    F: 'a$b$1$',
    G: '',
    H: '$A',
  });
});

test('LF, CRLF and a lone CR end a line', () => {
  assert.deepEqual(parse('A=1\rB=2\r\nC=3\nD=4\r'), { A: '1', B: '2', C: '3', D: '4' });
});

test('the last of two values wins, at the position of the first', () => {
  assert.deepEqual(Object.entries(parse('B=1\nA=2\nexport B=3')), [
    ['B', '3'],
    ['A', '2'],
  ]);
});

test('a key may have the name of a member of Object', () => {
  assert.deepEqual(Object.entries(parse('__proto__=x\nconstructor=y')), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

test('replaces only the value, wherever it is on the line', () => {
  const cases: [before: string, after: string][] = [
    ['A=1\nKEY=2\nKEY=3\n', 'A=1\nKEY=new\n'.replace('KEY', 'KEY=2\nKEY')],
    ['export KEY = "old" # comment\r\nB=2', 'export KEY = "new" # comment\r\nB=2'],
    ['KEY=  # comment\n', 'KEY=new  # comment\n'],
    ["P=gr\xfc\xdfe\rKEY='a\rb'\rC=\x80\x00", "P=gr\xfc\xdfe\rKEY='new'\rC=\x80\x00"],
    ['\xef\xbb\xbfKEY=', '\xef\xbb\xbfKEY=new'],
    ['KEY: x', 'KEY: new'],
  ];
  for (const [before, after] of cases) assert.equal(set(before, { KEY: 'new' }), after);
});

test('appends a line that ends as the last one does', () => {
  const cases: [before: string, after: string][] = [
    ['', 'KEY=new\n'],
    ['# KEY=1', '# KEY=1\nKEY=new\n'],
    ['A=1\n', 'A=1\nKEY=new\n'],
    ['A=1\r\nB=2', 'A=1\r\nB=2\r\nKEY=new\r\n'],
    ['A=1\rB=\xff', 'A=1\rB=\xff\rKEY=new\r'],
    ['A=1\r\nB=2\r', 'A=1\r\nB=2\rKEY=new\r'],
    ['\xef\xbb\xbf', '\xef\xbb\xbfKEY=new\n'],
    ['KEY', 'KEY\nKEY=new\n'],
    ['MY_KEY=1\nKEY2=2\n', 'MY_KEY=1\nKEY2=2\nKEY=new\n'],
  ];
  for (const [before, after] of cases) assert.equal(set(before, { KEY: 'new' }), after);
});

test('never adds a second line for a variable, and does not replace a reference', () => {
  const refused = ['A="x\nKEY=old\n"\n', 'A="\r export KEY: old\r"', 'KEY=$OTHER', 'B=1\nKEY="x$OTHER"'];
  for (const text of refused) assert.throws(() => set(text, { KEY: 'new' }), isRefusal);
});

test('refuses UTF-16 and UTF-32, with and without a byte order mark', () => {
  const text = 'POSTGRES_USER=me\n';
  const little = Buffer.from(text, 'utf16le');
  const wide = Buffer.from([...Buffer.from(text)].flatMap((byte) => [byte, 0, 0, 0]));
  const big = Buffer.from(little).swap16();
  const marked = Buffer.from('\uFEFFA', 'utf16le');
  for (const bytes of [
    little,
    big,
    wide,
    Buffer.from(wide).reverse(),
    marked,
    Buffer.from(marked).swap16(),
  ]) {
    assert.throws(() => parseEnvFile(bytes), isRefusal);
    assert.throws(() => setVariables(bytes, { A: 'new' }), isRefusal);
  }
});

const piece = fc.oneof(
  fc.constantFrom('KEY', 'A', 'export ', '=', ':', ' ', '\t', '#', ' #', '"', "'", '\\', '\n', '\r', '\r\n'),
  fc.constantFrom('B=1', 'KEY=old', 'export KEY="a b"', '# KEY=1', '$A', '\xef\xbb\xbf', '\x00', '\xfc', 'x'),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const anyFile = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

test('whatever the file: one value changes, and every other byte and variable stays', () => {
  let changed = 0;
  const value = 'f'.repeat(64);
  const others = (bytes: string) => {
    const { KEY: _, ...rest } = parseEnvFile(Buffer.from(bytes.replaceAll('$', '_'), 'latin1'));
    return rest;
  };
  fc.assert(
    fc.property(anyFile, (before) => {
      let after: string;
      try {
        after = set(before, { KEY: value });
      } catch (error) {
        assert.ok(isRefusal(error), String(error));
        return;
      }
      changed++;
      assert.equal(parseEnvFile(Buffer.from(after, 'latin1')).KEY, value);
      assert.deepEqual(others(after), others(before));
      const at = after.lastIndexOf(value);
      const tail = after.slice(at + value.length);
      const isAppended = /(^|[\r\n]|^\xef\xbb\xbf)KEY=$/.test(after.slice(0, at)) && /^[\r\n]+$/.test(tail);
      assert.ok(before.startsWith(after.slice(0, at)) || isAppended);
      assert.ok(before.endsWith(tail) || isAppended);
      if (isAppended) assert.ok(after.startsWith(before) || before.startsWith(after.slice(0, at)));
    }),
    { numRuns: 2000 },
  );
  assert.ok(changed > 500, `${changed} files were changed`);
});

test('a large file takes time in proportion to its size', () => {
  const lines = `P="open\nQ='x\\\\\\\\'\n# a comment\nR=\\"\\"\\"\n`.repeat(10_000);
  assert.ok(set(lines, { KEY: 'new' }).endsWith('KEY=new\n'));
});

test('reads back what was written line by line', () => {
  const key = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,20}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/).filter((text) => !/^['"#]|[$]| #/.test(text));
  fc.assert(
    fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (vars) => {
      const text = Object.entries(vars).map(([name, content]) => `  ${name} = ${content}  `);
      assert.deepEqual(parse(text.join('\r\n')), vars);
    }),
  );
});
