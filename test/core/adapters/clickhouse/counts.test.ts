import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { GRIDS } from '../../../../src/core/policy/periods.ts';
import { type CountedRow, countRows } from '../../../helpers/count-rows.ts';
import { testServices } from '../../../helpers/services.ts';

const services = await testServices();
const logs = await connectClickHouse({ ...services.clickhouse, cluster: undefined });
after(() => logs.close());

const START = Date.UTC(2026, 2, 1, 22);
const MINUTE = 60_000;
/** Irregular and equal times, and extremes. */
const ROWS: CountedRow[] = Array.from({ length: 300 }, (_, index) => ({
  time: START + ((index * 7919) % 600) * MINUTE,
  ingested: START + ((index * 104_729) % 900) * MINUTE,
}));
ROWS.push({ time: 0, ingested: START }, { time: -5, ingested: START }, { time: START + 1e11, ingested: 0 });

await services.ch(
  `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id, ingest_timestamp)
   SELECT fromUnixTimestamp64Milli(r.1), 'line', 'id', f, fromUnixTimestamp64Milli(r.2)
   FROM (SELECT arrayJoin([${ROWS.map(({ time, ingested }) => `(toInt64(${time}), toInt64(${ingested}))`).join(',')}]) AS r)
   AS a CROSS JOIN (SELECT arrayJoin(['counted', 'other']) AS f) AS b`,
);

test('rows are counted by period and span like in the reference implementation', async () => {
  const span = fc.record({ from: fc.nat(700), until: fc.option(fc.nat(1000), { nil: null }) });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(span, { maxLength: 8, selector: ({ from }) => from }),
      fc.constantFrom('hour' as const, 'day' as const, 'week' as const),
      async (some, split) => {
        const spans = some
          .sort((a, b) => a.from - b.from)
          .map(({ from, until }) => ({
            from: START + (from - 50) * MINUTE,
            until: until === null ? null : START + until * MINUTE,
          }));
        const query = { fractal_id: 'counted', grid: GRIDS[split], spans, doubt_ms: 20 * MINUTE };
        assert.deepEqual(await logs.countsByPeriod(query), countRows(ROWS, query));
      },
    ),
    { numRuns: 30 },
  );
});

test('twenty thousand archives can be counted', async () => {
  const spans = Array.from({ length: 40_000 }, (_, index) => ({
    from: START + index * 1000,
    until: START + index,
  }));
  const query = { fractal_id: 'counted', grid: GRIDS.hour, spans, doubt_ms: 1000 };
  assert.deepEqual(await logs.countsByPeriod(query), countRows(ROWS, query));
});
