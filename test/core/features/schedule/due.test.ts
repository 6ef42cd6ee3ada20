import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Attempt, calendarPeriod, checkDue } from '../../../../src/core/features/schedule/due.ts';

const SCHEDULES = ['daily', 'weekly', 'monthly'] as const;
const completed = (created_at: string): Attempt => ({ created_at, status: 'completed' });
const failed = (created_at: string): Attempt => ({ created_at, status: 'failed' });

function describeDue(schedule: string, attempts: Attempt[], now: string): string {
  const due = checkDue(schedule, attempts, new Date(now));
  return due.due
    ? `due since ${due.since}`
    : due.next === null
      ? due.reason
      : `${due.reason} until ${due.next}`;
}

test('a fractal is due once in each calendar day, week and month, in UTC', () => {
  const cases: [schedule: string, made: string, now: string, expected: string][] = [
    ['daily', '2026-03-01T23:59:59.9Z', '2026-03-01T23:59:59.999Z', 'done until 2026-03-02T00:00:00.000Z'],
    ['daily', '2026-03-01T23:59:59.9Z', '2026-03-02T00:00:00Z', 'due since 2026-03-02T00:00:00.000Z'],
    ['daily', '2026-03-01T00:00:00Z', '2026-03-01T23:59:59Z', 'done until 2026-03-02T00:00:00.000Z'],
    ['weekly', '2026-03-02T00:00:00Z', '2026-03-08T23:59:59Z', 'done until 2026-03-09T00:00:00.000Z'],
    ['weekly', '2026-03-08T23:59:59Z', '2026-03-09T00:00:00Z', 'due since 2026-03-09T00:00:00.000Z'],
    ['monthly', '2026-01-31T12:00:00Z', '2026-02-01T00:00:00Z', 'due since 2026-02-01T00:00:00.000Z'],
    ['monthly', '2028-02-01T00:00:00Z', '2028-02-29T23:00:00Z', 'done until 2028-03-01T00:00:00.000Z'],
    ['monthly', '2028-02-29T23:59:00Z', '2028-03-01T00:00:00Z', 'due since 2028-03-01T00:00:00.000Z'],
    ['monthly', '2026-12-31T23:59:00Z', '2027-01-01T00:00:00Z', 'due since 2027-01-01T00:00:00.000Z'],
    ['weekly', '2026-12-28T01:00:00Z', '2027-01-03T23:00:00Z', 'done until 2027-01-04T00:00:00.000Z'],
  ];
  for (const [schedule, made, now, expected] of cases)
    assert.equal(describeDue(schedule, [completed(made)], now), expected);
  assert.equal(describeDue('daily', [], '2026-03-01T00:00:00Z'), 'due since 2026-03-01T00:00:00.000Z');
  assert.equal(describeDue('never', [], '2026-03-01T00:00:00Z'), 'never');
  assert.equal(describeDue('hourly', [], '2026-03-01T00:00:00Z'), 'unknown');
});

test('after a long pause a schedule is due once, not once per missed period', () => {
  const made = [completed('2025-11-03T02:00:00Z')];
  assert.equal(describeDue('daily', made, '2026-03-01T02:00:00Z'), 'due since 2026-03-01T00:00:00.000Z');
  const again = [...made, completed('2026-03-01T02:01:00Z')];
  assert.match(describeDue('daily', again, '2026-03-01T02:02:00Z'), /^done/);
});

test('after failures it waits, longer each time, up to a day', () => {
  const fails = ['2026-03-02T00:00:00Z', '2026-03-02T00:15:00Z', '2026-03-02T00:45:00Z'].map(failed);
  const before = completed('2026-03-01T00:00:00Z');
  const now = '2026-03-02T00:46:00Z';
  assert.equal(
    describeDue('daily', [before, ...fails.slice(0, 1)], now),
    'due since 2026-03-02T00:00:00.000Z',
  );
  assert.equal(describeDue('daily', [before, ...fails], now), 'waiting until 2026-03-02T01:45:00.000Z');
  assert.equal(
    describeDue('daily', [before, { created_at: now, status: 'partial' }], now),
    'waiting until 2026-03-02T01:01:00.000Z',
  );
  const many = Array.from({ length: 40 }, (_, n) => failed(new Date(Date.UTC(2026, 1, 1 + n)).toISOString()));
  assert.equal(describeDue('daily', many, '2026-03-12T12:00:00Z'), 'waiting until 2026-03-13T00:00:00.000Z');
  assert.deepEqual(checkDue('daily', many, new Date('2026-03-13T00:00:00Z')), {
    due: true,
    since: '2026-03-13T00:00:00.000Z',
    failures: 40,
  });
});

test('a running archive is waited for, until it must have been abandoned', () => {
  const running: Attempt = { created_at: '2026-03-02T23:00:00Z', status: 'in_progress' };
  assert.equal(describeDue('daily', [running], '2026-03-03T22:00:00Z'), 'running');
  assert.equal(describeDue('daily', [running], '2026-03-03T23:30:00Z'), 'due since 2026-03-03T00:00:00.000Z');
});

test('a clock that is slightly behind does not repeat an archive; dates from a wrong clock are ignored', () => {
  assert.match(describeDue('daily', [completed('2026-03-02T00:10:00Z')], '2026-03-01T23:50:00Z'), /^done/);
  assert.match(describeDue('daily', [completed('2099-01-01T00:00:00Z')], '2026-03-01T12:00:00Z'), /^due/);
  assert.match(describeDue('daily', [failed('2099-01-01T00:00:00Z')], '2026-03-01T12:00:00Z'), /^due/);
});

test('each period starts where the one before it ends', () => {
  const time = fc.date({ min: new Date('1970-01-01'), max: new Date('2199-01-01'), noInvalidDate: true });
  let weeks = 0;
  fc.assert(
    fc.property(fc.constantFrom(...SCHEDULES), time, (schedule, now) => {
      const { start, end } = calendarPeriod(schedule, now);
      assert.ok(start <= now && now < end);
      assert.deepEqual(calendarPeriod(schedule, end).start, end);
      assert.deepEqual(calendarPeriod(schedule, new Date(start.getTime() - 1)).end, start);
      assert.deepEqual(calendarPeriod(schedule, new Date(end.getTime() - 1)).start, start);
      assert.ok(start.getTime() % 86_400_000 === 0);
      if (schedule !== 'weekly') return;
      weeks++;
      assert.equal(start.getUTCDay(), 1);
    }),
  );
  assert.ok(weeks > 0);
});

test('a cron job every ten minutes makes one archive per period, whatever fails', () => {
  const outcome = fc.constantFrom('completed' as const, 'failed' as const, 'partial' as const);
  fc.assert(
    fc.property(fc.constantFrom(...SCHEDULES), fc.infiniteStream(outcome), (schedule, outcomes) => {
      const attempts: Attempt[] = [];
      const start = Date.UTC(2028, 1, 27);
      for (let minutes = 0; minutes < 4 * 24 * 60; minutes += 10) {
        const now = new Date(start + minutes * 60_000);
        if (!checkDue(schedule, attempts, now).due) continue;
        attempts.push({ created_at: now.toISOString(), status: outcomes.next().value ?? 'completed' });
      }
      const periods = attempts
        .filter(({ status }) => status === 'completed')
        .map(({ created_at }) => calendarPeriod(schedule, new Date(created_at)).start.getTime());
      assert.equal(new Set(periods).size, periods.length);
      const fails = attempts.filter(({ status }) => status !== 'completed');
      assert.ok(fails.length < 8 * (periods.length + 1) + 4, String(fails.length));
    }),
    { numRuns: 30 },
  );
});
