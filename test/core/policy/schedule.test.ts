import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Attempt, dueOf, periodEnd, periodStart } from '../../../src/core/policy/schedule.ts';

const SCHEDULES = ['daily', 'weekly', 'monthly'] as const;
const good = (created_at: string): Attempt => ({ created_at, status: 'completed' });
const bad = (created_at: string): Attempt => ({ created_at, status: 'failed' });

function why(schedule: string, attempts: Attempt[], now: string): string {
  const due = dueOf(schedule, attempts, new Date(now));
  return due.due ? `due since ${due.since}` : due.next === null ? due.why : `${due.why} until ${due.next}`;
}

test('a fractal is due once in each calendar day, week and month, in UTC', () => {
  const cases: [schedule: string, made: string, now: string, says: string][] = [
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
  for (const [schedule, made, now, says] of cases) assert.equal(why(schedule, [good(made)], now), says);
  assert.equal(why('daily', [], '2026-03-01T00:00:00Z'), 'due since 2026-03-01T00:00:00.000Z');
  assert.equal(why('never', [], '2026-03-01T00:00:00Z'), 'never');
  assert.equal(why('hourly', [], '2026-03-01T00:00:00Z'), 'unknown');
});

test('a schedule that was asleep is due once, not once for each period that it missed', () => {
  const made = [good('2025-11-03T02:00:00Z')];
  assert.equal(why('daily', made, '2026-03-01T02:00:00Z'), 'due since 2026-03-01T00:00:00.000Z');
  const again = [...made, good('2026-03-01T02:01:00Z')];
  assert.match(why('daily', again, '2026-03-01T02:02:00Z'), /^done/);
});

test('after failures it waits, longer each time, a day at most', () => {
  const fails = ['2026-03-02T00:00:00Z', '2026-03-02T00:15:00Z', '2026-03-02T00:45:00Z'].map(bad);
  const before = good('2026-03-01T00:00:00Z');
  const now = '2026-03-02T00:46:00Z';
  assert.equal(why('daily', [before, ...fails.slice(0, 1)], now), 'due since 2026-03-02T00:00:00.000Z');
  assert.equal(why('daily', [before, ...fails], now), 'waiting until 2026-03-02T01:45:00.000Z');
  assert.equal(
    why('daily', [before, { created_at: now, status: 'partial' }], now),
    'waiting until 2026-03-02T01:01:00.000Z',
  );
  const many = Array.from({ length: 40 }, (_, n) => bad(new Date(Date.UTC(2026, 1, 1 + n)).toISOString()));
  assert.equal(why('daily', many, '2026-03-12T12:00:00Z'), 'waiting until 2026-03-13T00:00:00.000Z');
  assert.deepEqual(dueOf('daily', many, new Date('2026-03-13T00:00:00Z')), {
    due: true,
    since: '2026-03-13T00:00:00.000Z',
    failures: 40,
  });
});

test('one that is being made is waited for, until it is surely dead', () => {
  const running: Attempt = { created_at: '2026-03-02T23:00:00Z', status: 'in_progress' };
  assert.equal(why('daily', [running], '2026-03-03T22:00:00Z'), 'running');
  assert.equal(why('daily', [running], '2026-03-03T23:30:00Z'), 'due since 2026-03-03T00:00:00.000Z');
});

test('with a clock that is behind, what was made stays made; what is dated by a wrong one counts for nothing', () => {
  assert.match(why('daily', [good('2026-03-02T00:10:00Z')], '2026-03-01T23:50:00Z'), /^done/);
  assert.match(why('daily', [good('2099-01-01T00:00:00Z')], '2026-03-01T12:00:00Z'), /^due/);
  assert.match(why('daily', [bad('2099-01-01T00:00:00Z')], '2026-03-01T12:00:00Z'), /^due/);
});

test('periods cut all of time: each begins where the one before it ends', () => {
  const time = fc.date({ min: new Date('1970-01-01'), max: new Date('2199-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(fc.constantFrom(...SCHEDULES), time, (schedule, now) => {
      const [start, end] = [periodStart(schedule, now), periodEnd(schedule, now)];
      assert.ok(start <= now && now < end);
      assert.deepEqual(periodStart(schedule, end), end);
      assert.deepEqual(periodEnd(schedule, new Date(start.getTime() - 1)), start);
      assert.deepEqual(periodStart(schedule, new Date(end.getTime() - 1)), start);
      assert.ok(start.getTime() % 86_400_000 === 0);
      if (schedule === 'weekly') assert.equal(start.getUTCDay(), 1);
    }),
  );
});

test('cron every ten minutes makes one archive a period, however its tries fail', () => {
  const outcome = fc.constantFrom('completed' as const, 'failed' as const, 'partial' as const);
  fc.assert(
    fc.property(fc.constantFrom(...SCHEDULES), fc.infiniteStream(outcome), (schedule, outcomes) => {
      const attempts: Attempt[] = [];
      const start = Date.UTC(2028, 1, 27);
      for (let minutes = 0; minutes < 4 * 24 * 60; minutes += 10) {
        const now = new Date(start + minutes * 60_000);
        if (!dueOf(schedule, attempts, now).due) continue;
        attempts.push({ created_at: now.toISOString(), status: outcomes.next().value ?? 'completed' });
      }
      const periods = attempts
        .filter(({ status }) => status === 'completed')
        .map(({ created_at }) => periodStart(schedule, new Date(created_at)).getTime());
      assert.equal(new Set(periods).size, periods.length);
      const fails = attempts.filter(({ status }) => status !== 'completed');
      assert.ok(fails.length < 8 * (periods.length + 1) + 4, String(fails.length));
    }),
    { numRuns: 30 },
  );
});
