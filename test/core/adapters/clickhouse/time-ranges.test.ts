import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LineSource, Query } from '../../../../src/core/adapters/clickhouse/queries.ts';
import type { ClickHouseSession } from '../../../../src/core/adapters/clickhouse/session.ts';
import {
  RangeSize,
  type StartedWindow,
  timeRanges,
} from '../../../../src/core/adapters/clickhouse/time-ranges.ts';
import { firstMillisecond } from '../../../../src/core/policy/row-range.ts';

const SOURCE: LineSource = {
  logs: 'logs',
  raw: undefined,
  order: 'timestamp, log_id',
  fields: true,
  other: { norm_log: false, columns: [] },
};

/** Answers for a table with rows of these times, more of which may arrive with each query. */
function serverWith(times: number[], arriving: number[] = []): ClickHouseSession {
  const session: Pick<ClickHouseSession, 'rows'> = {
    async rows<Row>({ params }: Query): Promise<Row[]> {
      const {
        from = Number.NEGATIVE_INFINITY,
        to = Infinity,
        every,
        limit,
      } = params as Record<string, number>;
      const found = times.filter((ms) => ms >= from && ms < to).slice(0, limit);
      const borders = found.filter((_, at) => at % Number(every) === Number(every) - 1);
      times.push(...arriving.splice(0, 3));
      times.sort((a, b) => a - b);
      return borders.map((ms) => ({ ms }) as Row);
    },
  };
  return session as ClickHouseSession;
}

async function rangesOf(window: StartedWindow, session: ClickHouseSession, rows: number) {
  const size = new RangeSize();
  size.rows = rows;
  const ranges: StartedWindow[] = [];
  for await (const range of timeRanges(session, SOURCE, window, size, {})) ranges.push(range);
  return ranges;
}

/** Whether a query of the range has a row of this time; with a start, if its key is not before that. */
function has({ from, to, start }: StartedWindow, ms: number, id: string): boolean {
  return (
    (from === undefined || ms >= firstMillisecond(from)) &&
    (to === undefined || ms < firstMillisecond(to)) &&
    (start === undefined || ms > Number(start.ms) || (ms === Number(start.ms) && id >= start.id))
  );
}

const BASE = Date.UTC(2026, 2, 1);
/** Few different times: most rows share theirs with others. */
const time = fc.nat(60).map((offset) => BASE + offset);
const text = time.map((ms) => new Date(ms).toISOString());
const finer = text.map((iso) => iso.replace('Z', '4Z'));
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

test('each row of a window is in one range, in order, also if rows share their time or arrive meanwhile', async () => {
  let several = 0;
  const property = fc.asyncProperty(
    fc.array(time, { minLength: 100, maxLength: 300 }),
    fc.array(time, { maxLength: 20 }),
    sometimes(fc.oneof(text, finer)),
    sometimes(text),
    sometimes(fc.record({ ms: time.map(String), id: fc.constantFrom('31', '35', '39') })),
    fc.integer({ min: 1, max: 40 }),
    async (rows, arriving, from, to, start, every) => {
      const window = { fractal_id: 'f', from, to, start };
      const session = serverWith(
        rows.toSorted((a, b) => a - b),
        [...arriving],
      );
      const ranges = await rangesOf(window, session, every);
      for (const ms of [...rows, ...arriving])
        for (const id of ['30', '35', '3a']) {
          const found = ranges.filter((range) => has(range, ms, id)).length;
          assert.equal(found, has(window, ms, id) ? 1 : 0, JSON.stringify({ window, ranges, ms, id }));
        }
      const starts = ranges.slice(1).map((range) => Date.parse(range.from ?? ''));
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      );
      if (ranges.length > 3) several++;
    },
  );
  await fc.assert(property, { numRuns: 150 });
  assert.ok(several > 20, String(several));
});

test('more rows of the same time than ranges have room for are one range, and those after it are others', async () => {
  const times = [...Array(1000).fill(BASE), ...Array.from({ length: 100 }, (_, row) => BASE + 1 + row)];
  const ranges = await rangesOf({ fractal_id: 'f' }, serverWith(times), 10);
  assert.ok(ranges.length >= 10, String(ranges.length));
  const counts = ranges.map((range) => times.filter((ms) => has(range, ms, '30')).length);
  assert.equal(counts.filter((count) => count > 10).length, 1);
});

test('lines of some MB make ranges of few rows, short ones of many', async () => {
  const size = new RangeSize();
  const measured = async (bytes: number, lines: number) => {
    const blocks = async function* () {
      yield { bytes: Buffer.alloc(bytes), lines, free: () => undefined };
    };
    for await (const _ of size.measure(blocks()));
    return size.rows;
  };
  const many = await measured(1 << 20, 8192);
  const few = await measured(64 << 20, 16);
  assert.ok(few < many && few >= 1000, `${few} ${many}`);
});
