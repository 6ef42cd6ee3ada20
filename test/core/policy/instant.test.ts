import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTimes, parseInstant } from '../../../src/core/policy/instant.ts';

test('times are ordered by all their digits, in any notation', () => {
  const ordered = [
    '2026-03-01T12:00:00Z',
    '2026-03-01T12:00:00.000000001Z',
    '2026-03-01T12:00:00.1Z',
    '2026-03-01T12:00:00.12Z',
    '2026-03-01T12:00:01Z',
  ];
  for (const [index, time] of ordered.entries()) {
    for (const [other, later] of ordered.entries()) {
      assert.equal(compareTimes(time, later), Math.sign(index - other), `${time} ${later}`);
    }
  }
  assert.equal(compareTimes('2026-03-01T12:00:00.100Z', '2026-03-01T12:00:00.1Z'), 0);
  assert.equal(compareTimes('2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'), 0);
});

test('times as users type them are UTC by default', () => {
  const cases: Record<string, string> = {
    '2026-03-01': '2026-03-01T00:00:00Z',
    '2026-03-01T14:00': '2026-03-01T14:00:00Z',
    '2026-03-01 14:00:05.1234': '2026-03-01T14:00:05.1234Z',
    '2026-03-01T00:30:00+01:00': '2026-02-28T23:30:00Z',
    '2026-03-01t14:00:00z': '2026-03-01T14:00:00Z',
  };
  for (const [text, time] of Object.entries(cases)) assert.equal(parseInstant(text), time);
});

test('other texts are not times', () => {
  for (const text of ['', 'yesterday', '2026-02-30', '2026-03-01T25:00', '2026-3-1', '2026-03-01T14:00+1']) {
    assert.equal(parseInstant(text), undefined, text);
  }
});
