import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  desktopSequence,
  progressSequence,
  terminalAbilities,
  titleSequence,
} from '../../../src/components/text/osc.ts';

test('the abilities of terminals by their environment', () => {
  const of = (env: Parameters<typeof terminalAbilities>[0]) => {
    const { osc, progress, desktop } = terminalAbilities(env);
    return [osc, progress, desktop];
  };
  assert.deepEqual(of({ TERM: 'xterm-256color' }), [true, false, undefined]);
  assert.deepEqual(of({ TERM: 'xterm-ghostty' }), [true, true, 'osc9']);
  assert.deepEqual(of({ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }), [true, true, 'osc9']);
  assert.deepEqual(of({ TERM: 'xterm-256color', WT_SESSION: 'a' }), [true, true, undefined]);
  assert.deepEqual(of({ TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' }), [true, false, 'osc9']);
  assert.deepEqual(of({ TERM: 'xterm-kitty' }), [true, false, 'osc9']);
  assert.deepEqual(of({ TERM: 'foot' }), [true, false, 'osc777']);
  assert.deepEqual(of({ TERM: 'linux' }), [false, false, undefined]);
  for (const inside of [{ TMUX: '/tmp/tmux' }, { STY: '1.pts' }])
    assert.deepEqual(of({ TERM: 'xterm-ghostty', WT_SESSION: 'a', ...inside }), [true, false, undefined]);
});

test('no text can end a sequence early or start another one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const sequence of [titleSequence(text), desktopSequence(text, 'osc777', false)])
        assert.match(sequence, /^\x1b\][^\x00-\x1f\x7f-\x9f]*\x1b\\$/);
      assert.equal(desktopSequence(text, 'osc777', false).split(';').length, 4);
    }),
  );
});

test('progress is a whole percentage', () => {
  fc.assert(
    fc.property(fc.double(), (fraction) => {
      fc.pre(!Number.isNaN(fraction));
      const percent = Number(/;1;(\d+)\x1b/.exec(progressSequence(fraction))?.[1]);
      assert.ok(Number.isInteger(percent) && percent >= 0 && percent <= 100);
    }),
  );
});
