import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJump } from '../../../src/components/view/jump-time.ts';

const HERE = '2026-03-05T10:30:00.123456Z';

test('dates, timestamps and timestamps with a zone become UTC', () => {
  assert.equal(parseJump('2026-03-01', HERE), '2026-03-01T00:00:00Z');
  assert.equal(parseJump(' 2026-03-01 14:00 ', null), '2026-03-01T14:00:00Z');
  assert.equal(parseJump('2026-03-01T14:00:05', HERE), '2026-03-01T14:00:05Z');
  assert.equal(parseJump('2026-03-01T14:00:05.123456789Z', HERE), '2026-03-01T14:00:05.123456789Z');
  assert.equal(parseJump('2026-03-01T14:00:05,5z', HERE), '2026-03-01T14:00:05.5Z');
  assert.equal(parseJump('2026-03-01T14:00+01:00', HERE), '2026-03-01T13:00:00.000Z');
  assert.equal(parseJump('2026-03-01T01:00:00+0200', HERE), '2026-02-28T23:00:00.000Z');
});

test('a time of day is on the day of the row', () => {
  assert.equal(parseJump('14:00', HERE), '2026-03-05T14:00:00Z');
  assert.equal(parseJump('9:05', HERE), '2026-03-05T09:05:00Z');
  assert.equal(parseJump('23:59:59.999', HERE), '2026-03-05T23:59:59.999Z');
  assert.equal(parseJump('14:00', null), undefined);
});

test('a step is relative to the row', () => {
  assert.equal(parseJump('-2h', HERE), '2026-03-05T08:30:00.123Z');
  assert.equal(parseJump('+30m', HERE), '2026-03-05T11:00:00.123Z');
  assert.equal(parseJump('+1w1d', HERE), '2026-03-13T10:30:00.123Z');
  assert.equal(parseJump('-1.5h500ms', HERE), '2026-03-05T08:59:59.623Z');
  assert.equal(parseJump('-2h', null), undefined);
});

test('invalid input is rejected', () => {
  for (const text of [
    '',
    'x',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '25:00',
    '2h',
    '+',
    '-h',
    '-2x',
    '2026-03-01 14',
    '+9999999999999w',
  ]) {
    assert.equal(parseJump(text, HERE), undefined, text);
  }
});
