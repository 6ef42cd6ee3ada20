import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { RestoreLineEncoder, RowDigester } from '../../../../src/core/format/index.ts';

const salt = randomBytes(16);
const ITS = '2026-03-01T12:00:01Z';
const row = (ts: string, raw: string, more = {}) =>
  `${JSON.stringify({ ts, raw, ...more, id: 'a', fid: 'f', its: ITS })}\n`;
const LINES = [
  row('2026-03-01T12:00:00Z', 'a "quoted" \\ line\n'),
  row('2026-03-01T12:00:30.5Z', '?', { raw64: '/w==' }),
  'not a row\n',
  row('2026-03-01T12:01:00Z', 'c'),
  row('2026-03-01T12:00:00Z', 'a "quoted" \\ line\n'),
];

function digested(lines: string[], line = true, range?: { from_ms: number; to_ms: number }) {
  const digester = new RowDigester({ range, salt, line });
  for (const one of lines) digester.add(Buffer.from(one));
  return digester.finish();
}

test('counts lines as the encoder does, also in a range', () => {
  for (const range of [
    undefined,
    { from_ms: Date.UTC(2026, 2, 1, 12, 0, 30), to_ms: Number.POSITIVE_INFINITY },
  ]) {
    const encoder = new RestoreLineEncoder(range);
    for (const line of LINES) encoder.take(Buffer.from(line));
    const { digests, ...totals } = digested(LINES, true, range);
    assert.deepEqual(totals, encoder.totals);
    assert.equal(
      [...digests.buckets.values()].reduce((sum, { rows }) => sum + rows, 0),
      totals.in_range,
    );
  }
});

test('the order of rows does not matter, their form neither, all else does', () => {
  const { buckets } = digested(LINES).digests;
  assert.deepEqual(
    [...buckets.values()].map(({ rows }) => rows),
    [3, 1],
  );
  const sorted = (lines: string[]) => [...digested(lines).digests.buckets].sort(([a], [b]) => a - b);
  const [same, foreign] = [[...LINES].reverse(), LINES.map((line) => line.replace('"ts":', ' "TS" : '))];
  for (const lines of [same, foreign]) assert.deepEqual(sorted(lines), [...buckets]);
  const changes = ['"a"', '"b"', ':01Z', ':02Z', 'quoted', 'Quoted', '/w==', '/g==', '30.5Z', '30.51Z'];
  for (let at = 0; at < changes.length; at += 2) {
    const [from = '', to = ''] = changes.slice(at, at + 2);
    const changed = LINES.map((line, index) => (index < 2 ? line.replace(from, to) : line));
    assert.notDeepEqual(changed, LINES);
    assert.notDeepEqual(sorted(changed), [...buckets], from);
  }
});

test('without the line, rows that differ only in it are equal', () => {
  const other = LINES.map((line) => line.replace('quoted', 'Quoted'));
  assert.deepEqual(digested(other, false).digests, digested(LINES, false).digests);
});

test('rows before 1970 are not digested', () => {
  assert.equal(digested(LINES).digests.exact, true);
  assert.equal(digested([...LINES, row('1969-12-31T23:59:59.5Z', 'x')]).digests.exact, false);
  assert.equal(
    digested([row('2026-03-01T12:00:00Z', 'x').replace(ITS, '1950-01-01T00:00:00Z')]).digests.exact,
    false,
  );
});

test('an encoder with ranges sends only their rows, after those that are skipped', () => {
  const minute = (at: number) => Date.UTC(2026, 2, 1, 12, at);
  const lines = [5, 0, 1, 2, 3, 9, 4, 1].map((at) => row(new Date(minute(at)).toISOString(), `r${at}`));
  const only = [
    { from_ms: minute(1), to_ms: minute(2) },
    { from_ms: minute(3), to_ms: minute(5) },
  ];
  for (const [skip, expected] of [
    [0, ['r1', 'r3', 'r4', 'r1']],
    [2, ['r4', 'r1']],
  ] as const) {
    const encoder = new RestoreLineEncoder(undefined, skip, only);
    const block = encoder.take(Buffer.from(lines.join('')));
    const sent = Buffer.concat(block.pieces).toString().split('\n').filter(Boolean);
    assert.deepEqual(
      sent.map((line) => JSON.parse(line).raw),
      expected,
    );
    assert.deepEqual([block.rows, encoder.totals.in_range], [expected.length, 8]);
  }
  assert.equal(new RestoreLineEncoder(undefined, 0, []).take(Buffer.from(lines.join(''))).rows, 0);
});
