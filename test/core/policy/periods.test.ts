import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { periodAt } from '../../../src/core/policy/periods.ts';

const time = fc.date({
  min: new Date('1900-01-01T00:00:00Z'),
  max: new Date('2299-12-01T00:00:00Z'),
  noInvalidDate: true,
});

test('periods follow the UTC clock, weeks start on Monday', () => {
  assert.deepEqual(periodAt('hour', '2026-03-01T14:59:59.999Z'), {
    label: '2026-03-01 14:00',
    from: '2026-03-01T14:00:00.000Z',
    to: '2026-03-01T15:00:00.000Z',
  });
  assert.deepEqual(periodAt('week', '2026-03-08T23:59:59.999Z'), {
    label: '2026-03-02 to 2026-03-08',
    from: '2026-03-02T00:00:00.000Z',
    to: '2026-03-09T00:00:00.000Z',
  });
  assert.equal(periodAt('day', '2026-03-01T14:05:09.999Z').label, '2026-03-01');
  assert.equal(periodAt('week', '2026-03-01T14:05:09.999Z').label, '2026-02-23 to 2026-03-01');
  assert.equal(periodAt('week', '2026-03-02T00:00:00Z').label, '2026-03-02 to 2026-03-08');
  assert.equal(periodAt('week', '2026-12-31T12:00:00Z').label, '2026-12-28 to 2027-01-03');
  assert.equal(periodAt('week', '1970-01-01T00:00:00Z').label, '1969-12-29 to 1970-01-04');
  assert.equal(periodAt('day', '2100-12-31T23:59:59.999Z').to, '2101-01-01T00:00:00.000Z');
});

test('every time is in its period, and the next period starts where it ends', () => {
  let weeks = 0;
  fc.assert(
    fc.property(time, fc.constantFrom('hour', 'day', 'week'), (at, split) => {
      const { label, from, to } = periodAt(split, at.toISOString());
      assert.ok(Date.parse(from) <= at.getTime() && at.getTime() < Date.parse(to));
      assert.equal(periodAt(split, from).label, label);
      assert.equal(periodAt(split, to).from, to);
      if (split !== 'week') return;
      weeks++;
      assert.equal(new Date(from).getUTCDay(), 1);
    }),
  );
  assert.ok(weeks > 0);
});
