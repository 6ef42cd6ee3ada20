// cspell:ignore thrx threex
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editLine, type LineInput, visibleInput } from '../../../src/components/text/line-input.ts';
import { width } from '../../../src/core/text/sanitize.ts';

/** Types keys; `|` in the result is the cursor. */
function typed(keys: readonly string[]): string {
  const { text, cursor = text.length } = keys.reduce<LineInput>(
    (input, key) => editLine(input, key) ?? input,
    {
      text: '',
    },
  );
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

const HELLO = [...'one two, three'];

for (const [keys, result] of [
  [[], 'one two, three|'],
  [['left', 'left', 'x'], 'one two, thrx|ee'],
  [['home', 'right', 'x'], 'ox|ne two, three'],
  [['ctrl-a', 'delete'], '|ne two, three'],
  [['ctrl-a', 'ctrl-e', 'x'], 'one two, threex|'],
  [['ctrl-left', 'ctrl-left'], 'one |two, three'],
  [['alt-b', 'alt-b', 'alt-f'], 'one two,| three'],
  [['alt-b', 'ctrl-w'], 'one |three'],
  [['alt-b', 'ctrl-u'], '|three'],
  [['alt-b', 'ctrl-k'], 'one two, |'],
  [['ctrl-a', 'alt-d'], '| two, three'],
  [['alt-b', 'backspace'], 'one two,|three'],
  [['home', 'backspace', 'left'], '|one two, three'],
  [['right', 'delete'], 'one two, three|'],
] as const) {
  test(`a line is edited as in a shell: ${keys.join(' ') || 'typing'}`, () => {
    assert.equal(typed([...HELLO, ...keys]), result);
  });
}

test('names of keys, controls and invisible characters are not typed', () => {
  for (const key of ['enter', 'f1', 'alt-x', 'shift-up', '\x07', '\u202e']) {
    assert.equal(editLine({ text: 'a' }, key), undefined);
  }
  assert.equal(typed(['e', '\u0301', '漢', 'left', 'backspace']), '|漢');
});

test('the cursor is always within the text, between characters, and visible', () => {
  const key = fc.constantFrom(
    'a',
    'é',
    '漢',
    ' ',
    'left',
    'right',
    'home',
    'end',
    'backspace',
    'delete',
    'ctrl-w',
    'ctrl-u',
    'ctrl-k',
    'alt-b',
    'alt-f',
    'alt-d',
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), fc.integer({ min: 4, max: 30 }), (keys, columns) => {
      let input: LineInput = { text: '' };
      for (const one of keys) {
        input = editLine(input, one) ?? input;
        const { text, cursor = text.length } = input;
        assert.ok(cursor >= 0 && cursor <= text.length);
        assert.ok(text.isWellFormed());
        const { before, after } = visibleInput(input, columns);
        assert.ok(width(before) + 1 + width(after) <= columns);
        assert.ok(text.slice(0, cursor).endsWith(before) && text.slice(cursor).startsWith(after));
      }
    }),
  );
});
