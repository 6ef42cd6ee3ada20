import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ARRIVAL_MS, type Claim, claimOf, cutPieces } from '../../../src/core/policy/claims.ts';
import { judgeCoverage } from '../../../src/core/policy/coverage.ts';
import { GRIDS } from '../../../src/core/policy/periods.ts';
import { type CountedRow, countRows } from '../../helpers/count-rows.ts';
import { fakeArchive, fakeFractal } from '../../helpers/fake-engine.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Date.UTC(2026, 1, 27);

function judge(rows: readonly CountedRow[], claims: readonly Claim[], unit: 'hour' | 'day' = 'hour') {
  const pieces = cutPieces(claims);
  return judgeCoverage(
    GRIDS[unit],
    claims,
    countRows(rows, { grid: GRIDS[unit], pieces, doubt_ms: ARRIVAL_MS }),
  );
}

const at = (hours: number) => START + hours * HOUR;
const iso = (hours: number) => new Date(at(hours)).toISOString();
/** Rows at these hours, in ClickHouse a second later. */
const rowsAt = (...hours: number[]) => hours.map((hour) => ({ time: at(hour), ingested: at(hour) + 1000 }));

function claim(archive_id: string, rows: readonly CountedRow[], made: number): Claim {
  const times = rows.map(({ time }) => time);
  const [from, to] = [Math.min(...times), Math.max(...times) + 1];
  return { archive_id, from, to, until: made, rows: rows.length };
}

const states = (judged: ReturnType<typeof judge>) => judged.periods.map(({ state }) => state);

test('an archive of all rows protects them, and what came after it is not protected', () => {
  const rows = rowsAt(0.5, 1.5, 2.5);
  const whole = claim('a', rows, at(3));
  assert.deepEqual(judge(rows, [whole]), {
    periods: [0, 1, 2].map((hour) => ({
      from: iso(hour),
      to: iso(hour + 1),
      state: 'both',
      rows: 1,
      unprotected_rows: 0,
      archive_ids: ['a'],
    })),
    unprotected_rows: 0,
    protected_until: iso(2.5),
  });
  const later = judge([...rows, ...rowsAt(2.75, 4.5)], [whole]);
  assert.deepEqual(states(later), ['both', 'both', 'partial', 'none', 'clickhouse']);
  assert.equal(later.unprotected_rows, 2);
  assert.equal(later.protected_until, iso(2.75));
});

test('a row with an old time that came in late is told, and ends what is protected without a gap', () => {
  const rows = rowsAt(0.5, 1.5, 2.5);
  const late = { time: at(1.25), ingested: at(9) };
  const judged = judge([...rows, late], [claim('a', rows, at(3))]);
  assert.deepEqual(states(judged), ['both', 'partial', 'both']);
  assert.equal(judged.unprotected_rows, 1);
  assert.equal(judged.protected_until, iso(1.25));
  const again = judge([...rows, late], [claim('a', rows, at(3)), claim('b', [...rows, late], at(10))]);
  assert.deepEqual([states(again), again.unprotected_rows], [['both', 'both', 'both'], 0]);
});

test('a late row is told where others have expired, so that the counts agree by chance', () => {
  const rows = rowsAt(0.5, 1.5, 2.5, 3.5);
  const late = { time: at(2.25), ingested: at(9) };
  const archive = claim('a', rows, at(4));
  const judged = judge([...rows.slice(2), late], [archive]);
  assert.deepEqual(states(judged), ['archive', 'archive', 'partial', 'both']);
  assert.equal(judged.unprotected_rows, 1);
});

test('rows that expired are held by the archive alone; an idle hour is not', () => {
  const rows = rowsAt(0.5, 1.5, 3.5);
  const judged = judge(rows.slice(2), [claim('a', rows, at(4))]);
  assert.deepEqual(states(judged), ['archive', 'archive', 'archive', 'both']);
  assert.deepEqual(states(judge(rows, [claim('a', rows, at(4))])), ['both', 'both', 'none', 'both']);
  assert.deepEqual(states(judge([], [claim('a', rows.slice(0, 1), at(4))])), ['archive']);
});

test('rows that came in with times of old are too many for the archive: nothing of it is called held', () => {
  const rows = rowsAt(0.5, 1.5);
  const brought = { time: at(1.25), ingested: at(1.3) };
  const judged = judge([...rows, brought], [claim('a', rows, at(3))]);
  assert.deepEqual(states(judged), ['partial', 'partial']);
  assert.equal(judged.unprotected_rows, 1);
  assert.equal(judged.protected_until, null);
});

test('rows of the minute before an archive count only where its count is the very same', () => {
  const rows = rowsAt(0.5, 1.5);
  const close = claim('a', rows, at(1.5) + 2000);
  assert.equal(judge(rows, [close]).unprotected_rows, 0);
  assert.equal(judge(rows.slice(1), [close]).unprotected_rows, 1);
});

test('without rows or archives there is nothing to tell', () => {
  assert.deepEqual(judge([], []), { periods: [], unprotected_rows: 0, protected_until: null });
  const judged = judge(rowsAt(0.5), []);
  assert.deepEqual(
    [states(judged), judged.unprotected_rows, judged.protected_until],
    [['clickhouse'], 1, null],
  );
});

test('a row dated 1970 makes no half million periods', () => {
  const judged = judge([{ time: 0, ingested: at(1) }, ...rowsAt(0.5)], [claim('a', rowsAt(0.5), at(1))]);
  assert.deepEqual(
    judged.periods.map(({ from, state }) => [from, state]),
    [
      ['1970-01-01T00:00:00.000Z', 'clickhouse'],
      [iso(0), 'both'],
    ],
  );
  assert.equal(judged.protected_until, null);
});

test('a record speaks for its rows where it is whole and holds any', () => {
  const record = fakeArchive(1, fakeFractal(1), {
    created_at: '2026-03-01T02:00:00Z',
    time_range_start: '2026-02-01T00:00:00.123Z',
    time_range_end: '2026-03-01T01:59:59Z',
    archive_end_ts: '2026-03-05T00:00:00Z',
    log_count: 10,
  });
  assert.deepEqual(claimOf(record), {
    archive_id: record.id,
    from: Date.parse('2026-02-01T00:00:00.123Z'),
    to: Date.parse('2026-03-01T01:59:59.001Z'),
    until: Date.parse('2026-03-01T02:00:00Z'),
    rows: 10,
  });
  assert.ok(claimOf({ ...record, status: 'restoring' }));
  for (const given of [
    { status: 'failed' as const },
    { status: 'in_progress' as const },
    { log_count: 0 },
    { time_range_start: null },
    { time_range_start: '2026-03-02T00:00:00Z' },
    { time_range_end: 'infinity' },
  ]) {
    assert.equal(claimOf({ ...record, ...given }), undefined, JSON.stringify(given));
  }
});

/** A row of a history, and the archives that hold it. */
interface Lived extends CountedRow {
  in: Set<string>;
  gone: boolean;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('log' as const), age: fc.integer({ min: 0, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('late' as const), age: fc.integer({ min: 0, max: 2000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('archive' as const),
      from: fc.integer({ min: 0, max: 2000 }),
      length: fc.integer({ min: 1, max: 4000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('expire' as const), age: fc.integer({ min: 0, max: 2000 }) }),
  },
);

/** Twelve minutes a step: rows come in and expire, archives are made of what is there. */
function live(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) {
  const rows: Lived[] = [];
  const claims: Claim[] = [];
  let now = START;
  for (const one of steps) {
    now += 12 * MINUTE;
    const there = rows.filter(({ gone }) => !gone);
    if (one.do === 'log' || one.do === 'late') {
      rows.push({ time: now - one.age * MINUTE, ingested: now, in: new Set(), gone: false });
    } else if (one.do === 'expire') {
      for (const row of there) row.gone ||= row.time < now - one.age * MINUTE;
    } else {
      const from = now - one.from * MINUTE;
      const within = there.filter(({ time }) => time >= from && time < from + one.length * MINUTE);
      if (within.length === 0) continue;
      const id = `archive ${claims.length}`;
      for (const row of within) row.in.add(id);
      claims.push(claim(id, within, now));
    }
  }
  return { rows: rows.filter(({ gone }) => !gone), claims };
}

test('whatever happened: nothing is called held that is in no archive, and nothing else is called lost', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('hour' as const, 'day' as const),
      (steps, unit) => {
        const { rows, claims } = live(steps);
        const judged = judge(rows, claims, unit);
        const lost = rows.filter((row) => row.in.size === 0);
        assert.equal(judged.unprotected_rows, lost.length);
        assert.equal(
          judged.periods.reduce((sum, period) => sum + period.rows, 0),
          rows.length,
        );
        for (const period of judged.periods) {
          const [from, to] = [Date.parse(period.from), Date.parse(period.to)];
          const own = lost.filter(({ time }) => time >= from && time < to).length;
          assert.equal(period.unprotected_rows, own, period.from);
          assert.equal(period.state === 'both', period.rows > 0 && own === 0, period.from);
          assert.equal(period.state === 'clickhouse' || period.state === 'partial', own > 0, period.from);
        }
        const until = Date.parse(judged.protected_until ?? iso(-1e4));
        for (const { time } of lost) assert.ok(time >= until);
      },
    ),
    { numRuns: 400 },
  );
});

test('the periods follow each other without gap or overlap', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom('hour' as const, 'day' as const),
      (steps, unit) => {
        const { rows, claims } = live(steps);
        const { periods } = judge(rows, claims, unit);
        for (const [index, { to }] of periods.entries()) {
          assert.equal(periods[index + 1]?.from ?? to, to);
        }
        for (const { from, to } of claims) {
          assert.ok(Date.parse(periods[0]?.from ?? '') <= from);
          assert.ok(Date.parse(periods.at(-1)?.to ?? '') >= to);
        }
      },
    ),
  );
});

test('pieces cut all of time that claims cover, each by the claim made last', () => {
  const stretch = fc.record({
    from: fc.nat(50),
    length: fc.integer({ min: 1, max: 30 }),
    until: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      const claims = stretches.map(({ from, length, until }, index) => ({
        archive_id: String(index),
        from,
        to: from + length,
        until,
        rows: 1,
      }));
      const pieces = cutPieces(claims);
      for (let time = 0; time < 90; time++) {
        const over = claims.filter(({ from, to }) => from <= time && time < to);
        const piece = pieces.findLast(({ from }) => from <= time);
        const newest = over.length > 0 ? Math.max(...over.map(({ until }) => until)) : null;
        assert.equal(piece?.until ?? null, newest);
      }
    }),
  );
});
