import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  activeStatementsQuery,
  CLOUD,
  type Dialect,
  dialectOf,
  SINGLE_SERVER,
  syncQuery,
} from '../../../../src/core/adapters/clickhouse/cluster.ts';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { connectLogRestore } from '../../../../src/core/adapters/clickhouse/log-restore.ts';
import {
  attachQuery,
  clonePartitionsQuery,
  countExcessQuery,
  countQuery,
  countUntilQuery,
  createQuery,
  dropQuery,
  insertAbsentQuery,
  insertExcessQuery,
  insertSliceQuery,
  minutesQuery,
  partitionsQuery,
  removeUntilQuery,
  tablesQuery,
} from '../../../../src/core/adapters/clickhouse/restore-queries.ts';
import { RestoreLineEncoder } from '../../../../src/core/format/index.ts';
import type { LogsShape } from '../../../../src/core/ports/installation-shape.ts';
import { logRestoreContract } from '../../../contracts/log-restore.ts';
import { LOGS_SHAPE } from '../../../helpers/fake-ports.ts';
import { testServices } from '../../../helpers/services.ts';

const SCHEMA: LogsShape = { ...LOGS_SHAPE, engine: 'ReplicatedMergeTree' };
const PART = {
  table: 's_x',
  first: '2026-03-01T00:00:00Z',
  last: '2026-03-02T00:00:00Z',
  fractal_id: 'f',
};
const SLICE = { from_ms: 0, to_ms: 1, bucket: 0, buckets: 1 };
const WINDOW = { fractal_id: 'f' };

/** Every statement that reads or changes rows. */
function statements(dialect: Dialect): Record<string, string> {
  const all = {
    create: createQuery('s_x', SCHEMA, dialect),
    count: countQuery('s_x', dialect),
    partitions: partitionsQuery('s_x', SCHEMA, dialect),
    minutes: minutesQuery(PART, dialect),
    absent: insertAbsentQuery(PART, SLICE, 'd_x', SCHEMA, dialect),
    overCount: countExcessQuery(PART, SLICE, SCHEMA, dialect),
    excess: insertExcessQuery(PART, SLICE, 'd_x', SCHEMA, dialect),
    share: clonePartitionsQuery('s_x', 'd_x', ['202603'], dialect),
    attach: dialect.inserts
      ? insertSliceQuery('s_x', ['202603'], SLICE, SCHEMA, dialect)
      : attachQuery('s_x', ['202603']),
    countUntil: countUntilQuery(WINDOW, 1, dialect),
    removeUntil: removeUntilQuery(WINDOW, 1, dialect),
    tables: tablesQuery('s_', dialect),
    drop: dropQuery('s_x', dialect),
    working: activeStatementsQuery('s_x', dialect),
  };
  return Object.fromEntries(Object.entries(all).map(([name, { sql }]) => [name, sql.replace(/\s+/g, ' ')]));
}

test('on a cluster, statements read from all nodes and change tables on all nodes', () => {
  const cluster = statements(dialectOf({ cluster: 'main' }));
  const staged = "clusterAllReplicas('main', currentDatabase(), 's_x')";
  for (const [name, sql] of Object.entries(cluster)) {
    if (name === 'share' || name === 'removeUntil') continue;
    assert.doesNotMatch(sql, /(FROM|JOIN) (s_x|d_x|logs)\b(?!_)/, `${name} reads a single node`);
  }
  for (const name of ['create', 'share', 'removeUntil', 'drop'])
    assert.match(cluster[name] ?? '', / ON CLUSTER `main` /);
  for (const name of ['count', 'partitions', 'minutes', 'absent', 'overCount', 'excess', 'attach'])
    assert.ok(cluster[name]?.includes(staged), name);
  for (const name of ['minutes', 'absent', 'overCount', 'excess', 'countUntil'])
    assert.match(cluster[name] ?? '', /FROM logs_distributed WHERE/);
  assert.match(cluster.attach ?? '', /^INSERT INTO logs_distributed \(/);
  for (const name of ['absent', 'excess'])
    assert.doesNotMatch(cluster[name] ?? '', /(?<!GLOBAL )(?<!GLOBAL NOT )(?<!NOT )\bIN \(/, name);
  assert.match(cluster.absent ?? '', /GLOBAL NOT IN \(SELECT/);
  for (const name of ['tables', 'working'])
    assert.match(cluster[name] ?? '', /FROM clusterAllReplicas\('main', system\./);
  for (const sql of Object.values(cluster)) assert.doesNotMatch(sql, /_partition_id/);
  assert.equal(syncQuery(dialectOf({ cluster: 'main' })).sql, 'SYSTEM SYNC REPLICA ON CLUSTER `main` logs');
});

test('on a single server, no statement mentions a cluster', () => {
  for (const sql of Object.values(statements(SINGLE_SERVER)))
    assert.doesNotMatch(sql, /cluster|GLOBAL|distributed/i);
  assert.deepEqual(dialectOf({ cluster: undefined }), SINGLE_SERVER);
});

test('a cluster name is quoted', () => {
  const odd = dialectOf({ cluster: "ma`in' \\" });
  assert.equal(odd.onCluster, " ON CLUSTER `ma\\`in' \\\\`");
  assert.equal(odd.allNodes('x'), "clusterAllReplicas('ma`in\\' \\\\', x)");
});

/** A single server as a cluster: the same statements without the clauses that need a cluster. */
const STAND_IN: Dialect = {
  logs: 'logs_distributed',
  allShards: (table) => table,
  allNodes: (table) => table,
  onCluster: '',
  global: 'GLOBAL ',
  cluster: 'main',
  inserts: true,
  settings: {},
};
/** A single server as the cloud. */
const CLOUD_STAND_IN: Dialect = { ...CLOUD, allNodes: (table) => table };
const services = await testServices();
const { url, user, password, database } = services.clickhouse;
const connection = { url, user, password, database, cluster: 'main' };
await services.ch("CREATE TABLE logs_distributed ENGINE = Alias('logs')");
const logs = await connectClickHouse(connection);
const restores = {
  cluster: await connectLogRestore(connection, STAND_IN),
  cloud: await connectLogRestore(connection, CLOUD_STAND_IN),
};
after(() => Promise.all([logs, restores.cluster, restores.cloud].map((one) => one.close())));

async function* linesOf(fractal_id: string): AsyncGenerator<Buffer> {
  const lines = new RestoreLineEncoder(undefined);
  for await (const { bytes } of logs.lines({ fractal_id }, { fields: true }))
    yield* lines.take(Buffer.from(bytes)).pieces;
}

const ROWS = `SELECT toUnixTimestamp64Milli(timestamp), raw_log, log_id, toJSONString(fields), toUnixTimestamp64Milli(ingest_timestamp)
  FROM logs WHERE fractal_id = {fractal:String} ORDER BY ALL FORMAT TSV`;

for (const [name, restore] of Object.entries(restores))
  test(`rows are restored by inserts exactly once, even if repeated: ${name}`, async () => {
    await services.ch('TRUNCATE TABLE logs');
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
      const to = `d_${round}`;
      await restore.create(to);
      const [first, last] = [partitions[0]?.first ?? '', partitions.at(-1)?.last ?? ''];
      await restore.insertMissing({ table: 's_web', first, last, fractal_id: 'web' }, to);
      const missing = await restore.partitions(to);
      const added = missing.reduce((sum, { rows }) => sum + rows, 0);
      if (added > 0)
        await restore.attach(
          to,
          missing.map(({ id }) => id),
        );
      await restore.drop(to);
      assert.equal(added > 0, round === 1);
      assert.equal(await services.ch(ROWS, { fractal: 'web' }), before);
    }
    assert.deepEqual(await restore.tables('d_'), []);
    await restore.drop('s_web');
  });

test('in the cloud, no statement needs a cluster or a storage policy, and none attaches to the logs', () => {
  const cloud = statements(CLOUD);
  for (const sql of Object.values(cloud))
    assert.doesNotMatch(sql, /ON CLUSTER|GLOBAL|distributed|storage_policy/i);
  assert.match(cloud.attach ?? '', /^INSERT INTO logs /);
  assert.match(cloud.working ?? '', /FROM clusterAllReplicas\('default', system\.processes\)/);
  assert.equal(dialectOf({ cluster: undefined, cloud: true }), CLOUD);
});

logRestoreContract('ClickHouse cluster', async () => {
  const other = await testServices();
  await other.ch("CREATE TABLE logs_distributed ENGINE = Alias('logs')");
  const connection = { ...other.clickhouse, cluster: 'main' };
  return {
    restore: await connectLogRestore(connection, STAND_IN),
    logs: await connectClickHouse(connection),
  };
});
