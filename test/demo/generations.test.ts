import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedDemo } from '../../bin/demo/seed.ts';
import { testServices } from '../helpers/services.ts';

for (const generation of ['D', 'F', 'H'] as const) {
  test(`release ${generation}: the data is as that server writes it`, async () => {
    const { postgres, clickhouse, sql, ch } = await testServices(generation);
    const target = { postgres, clickhouse, logs_database: clickhouse.database, generation };
    const rows = await seedDemo(target, { scale: 0.02 });
    const one = async <Row>(query: string) => JSON.parse(await ch(`${query} FORMAT JSONEachRow`)) as Row;

    const [counted, histogram] = [
      await one<{ n: number; typed: number }>(
        `SELECT toInt32(count()) AS n, toInt32(countIf(fields.user != '')) AS typed FROM logs`,
      ),
      await one<{ n: number }>('SELECT toInt32(sum(cnt)) AS n FROM logs_histogram'),
    ];
    assert.deepEqual([counted.n, histogram.n], [rows, rows]);
    assert.ok(counted.typed > rows / 5);
    const [fractals] = await sql('SELECT sum(log_count) AS rows, min(earliest_log) AS first FROM fractals');
    assert.equal(fractals?.rows, String(rows));

    const hot = await one<{ n: number; old: number }>(
      'SELECT toInt32(count()) AS n, toInt32(countIf(ingest_timestamp < now() - INTERVAL 5 HOUR)) AS old FROM logs_hot',
    );
    assert.ok(hot.n > 0 && hot.old === 0, JSON.stringify(hot));
    if (generation < 'F') return;
    const text = await one<{ other: number; normalized: number }>(
      `SELECT toInt32(countIf(norm_log != toString(fields))) AS other, toInt32(countIf(normalizer LIKE '%@%')) AS normalized FROM logs`,
    );
    assert.equal(text.other, 0);
    assert.ok(text.normalized > rows / 2 && text.normalized < rows);
    if (generation < 'G') return;
    const raw = await one<{ n: number; old: number; unknown: number }>(
      `SELECT toInt32(count()) AS n, toInt32(countIf(timestamp < now() - INTERVAL 8 DAY)) AS old,
         toInt32(countIf((timestamp, log_id) NOT IN (SELECT timestamp, log_id FROM logs))) AS unknown FROM logs_raw`,
    );
    assert.ok(raw.n > rows / 6 && raw.n < rows / 3, JSON.stringify(raw));
    assert.deepEqual([raw.old, raw.unknown], [0, 0]);
    const edges = await one<{ n: number }>('SELECT toInt32(count()) AS n FROM process_edges');
    assert.ok(edges.n > 0);
  });
}
