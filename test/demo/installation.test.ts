import assert from 'node:assert/strict';
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Demo, startDemo } from '../../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';

let demo: Demo;
const steps: string[] = [];
before(async () => {
  demo = await startDemo({ generation: 'A', onStep: (what) => steps.push(what) });
});
after(() => demo.stop());

const ch = (sql: string): Promise<string> => queryClickhouse(demo.clickhouse, 'logs', sql);
const sql = (text: string): Promise<Record<string, string>[]> => queryPostgres(demo.postgres, text);

async function table(query: string): Promise<Record<string, string>[]> {
  const text = await ch(`${query} FORMAT JSONStringsEachRow`);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

test('the installation is private, and its .env is complete', async () => {
  const mode = async (path: string) => (await stat(join(demo.dir, path))).mode & 0o777;
  assert.deepEqual([await mode('.'), await mode('.env'), await mode('backups')], [0o700, 0o600, 0o700]);
  const env = await readFile(join(demo.dir, '.env'), 'utf8');
  assert.match(env, /^BIFRACT_BACKUP_ENCRYPTION_KEY=[0-9a-f]{64}$/m);
  assert.match(env, new RegExp(`^POSTGRES_PORT=${demo.postgres.port}$`, 'm'));
  assert.match(env, new RegExp(`^CLICKHOUSE_URL=${demo.clickhouse_url}$`, 'm'));
  assert.deepEqual(steps.map((step) => step.split(' ')[0]).sort(), ['387,000', 'ClickHouse', 'PostgreSQL']);
});

test('the statistics of the fractals match ClickHouse', async () => {
  const fractals = await sql('SELECT * FROM fractals ORDER BY id');
  const stored = await table(
    `SELECT fractal_id, count() AS rows, sum(length(raw_log)) AS bytes, toString(max(timestamp)) AS last
     FROM logs GROUP BY 1 ORDER BY 1`,
  );
  const filled = fractals.filter(({ log_count }) => log_count !== '0');
  assert.deepEqual(
    filled.map(({ id, log_count, size_bytes }) => [id, log_count, size_bytes]),
    stored.map(({ fractal_id, rows, bytes }) => [fractal_id, rows, bytes]),
  );
  for (const [index, { latest_log = '' }] of filled.entries()) {
    assert.equal(Date.parse(`${latest_log}Z`), Date.parse(`${stored[index]?.last}Z`));
  }
  assert.deepEqual(
    [fractals.length - filled.length, fractals.filter((f) => f.is_system === 't').length],
    [1, 1],
  );
  assert.equal(
    demo.rows,
    filled.reduce((sum, { log_count }) => sum + Number(log_count), 0),
  );
  assert.ok(demo.rows > 120_000);
});

test('every filled fractal has difficult rows', async () => {
  const found = await table(
    `SELECT fractal_id, count() - uniqExact(timestamp, log_id) AS twice, countIf(NOT isValidUTF8(raw_log)) AS invalid,
       countIf(position(raw_log, '\\0') > 0) AS nul, countIf(position(raw_log, '\\n') > 0) AS lines,
       countIf(match(raw_log, '[^\\\\x00-\\\\x7f]') AND isValidUTF8(raw_log)) AS unicode,
       min(timestamp) > now() - INTERVAL 31 DAY AND max(timestamp) < now() AS recent
     FROM logs WHERE fractal_id IN (SELECT fractal_id FROM logs GROUP BY 1 HAVING count() > 10000) GROUP BY 1`,
  );
  assert.equal(found.length, 5);
  for (const { fractal_id, recent, ...counts } of found) {
    assert.equal(recent, '1');
    for (const [what, count] of Object.entries(counts))
      assert.ok(Number(count) > 0, `${fractal_id}: ${what}`);
  }
  const types = await ch('SELECT arrayJoin(distinctJSONPathsAndTypes(fields)) AS t FROM logs');
  for (const type of ['Int64', 'Float64', 'Bool', 'String', 'Array(']) assert.ok(types.includes(type), type);
});

test('every PostgreSQL table except those of archives has rows', async () => {
  const names = await sql(
    "SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace",
  );
  const empty: string[] = [];
  for (const { name = '' } of names) {
    const [row] = await sql(`SELECT count(*) AS n FROM ${name}`);
    if (row?.n === '0') empty.push(name);
  }
  assert.deepEqual(empty.sort(), ['archive_groups', 'archives']);
});

test('the same seed generates the same rows, another seed others', async () => {
  const spec = {
    kind: 'mixed' as const,
    rows: 6_000,
    from: new Date('2026-03-01'),
    to: new Date('2026-03-02'),
  };
  const cases = [
    ['one', 7],
    ['two', 7],
    ['other', 8],
  ] as const;
  for (const [fractal_id, seed] of cases)
    await seedRows(demo.clickhouse, 'logs', { ...spec, fractal_id, seed });
  const digest = async (id: string) =>
    ch(`SELECT count(), min(timestamp) >= toDateTime64('2026-03-01', 3), max(timestamp) < toDateTime64('2026-03-02', 3),
      groupBitXor(sipHash64(timestamp, raw_log, log_id, toString(fields), ingest_timestamp)) FROM logs WHERE fractal_id = '${id}'`);
  const [one, two, other] = await Promise.all(cases.map(([id]) => digest(id)));
  assert.match(one ?? '', /^6000\t1\t1\t/);
  assert.equal(one, two);
  assert.notEqual(one, other);
});

test('stop leaves nothing behind', async () => {
  await demo.stop();
  await assert.rejects(access(join(demo.dir, '..')), { code: 'ENOENT' });
  await assert.rejects(sql('SELECT 1'));
  await assert.rejects(ch('SELECT 1'));
});

test('an aborted start cleans up and throws the reason', async () => {
  const reason = new Error('enough');
  for (const stop_at of ['ClickHouse', 'PostgreSQL']) {
    const ending = new AbortController();
    const onStep = (what: string) => what.startsWith(stop_at) && ending.abort(reason);
    await assert.rejects(startDemo({ generation: 'A', onStep, signal: ending.signal }), reason);
  }
});
