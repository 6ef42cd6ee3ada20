import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluateCoverage } from '../../../../src/core/features/coverage/evaluate.ts';
import {
  type ArchiveEvidence,
  cutPieces,
  evidenceOf,
  INGEST_DELAY_MS,
} from '../../../../src/core/features/coverage/evidence.ts';
import { GRIDS } from '../../../../src/core/policy/periods.ts';
import { type CountedRow, countRows } from '../../../helpers/count-rows.ts';
import { fakeArchive, fakeFractal } from '../../../helpers/fake-engine.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Date.UTC(2026, 1, 27);

function evaluate(
  rows: readonly CountedRow[],
  evidence: readonly ArchiveEvidence[],
  unit: 'hour' | 'day' = 'hour',
) {
  const pieces = cutPieces(evidence);
  return evaluateCoverage(
    GRIDS[unit],
    evidence,
    countRows(rows, { grid: GRIDS[unit], spans: pieces, doubt_ms: INGEST_DELAY_MS }),
  );
}

const at = (hours: number) => START + hours * HOUR;
const iso = (hours: number) => new Date(at(hours)).toISOString();
/** Rows at these hours, ingested a second later. */
const rowsAt = (...hours: number[]) => hours.map((hour) => ({ time: at(hour), ingested: at(hour) + 1000 }));

function evidenceFrom(archive_id: string, rows: readonly CountedRow[], made: number): ArchiveEvidence {
  const times = rows.map(({ time }) => time);
  const [from, to] = [Math.min(...times), Math.max(...times) + 1];
  return { archive_id, from, to, until: made, rows: rows.length };
}

const states = (result: ReturnType<typeof evaluate>) => result.periods.map(({ state }) => state);

test('an archive of all rows protects them, but not later ones', () => {
  const rows = rowsAt(0.5, 1.5, 2.5);
  const archive = evidenceFrom('a', rows, at(3));
  assert.deepEqual(evaluate(rows, [archive]), {
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
  const later = evaluate([...rows, ...rowsAt(2.75, 4.5)], [archive]);
  assert.deepEqual(states(later), ['both', 'both', 'partial', 'none', 'clickhouse']);
  assert.equal(later.unprotected_rows, 2);
  assert.equal(later.protected_until, iso(2.75));
});

test('a late row with an old time is unprotected, and limits protected_until', () => {
  const rows = rowsAt(0.5, 1.5, 2.5);
  const late = { time: at(1.25), ingested: at(9) };
  const result = evaluate([...rows, late], [evidenceFrom('a', rows, at(3))]);
  assert.deepEqual(states(result), ['both', 'partial', 'both']);
  assert.equal(result.unprotected_rows, 1);
  assert.equal(result.protected_until, iso(1.25));
  const again = evaluate(
    [...rows, late],
    [evidenceFrom('a', rows, at(3)), evidenceFrom('b', [...rows, late], at(10))],
  );
  assert.deepEqual([states(again), again.unprotected_rows], [['both', 'both', 'both'], 0]);
});

test('a late row is detected even if expired rows make the counts equal', () => {
  const rows = rowsAt(0.5, 1.5, 2.5, 3.5);
  const late = { time: at(2.25), ingested: at(9) };
  const archive = evidenceFrom('a', rows, at(4));
  const result = evaluate([...rows.slice(2), late], [archive]);
  assert.deepEqual(states(result), ['archive', 'archive', 'partial', 'both']);
  assert.equal(result.unprotected_rows, 1);
});

test('expired rows are only in the archive; an idle hour is not', () => {
  const rows = rowsAt(0.5, 1.5, 3.5);
  const result = evaluate(rows.slice(2), [evidenceFrom('a', rows, at(4))]);
  assert.deepEqual(states(result), ['archive', 'archive', 'archive', 'both']);
  assert.deepEqual(states(evaluate(rows, [evidenceFrom('a', rows, at(4))])), [
    'both',
    'both',
    'none',
    'both',
  ]);
  assert.deepEqual(states(evaluate([], [evidenceFrom('a', rows.slice(0, 1), at(4))])), ['archive']);
});

test('backdated rows that exceed the archive leave its whole range unprotected', () => {
  const rows = rowsAt(0.5, 1.5);
  const backdated = { time: at(1.25), ingested: at(1.3) };
  const result = evaluate([...rows, backdated], [evidenceFrom('a', rows, at(3))]);
  assert.deepEqual(states(result), ['partial', 'partial']);
  assert.equal(result.unprotected_rows, 1);
  assert.equal(result.protected_until, null);
});

test('rows of the minute before an archive count only if the counts are equal', () => {
  const rows = rowsAt(0.5, 1.5);
  const close = evidenceFrom('a', rows, at(1.5) + 2000);
  assert.equal(evaluate(rows, [close]).unprotected_rows, 0);
  assert.equal(evaluate(rows.slice(1), [close]).unprotected_rows, 1);
});

test('without rows or archives the result is empty', () => {
  assert.deepEqual(evaluate([], []), { periods: [], unprotected_rows: 0, protected_until: null });
  const result = evaluate(rowsAt(0.5), []);
  assert.deepEqual(
    [states(result), result.unprotected_rows, result.protected_until],
    [['clickhouse'], 1, null],
  );
});

test('a row dated 1970 does not create half a million periods', () => {
  const result = evaluate(
    [{ time: 0, ingested: at(1) }, ...rowsAt(0.5)],
    [evidenceFrom('a', rowsAt(0.5), at(1))],
  );
  assert.deepEqual(
    result.periods.map(({ from, state }) => [from, state]),
    [
      ['1970-01-01T00:00:00.000Z', 'clickhouse'],
      [iso(0), 'both'],
    ],
  );
  assert.equal(result.protected_until, null);
});

test('only a record that is complete and has rows is evidence', () => {
  const record = fakeArchive(1, fakeFractal(1), {
    created_at: '2026-03-01T02:00:00Z',
    time_range_start: '2026-02-01T00:00:00.123Z',
    time_range_end: '2026-03-01T01:59:59Z',
    archive_end_ts: '2026-03-05T00:00:00Z',
    log_count: 10,
  });
  assert.deepEqual(evidenceOf(record), {
    archive_id: record.id,
    from: Date.parse('2026-02-01T00:00:00.123Z'),
    to: Date.parse('2026-03-01T01:59:59.001Z'),
    until: Date.parse('2026-03-01T02:00:00Z'),
    rows: 10,
  });
  assert.ok(evidenceOf({ ...record, status: 'restoring' }));
  for (const given of [
    { status: 'failed' as const },
    { status: 'in_progress' as const },
    { log_count: 0 },
    { time_range_start: null },
    { time_range_start: '2026-03-02T00:00:00Z' },
    { time_range_end: 'infinity' },
  ]) {
    assert.equal(evidenceOf({ ...record, ...given }), undefined, JSON.stringify(given));
  }
});

/** A simulated row, and the archives that have it. */
interface SimulatedRow extends CountedRow {
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

/** Twelve minutes per step: rows arrive and expire, archives are made of the existing rows. */
function simulate(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) {
  const rows: SimulatedRow[] = [];
  const evidence: ArchiveEvidence[] = [];
  let now = START;
  for (const one of steps) {
    now += 12 * MINUTE;
    const present = rows.filter(({ gone }) => !gone);
    if (one.do === 'log' || one.do === 'late') {
      rows.push({ time: now - one.age * MINUTE, ingested: now, in: new Set(), gone: false });
    } else if (one.do === 'expire') {
      for (const row of present) row.gone ||= row.time < now - one.age * MINUTE;
    } else {
      const from = now - one.from * MINUTE;
      const within = present.filter(({ time }) => time >= from && time < from + one.length * MINUTE);
      if (within.length === 0) continue;
      const id = `archive ${evidence.length}`;
      for (const row of within) row.in.add(id);
      evidence.push(evidenceFrom(id, within, now));
    }
  }
  return { rows: rows.filter(({ gone }) => !gone), evidence };
}

test('for any history, exactly the rows in no archive are unprotected', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('hour' as const, 'day' as const),
      (steps, unit) => {
        const { rows, evidence } = simulate(steps);
        const result = evaluate(rows, evidence, unit);
        const unprotected = rows.filter((row) => row.in.size === 0);
        assert.equal(result.unprotected_rows, unprotected.length);
        assert.equal(
          result.periods.reduce((sum, period) => sum + period.rows, 0),
          rows.length,
        );
        for (const period of result.periods) {
          const [from, to] = [Date.parse(period.from), Date.parse(period.to)];
          const inPeriod = unprotected.filter(({ time }) => time >= from && time < to).length;
          assert.equal(period.unprotected_rows, inPeriod, period.from);
          assert.equal(period.state === 'both', period.rows > 0 && inPeriod === 0, period.from);
          assert.equal(
            period.state === 'clickhouse' || period.state === 'partial',
            inPeriod > 0,
            period.from,
          );
        }
        const until = Date.parse(result.protected_until ?? iso(-1e4));
        for (const { time } of unprotected) assert.ok(time >= until);
      },
    ),
    { numRuns: 400 },
  );
});

test('periods follow each other without gap or overlap', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom('hour' as const, 'day' as const),
      (steps, unit) => {
        const { rows, evidence } = simulate(steps);
        const { periods } = evaluate(rows, evidence, unit);
        for (const [index, { to }] of periods.entries()) {
          assert.equal(periods[index + 1]?.from ?? to, to);
        }
        for (const { from, to } of evidence) {
          assert.ok(Date.parse(periods[0]?.from ?? '') <= from);
          assert.ok(Date.parse(periods.at(-1)?.to ?? '') >= to);
        }
      },
    ),
  );
});

test('pieces cover all archived time, each with the newest archive', () => {
  const span = fc.record({
    from: fc.nat(50),
    length: fc.integer({ min: 1, max: 30 }),
    until: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(span, { maxLength: 12 }), (spans) => {
      const evidence = spans.map(({ from, length, until }, index) => ({
        archive_id: String(index),
        from,
        to: from + length,
        until,
        rows: 1,
      }));
      const pieces = cutPieces(evidence);
      for (let time = 0; time < 90; time++) {
        const covering = evidence.filter(({ from, to }) => from <= time && time < to);
        const piece = pieces.findLast(({ from }) => from <= time);
        const newest = covering.length > 0 ? Math.max(...covering.map(({ until }) => until)) : null;
        assert.equal(piece?.until ?? null, newest);
      }
    }),
  );
});
