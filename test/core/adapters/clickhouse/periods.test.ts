import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import type { BifractError } from '../../../../src/core/contract/errors.ts';
import { GRIDS, periodAt } from '../../../../src/core/policy/periods.ts';
import type { RowKey } from '../../../../src/core/ports/log-database.ts';
import { faultyProxy } from '../../../helpers/faulty-proxy.ts';
import { testServices } from '../../../helpers/services.ts';
import { collectLines } from '../../../helpers/streams.ts';

const services = await testServices();
const logs = await connectClickHouse({ ...services.clickhouse, cluster: undefined });
after(() => logs.close());

const FRACTAL = 'f-periods';
const TIMES = [
  '1970-01-01T00:00:00.000Z',
  '1970-01-04T23:59:59.999Z',
  '1970-01-05T00:00:00.000Z',
  '2026-02-28T23:59:59.999Z',
  '2026-03-01T00:00:00.000Z',
  '2026-03-01T00:00:00.000Z',
  '2026-03-01T00:59:59.999Z',
  '2026-03-08T23:59:59.999Z',
  '2026-03-09T00:00:00.000Z',
  '2100-12-31T23:59:59.999Z',
];
await services.ch(
  `INSERT INTO logs (timestamp, raw_log, log_id, fractal_id) ${TIMES.map(
    (time, row) =>
      `SELECT fromUnixTimestamp64Milli(toInt64(${Date.parse(time)})), 'line ${row}', 'id ${row % 3}', '${FRACTAL}'`,
  ).join(' UNION ALL ')}`,
);

test('rows are counted by hour, day and week in UTC, from 1970 to 2100', async () => {
  for (const split of ['hour', 'day', 'week'] as const) {
    const wanted = Map.groupBy(TIMES, (time) => periodAt(split, time).from);
    assert.deepEqual(
      await logs.periods({ fractal_id: FRACTAL }, GRIDS[split]),
      [...wanted].map(([start, times]) => ({
        start,
        rows: times.length,
        first: times[0],
        last: times.at(-1),
      })),
    );
  }
});

test('a window truncates the first and last period', async () => {
  const window = { fractal_id: FRACTAL, from: '2026-03-01T00:30:00Z', to: '2026-03-08T23:59:59.999Z' };
  assert.deepEqual(await logs.periods(window, GRIDS.day), [
    {
      start: '2026-03-01T00:00:00.000Z',
      rows: 1,
      first: '2026-03-01T00:59:59.999Z',
      last: '2026-03-01T00:59:59.999Z',
    },
  ]);
});

test('reading starts at a key, in both formats, with all rows that have it', async () => {
  const all = await rawsFrom(true);
  const start = {
    ms: String(Date.parse('2026-03-01T00:00:00.000Z')),
    id: Buffer.from('id 1').toString('hex'),
  };
  for (const fields of [true, false]) {
    for (const low_memory of [true, false]) {
      assert.deepEqual(await rawsFrom(fields, start, low_memory), all.slice(all.indexOf('line 4')));
    }
  }
});

async function rawsFrom(fields: boolean, start?: RowKey, low_memory = false): Promise<string[]> {
  const { bytes } = await collectLines(
    logs.lines({ fractal_id: FRACTAL }, { fields, start, low_memory: low_memory }),
  );
  return bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { raw: string }).raw);
}

test('a count with a broken response fails with a transient error and can be repeated', async () => {
  const proxy = await faultyProxy(services.clickhouse.url);
  const other = await connectClickHouse({ ...services.clickhouse, url: proxy.url, cluster: undefined });
  for (const style of ['busy', 'gateway', 'reset', 'frame', 'text', 'json', 'cut'] as const) {
    for (const after_bytes of [0, 5]) {
      proxy.fault = { style, after_bytes };
      for (const ask of [
        () => other.stats({ fractal_id: FRACTAL }),
        () => other.periods({ fractal_id: FRACTAL }, GRIDS.hour),
      ]) {
        await assert.rejects(ask, (error: BifractError) => {
          assert.ok(error.transient, `${style} after ${after_bytes}: ${error.message}`);
          return ['QUERY_FAILED', 'CLICKHOUSE_UNREACHABLE'].includes(error.code);
        });
      }
    }
  }
  proxy.fault = undefined;
  assert.equal((await other.stats({ fractal_id: FRACTAL })).rows, TIMES.length);
  await other.close();
});
