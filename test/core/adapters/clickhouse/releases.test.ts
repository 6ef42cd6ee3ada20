import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { createLogsTables, type Generation } from '../../../../bin/demo/generations.ts';
import { queryClickhouse } from '../../../../bin/demo/query.ts';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { connectLogRestore } from '../../../../src/core/adapters/clickhouse/log-restore.ts';
import { RestoreLineEncoder, RowDigester } from '../../../../src/core/format/index.ts';
import { differingRanges } from '../../../../src/core/policy/row-digests.ts';
import type { LogDatabase } from '../../../../src/core/ports/log-database.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';
import { collectLines } from '../../../helpers/streams.ts';

const ROWS = 1_500;
const NOW = Math.floor(Date.now() / 60_000) * 60_000;
const DAY_MS = 86_400_000;
/** Original lines are kept for 7 days: those of rows from this one on are kept. */
const KEPT = 1_000;

const services = await testServices();
const { user, password, url } = services.clickhouse;
const direct = await relayClickhouse(url);
const noNative = await relayClickhouse(url, (sql) => (sql.endsWith('FORMAT Native') ? 115 : undefined));
after(async () => {
  for (const [generation, made] of databases) {
    const { native, text } = await made;
    await Promise.all([native.close(), text.close()]);
    const database = `${services.clickhouse.database}_${generation}`;
    await queryClickhouse(services.clickhouse, 'default', `DROP DATABASE ${database} SYNC`);
  }
  await Promise.all([noNative.close(), direct.close()]);
});

interface Filled {
  native: LogDatabase;
  text: LogDatabase;
}

const databases = new Map<Generation, Promise<Filled>>();

/** A database with the tables of a release and rows over 20 days, most of which are older than the original lines. */
function filled(generation: Generation): Promise<Filled> {
  const made = databases.get(generation) ?? fill(generation);
  databases.set(generation, made);
  return made;
}

async function fill(generation: Generation): Promise<Filled> {
  const database = `${services.clickhouse.database}_${generation}`;
  await queryClickhouse(services.clickhouse, 'default', `CREATE DATABASE ${database}`);
  await createLogsTables(services.clickhouse, database, generation);
  const ch = (sql: string) => queryClickhouse(services.clickhouse, database, sql);
  // A merge would remove expired original lines between two reads.
  await ch('SYSTEM STOP MERGES logs');
  const raw =
    generation < 'G'
      ? ['raw_log', `concat('line ', toString(number), ' a/b "', unhex('E282AC'), '"')`]
      : undefined;
  const other = {
    ...(generation === 'C' && { field_tokens: `if(number % 3 = 0, 'a b', '')` }),
    ...(generation >= 'F' && {
      normalizer: `if(number % 2 = 0, 'sysmon@3', '')`,
      norm_log: `if(number % 5 = 0, concat('other ', toString(number), '/'), '')`,
    }),
  };
  const time = `fromUnixTimestamp64Milli(toInt64(${NOW - 20 * DAY_MS}) + toInt64(number) * ${Math.floor((20 * DAY_MS) / ROWS)})`;
  const fields = `concat('{"user":"u', toString(number % 7), '","path":"/a/', toString(number), '","n":', toString(number), ',"deep":{"k":[1,"x/y",null]}}')`;
  const insert = (columns: Record<string, string>, where: string) =>
    ch(`INSERT INTO logs (timestamp, ${raw ? 'raw_log, ' : ''}log_id, fields, fractal_id, ingest_timestamp${Object.keys(
      columns,
    )
      .map((name) => `, ${name}`)
      .join('')})
      SELECT ${time}, ${raw ? `${raw[1]}, ` : ''}leftPad(toString(number), 8, '0'), ${fields}::JSON(max_dynamic_paths=1024), 'web', fromUnixTimestamp64Milli(toInt64(${NOW}))
        ${Object.values(columns)
          .map((value) => `, ${value}`)
          .join('')}
      FROM numbers(${ROWS}) WHERE ${where}`);
  const { norm_log, ...simple } = { norm_log: undefined, ...other };
  // Most rows have the default text, a few another.
  await insert(simple, norm_log ? 'number % 5 != 0' : '1');
  if (norm_log) await insert({ ...simple, norm_log }, 'number % 5 = 0');
  if (generation >= 'G')
    await ch(`INSERT INTO logs_raw (timestamp, fractal_id, log_id, raw_log)
      SELECT ${time}, 'web', leftPad(toString(number), 8, '0'), concat('line ', toString(number)) FROM numbers(${ROWS})
      WHERE number >= ${KEPT} AND number % 10 != 3`);
  const open = (address: string) =>
    connectClickHouse({ url: address, user, password, database, cluster: undefined });
  const [native, text] = await Promise.all([open(direct.url), open(noNative.url)]);
  return { native, text };
}

interface Line {
  ts: string;
  raw: string;
  id: string;
  fields?: Record<string, unknown>;
  cols?: Record<string, unknown>;
}

async function linesOf({ native, text }: Filled, fields = true): Promise<Line[]> {
  const [decoded, as_text] = await Promise.all(
    [native, text].map((logs) => collectLines(logs.lines({ fractal_id: 'web' }, { fields }))),
  );
  const lines = (decoded?.bytes.toString() ?? '').split('\n');
  assert.deepEqual(lines, as_text?.bytes.toString().split('\n'));
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Line);
}

/** What the lines of each release must have. */
const EXPECTED: Record<string, (line: Line, index: number) => void> = {
  A: ({ cols, raw }, index) => assert.deepEqual([cols, raw], [undefined, `line ${index} a/b "€"`]),
  C: ({ cols }, index) => assert.deepEqual(cols, index % 3 === 0 ? { field_tokens: 'a b' } : undefined),
  F: ({ cols, raw }, index) => {
    assert.deepEqual(cols, colsOf(index));
    const line = `line ${index} a/b "€"`;
    // Older ones are there until the server removes them.
    assert.ok(raw === line || (index < KEPT && raw === ''), raw);
  },
  G: ({ cols, raw }, index) => {
    assert.deepEqual(cols, colsOf(index));
    assert.equal(raw, index >= KEPT && index % 10 !== 3 ? `line ${index}` : '');
  },
};

/** Values other than the default of rows since F. */
function colsOf(index: number): object | undefined {
  const normalizer = index % 2 === 0 ? { normalizer: 'sysmon@3' } : {};
  const norm_log = index % 5 === 0 ? { norm_log: `other ${index}/` } : {};
  const cols = { ...norm_log, ...normalizer };
  return Object.keys(cols).length > 0 ? cols : undefined;
}

for (const generation of ['A', 'C', 'F', 'G', 'H'] as const) {
  test(`release ${generation}: lines have all columns, decoded and as text`, async () => {
    direct.statements.splice(0);
    const decoded = await linesOf(await filled(generation));
    const as_text = direct.statements.filter((sql) => sql.includes(' AS fid'));
    assert.deepEqual(as_text, []);
    assert.equal(decoded.length, ROWS);
    for (const [index, line] of decoded.entries()) {
      assert.equal(line.id, String(index).padStart(8, '0'));
      assert.deepEqual(line.fields?.deep, { k: [1, 'x/y', null] });
      (EXPECTED[generation] ?? EXPECTED.G)?.(line, index);
    }
  });

  test(`release ${generation}: lines without fields keep the text of lines that may have no original`, async () => {
    const decoded = await linesOf(await filled(generation), false);
    const texts = decoded.filter(({ cols }) => cols && 'norm_log' in cols);
    assert.equal(texts.length, generation >= 'G' ? ROWS : 0);
  });
}

let targets = 0;

/** Restores the rows of one release into the empty tables of another, and returns a way to query them. */
async function restored(from: Generation, into: Generation) {
  const { native } = await filled(from);
  const database = `${services.clickhouse.database}_${from}_${into}_${++targets}`;
  const ch = async <Row>(sql: string): Promise<Row[]> => {
    const text = await queryClickhouse(services.clickhouse, database, `${sql} FORMAT JSONEachRow`);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);
  };
  await queryClickhouse(services.clickhouse, 'default', `CREATE DATABASE ${database}`);
  await createLogsTables(services.clickhouse, database, into);
  const restore = await connectLogRestore({ url, user, password, database, cluster: undefined });
  const stage = async (table: string) => {
    const encoder = new RestoreLineEncoder(undefined);
    async function* lines() {
      for await (const { bytes } of native.lines({ fractal_id: 'web' }, { fields: true }))
        for (const piece of encoder.take(bytes).pieces) yield Buffer.from(piece);
    }
    await restore.create(table);
    await restore.load(table, 'web', lines());
    return restore.partitions(table);
  };
  after(async () => {
    await restore.close();
    await queryClickhouse(services.clickhouse, 'default', `DROP DATABASE ${database} SYNC`);
  });
  const staged = await stage('first');
  await restore.attach(
    'first',
    staged.map(({ id }) => id),
  );
  return { ch, restore, stage };
}

for (const [from, into] of [
  ['A', 'H'],
  ['C', 'A'],
  ['F', 'C'],
  ['H', 'A'],
  ['H', 'F'],
] as const) {
  test(`rows of release ${from} in ${into} have the digests of their lines`, async () => {
    const { native } = await filled(from);
    const { restore } = await restored(from, into);
    const identity = await restore.rowIdentity();
    assert.deepEqual(identity, { line: into < 'F' });
    const salt = randomBytes(16);
    const digester = new RowDigester({ range: undefined, salt, ...identity });
    for await (const { bytes } of native.lines({ fractal_id: 'web' }, { fields: true })) digester.add(bytes);
    const { digests } = digester.finish();
    const { first_ms, last_ms, bucket_ms } = digests;
    const window = { from_ms: first_ms, to_ms: last_ms + bucket_ms };
    const there = await restore.digests({ fractal_id: 'web', ...window, bucket_ms, salt });
    assert.ok(there.size > ROWS / 2);
    assert.deepEqual(differingRanges(digests, there), []);
    assert.ok(differingRanges(digests, new Map([...there].slice(1))).length > 0);
  });
}

/** Rows in the logs and in the counts per minute, and minutes in which they differ. */
async function countsOf(ch: <Row>(sql: string) => Promise<Row[]>, generation: Generation) {
  if (generation < 'C') return { rows: ROWS, counted: 0, different: 0 };
  const [counts] = await ch<{ rows: number; counted: number; different: number }>(
    `SELECT toInt32(sum(n)) AS rows, toInt32(sum(c)) AS counted, toInt32(countIf(n != c)) AS different FROM (
       SELECT minute, sum(rows) AS n, sum(counts) AS c FROM (
         SELECT toStartOfMinute(timestamp) AS minute, 1 AS rows, 0 AS counts FROM logs
         UNION ALL SELECT minute, 0, cnt FROM logs_histogram) GROUP BY minute)`,
  );
  return counts ?? { rows: 0, counted: 0, different: 0 };
}

test('after rows were deleted and attached, the counts per minute match again', async () => {
  const { ch, restore } = await restored('H', 'H');
  await restore.updateCounts({ fractal_id: 'web' });
  const cut = new Date(NOW - 10 * DAY_MS + 30_000).toISOString();
  await restore.removeUntil({ fractal_id: 'web', from: cut }, NOW + DAY_MS);
  const { rows, counted } = await countsOf(ch, 'H');
  assert.ok(rows < ROWS && counted === ROWS);
  await restore.updateCounts({ fractal_id: 'web', from: cut });
  assert.deepEqual(await countsOf(ch, 'H'), { rows, counted: rows, different: 0 });
});

interface Restored {
  id: string;
  n: number;
  path: string;
  deep: string;
  raw_log?: string;
  norm_log?: string;
  normalizer?: string;
  as_default: number;
}

for (const [from, into] of [
  ['A', 'H'],
  ['H', 'A'],
  ['C', 'F'],
  ['F', 'H'],
  ['G', 'D'],
  ['H', 'H'],
] as const) {
  test(`rows of release ${from} are restored into release ${into}, and once only`, async () => {
    const { ch, restore, stage } = await restored(from, into);
    const extra = [
      into < 'G' ? 'raw_log' : '',
      into >= 'F' ? 'norm_log, normalizer, norm_log = toString(fields) AS as_default' : '',
    ].filter(Boolean);
    const rows = await ch<Restored>(
      `SELECT log_id AS id, toInt64(fields.n) AS n, toString(fields.path) AS path, toJSONString(fields.deep.k) AS deep
         ${extra.map((columns) => `, ${columns}`).join('')} FROM logs ORDER BY timestamp, log_id`,
    );
    assert.equal(rows.length, ROWS);
    for (const [index, row] of rows.entries()) {
      assert.deepEqual(
        [row.id, Number(row.n), row.path],
        [String(index).padStart(8, '0'), index, `/a/${index}`],
      );
      assert.deepEqual(JSON.parse(row.deep), [1, 'x/y', null]);
      if (into >= 'F') {
        const kept = from >= 'F';
        assert.equal(row.normalizer, kept && index % 2 === 0 ? 'sysmon@3' : '');
        if (kept && index % 5 === 0) assert.equal(row.norm_log, `other ${index}/`);
        else assert.equal(row.as_default, 1, `norm_log of ${index}`);
      }
      if (into < 'F' && from < 'F') assert.equal(row.raw_log, `line ${index} a/b "€"`);
      if (into < 'F' && from >= 'G')
        assert.equal(row.raw_log, index >= KEPT && index % 10 !== 3 ? `line ${index}` : '');
    }
    const counts = await countsOf(ch, into);
    await restore.updateCounts({ fractal_id: 'web' });
    if (into >= 'C') {
      assert.equal(counts.counted, 0);
      assert.deepEqual(await countsOf(ch, into), { rows: ROWS, counted: ROWS, different: 0 });
      await restore.updateCounts({ fractal_id: 'web' });
      assert.equal((await countsOf(ch, into)).counted, ROWS);
    }
    await restore.create('again');
    const times = (await stage('second')).flatMap(({ first, last }) => [first, last]).toSorted();
    const [first = '', last = ''] = [times[0], times.at(-1)];
    await restore.insertMissing({ table: 'second', first, last, fractal_id: 'web' }, 'again');
    assert.equal(await restore.count('again'), 0);
  });
}
