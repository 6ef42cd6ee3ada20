import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connectClickHouse } from '../../../src/core/adapters/clickhouse.ts';
import {
  ALONE,
  type Forms,
  formsOf,
  syncQuery,
  workingQuery,
} from '../../../src/core/adapters/clickhouse-cluster.ts';
import { connectLogRestore } from '../../../src/core/adapters/clickhouse-restore.ts';
import {
  absentQuery,
  attachQuery,
  countQuery,
  countUntilQuery,
  createQuery,
  dropQuery,
  excessQuery,
  type LogsShape,
  minutesQuery,
  partitionsQuery,
  removeUntilQuery,
  shareQuery,
  surplusQuery,
  tablesQuery,
} from '../../../src/core/adapters/clickhouse-restore-query.ts';
import { RestoreLines } from '../../../src/core/format/index.ts';
import { testServices } from '../../helpers/services.ts';

const SHAPE: LogsShape = {
  partition_key: 'toYYYYMM(timestamp)',
  sorting_key: 'fractal_id, timestamp, log_id',
  primary_key: 'fractal_id, timestamp, log_id',
  storage_policy: 'default',
  fields: 'JSON(max_dynamic_paths=1024)',
  engine: 'ReplicatedMergeTree',
};
const PART = {
  table: 's_x',
  partition: { id: '202603', rows: 5, first: '2026-03-01T00:00:00Z', last: '2026-03-02T00:00:00Z' },
  fractal_id: 'f',
};
const SLICE = { from_ms: 0, to_ms: 1, share: 0, shares: 1 };
const WINDOW = { fractal_id: 'f' };

/** Every statement that reads or changes rows. */
function statements(forms: Forms): Record<string, string> {
  const all = {
    create: createQuery('s_x', SHAPE, forms),
    count: countQuery('s_x', forms),
    partitions: partitionsQuery('s_x', SHAPE, forms),
    minutes: minutesQuery(PART, SHAPE, forms),
    absent: absentQuery(PART, SLICE, 'd_x', SHAPE, forms),
    surplus: surplusQuery(PART, SLICE, SHAPE, forms),
    excess: excessQuery(PART, SLICE, 'd_x', SHAPE, forms),
    share: shareQuery('s_x', 'd_x', '202603', forms),
    attach: attachQuery('s_x', '202603', SHAPE, forms),
    countUntil: countUntilQuery(WINDOW, 1, forms),
    removeUntil: removeUntilQuery(WINDOW, 1, forms),
    tables: tablesQuery('s_', forms),
    drop: dropQuery('s_x', forms),
    working: workingQuery('s_x', forms),
  };
  return Object.fromEntries(Object.entries(all).map(([name, { sql }]) => [name, sql.replace(/\s+/g, ' ')]));
}

test('on a cluster every statement reads from all nodes, and changes tables on all of them', () => {
  const own = statements(formsOf('main'));
  const staged = "clusterAllReplicas('main', currentDatabase(), 's_x')";
  for (const [name, sql] of Object.entries(own)) {
    if (name === 'share' || name === 'removeUntil') continue;
    assert.doesNotMatch(sql, /(FROM|JOIN) (s_x|d_x|logs)\b(?!_)/, `${name} reads one node`);
  }
  for (const name of ['create', 'share', 'removeUntil', 'drop'])
    assert.match(own[name] ?? '', / ON CLUSTER `main` /);
  for (const name of ['count', 'partitions', 'minutes', 'absent', 'surplus', 'excess', 'attach'])
    assert.ok(own[name]?.includes(staged), name);
  for (const name of ['minutes', 'absent', 'surplus', 'excess', 'countUntil'])
    assert.match(own[name] ?? '', /FROM logs_distributed WHERE/);
  assert.match(own.attach ?? '', /^INSERT INTO logs_distributed \(/);
  for (const name of ['absent', 'excess'])
    assert.doesNotMatch(own[name] ?? '', /(?<!GLOBAL )(?<!GLOBAL NOT )(?<!NOT )\bIN \(/, name);
  assert.match(own.absent ?? '', /GLOBAL NOT IN \(SELECT/);
  for (const name of ['tables', 'working'])
    assert.match(own[name] ?? '', /FROM clusterAllReplicas\('main', system\./);
  for (const sql of Object.values(own)) assert.doesNotMatch(sql, /_partition_id/);
  assert.equal(syncQuery(formsOf('main')).sql, 'SYSTEM SYNC REPLICA ON CLUSTER `main` logs');
});

test('on one server no statement speaks of a cluster', () => {
  for (const sql of Object.values(statements(ALONE))) assert.doesNotMatch(sql, /cluster|GLOBAL|distributed/i);
  assert.deepEqual(formsOf(undefined), ALONE);
});

test('the name of a cluster can be anything, and ends no statement', () => {
  const odd = formsOf("ma`in' \\");
  assert.equal(odd.on, " ON CLUSTER `ma\\`in' \\\\`");
  assert.equal(odd.nodes('x'), "clusterAllReplicas('ma`in\\' \\\\', x)");
});

/** One server in the place of a cluster: the same statements, but for those words that need one. */
const STAND_IN: Forms = {
  logs: 'logs_distributed',
  all: (table) => table,
  nodes: (table) => table,
  on: '',
  global: 'GLOBAL ',
  cluster: 'main',
};
const services = await testServices();
const { url, user, password, database } = services.clickhouse;
const connection = { url, user, password, database, cluster: 'main' };
await services.ch("CREATE TABLE logs_distributed ENGINE = Alias('logs')");
const logs = await connectClickHouse(connection);
const restore = await connectLogRestore(connection, STAND_IN);
after(() => Promise.all([logs.close(), restore.close()]));

async function* linesOf(fractal_id: string): AsyncGenerator<Buffer> {
  const lines = new RestoreLines(undefined);
  for await (const { bytes } of logs.lines({ fractal_id }, { fields: true }))
    yield* lines.take(Buffer.from(bytes)).pieces;
}

const ROWS = `SELECT toUnixTimestamp64Milli(timestamp), raw_log, log_id, toJSONString(fields), toUnixTimestamp64Milli(ingest_timestamp)
  FROM logs WHERE fractal_id = {fractal:String} ORDER BY ALL FORMAT TSV`;

test('rows come back by inserts into the distributed table, each once, however often it is tried', async () => {
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id) SELECT
       fromUnixTimestamp64Milli(toInt64(1769900000000 + number * 10000000)), concat('line ', toString(number % 400)), toString(number % 400),
       concat('{"n":', toString(number), '}'), 'web' FROM numbers(500)`,
  );
  const before = await services.ch(ROWS, { fractal: 'web' });
  await restore.create('s_web');
  await restore.load('s_web', 'web', linesOf('web'));
  await services.ch("DELETE FROM logs WHERE fractal_id = 'web' AND log_id < '3'");
  const partitions = await restore.partitions('s_web');
  assert.equal(partitions.length, 3);
  assert.equal(
    partitions.reduce((sum, { rows }) => sum + rows, 0),
    500,
  );
  for (const round of [1, 2]) {
    let added = 0;
    for (const partition of partitions) {
      const to = `d_${round}_${partition.id}`;
      await restore.create(to);
      await restore.difference({ table: 's_web', partition, fractal_id: 'web' }, to);
      added += await restore.count(to);
      await restore.attach(to, partition.id);
      await restore.drop(to);
    }
    assert.equal(added > 0, round === 1);
    assert.equal(await services.ch(ROWS, { fractal: 'web' }), before);
  }
  assert.deepEqual(await restore.tables('d_'), []);
  await restore.drop('s_web');
});
