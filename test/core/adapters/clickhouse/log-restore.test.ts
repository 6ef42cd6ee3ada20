import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { connectLogRestore } from '../../../../src/core/adapters/clickhouse/log-restore.ts';
import { slicesOf } from '../../../../src/core/adapters/clickhouse/restore-queries.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { RestoreLineEncoder, RowDigester } from '../../../../src/core/format/index.ts';
import { refuses } from '../../../contracts/storage.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const services = await testServices();
const { url, user, password, database } = services.clickhouse;
const connection = { url, user, password, database, cluster: undefined };
const logs = await connectClickHouse(connection);
const restore = await connectLogRestore(connection);

after(() => Promise.all([logs.close(), restore.close()]));

/** All columns of a row, sorted. */
const ALL = `SELECT toUnixTimestamp64Milli(timestamp), hex(raw_log), hex(log_id), toJSONString(fields),
  toUnixTimestamp64Milli(ingest_timestamp), JSONAllPathsWithTypes(fields) FROM logs
  WHERE fractal_id = {fractal:String} ORDER BY ALL FORMAT TSV`;
const held = (fractal: string) => services.ch(ALL, { fractal });

/** Compares line by line, for a readable diff. */
const same = (one: string, other: string) => {
  const [left, right] = [one.split('\n'), other.split('\n')];
  const lost = right.filter((line) => !left.includes(line));
  assert.deepEqual({ more: left.filter((line) => !right.includes(line)), lost }, { more: [], lost: [] });
  assert.equal(left.length, right.length);
};

interface Row {
  ms: number;
  raw: Buffer;
  id?: string;
  fields?: string;
}

async function insert(fractal: string, rows: Row[]) {
  for (let at = 0; at < rows.length; at += 100) {
    const values = rows.slice(at, at + 100).map(({ ms, raw, id = 'x', fields = '{}' }) => {
      const quoted = fields.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
      return `SELECT fromUnixTimestamp64Milli(toInt64(${ms})), unhex('${raw.toString('hex')}'), '${id}', '${quoted}'::JSON(max_dynamic_paths=1024), '${fractal}', fromUnixTimestamp64Milli(toInt64(${ms + 1000}))`;
    });
    await services.ch(
      `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp) ${values.join(' UNION ALL ')} SETTINGS input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0`,
    );
  }
}

/** The archive lines of a fractal, as loaded into a table. */
async function* linesOf(fractal_id: string): AsyncGenerator<Buffer> {
  const lines = new RestoreLineEncoder(undefined);
  for await (const { bytes } of logs.lines({ fractal_id }, { fields: true }))
    yield* lines.take(Buffer.from(bytes)).pieces;
}

async function stage(table: string, from: string, to: string, lenient = false): Promise<void> {
  await restore.create(table);
  await restore.load(table, to, linesOf(from), { lenient });
}

async function attachMissing(table: string, fractal_id: string): Promise<number> {
  const to = `${table}_d`;
  await restore.create(to);
  const partitions = await restore.partitions(table);
  const times = partitions.flatMap(({ first, last }) => [first, last]).toSorted();
  const [first = '', last = ''] = [times[0], times.at(-1)];
  await restore.insertMissing({ table, first, last, fractal_id }, to);
  const missing = await restore.partitions(to);
  if (missing.length > 0)
    await restore.attach(
      to,
      missing.map(({ id }) => id),
    );
  await restore.drop(to);
  return missing.reduce((sum, { rows }) => sum + rows, 0);
}

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 2, 1, 12);

test('rows are restored with every column unchanged, whatever they contain, from 1970 to 2100', async () => {
  const odd = [
    Buffer.alloc(0),
    Buffer.from('quotes " \' \\ \\n \\u0041 <>& / \r\n\t\u2028 \0 \x7f \x1b[31m ünï 🙂 \ufeff \ufffd'),
    Buffer.from('fffe00c328a0a1f0288cbc', 'hex'),
    Buffer.from('edb080eda080', 'hex'),
    Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    Buffer.from('{"ts":"x"}\n\\ud83d\\ude00 \\ud800'),
  ];
  const random = fc.sample(fc.uint8Array({ maxLength: 60 }), 200).map((bytes) => Buffer.from(bytes));
  const fields = [
    '{"user":"eve","n":5,"big":18446744073709551615,"least":-9223372036854775808,"half":0.5,"yes":true}',
    '{"a":{"b":{"c":["x","y"]}},"date":"2026-03-01","time":"2026-03-01T12:00:00Z","simple":"2026-03-01 12:00:00"}',
    '{"list":[1,2,3],"mixed":[{"k":"v"},{"k":"w"}],"odd":"q\\"\\\\ \\n \\u2028 🙂 </script>","":"empty"}',
    '{}',
  ];
  const times = [
    0,
    1,
    DAY,
    NOON,
    Date.UTC(2026, 1, 28, 23, 59, 59, 999),
    Date.UTC(2100, 11, 31, 23, 59, 59, 999),
  ];
  const rows = [...odd, ...random].map((raw, at) => ({
    raw,
    ms: times[at % times.length] as number,
    id: `i${at}`,
    fields: fields[at % fields.length],
  }));
  await insert('all', [...rows, rows[3] as Row, rows[3] as Row]);
  const before = await held('all');
  await stage('s_all', 'all', 'all');
  await services.ch("DELETE FROM logs WHERE fractal_id = 'all'");
  assert.equal(await held('all'), '');
  assert.equal(await attachMissing('s_all', 'all'), rows.length + 2);
  same(await held('all'), before);
  assert.equal(await attachMissing('s_all', 'all'), 0);
  same(await held('all'), before);
  await restore.drop('s_all');
});

test('the digests of lines are those of the rows that ClickHouse makes of them', async () => {
  const its = '2026-03-01T12:00:01Z';
  const line = (members: object) => Buffer.from(`${JSON.stringify(members)}\n`);
  const raws = [
    ...fc.sample(fc.string({ unit: 'binary', maxLength: 30 }), 100),
    'quotes " \' \\ \\n \\u0041 <>& / \r\n\t\b\f\u2028 \0 \x7f ünï 🙂 \ufeff \ufffd',
    '',
    'x'.repeat(10_000),
  ];
  const random = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 60 }), 100);
  const times = fc.sample(fc.integer({ min: 0, max: Date.UTC(2101, 0, 1) }), 200);
  const written = [
    ...raws.map((raw, at) => ({ raw, at })),
    ...random.map((bytes, at) => ({ raw: '?', raw64: Buffer.from(bytes).toString('base64'), at: 2 * at })),
  ].map(({ at, ...raw }) =>
    line({ ts: new Date(times[at] ?? 0).toISOString(), ...raw, id: `i${at}`, fid: 'f', its }),
  );
  const fractions = ['', '.1', '.12', '.123', '.1234', '.9999', '.999999999', '.0000001'];
  const foreign = [
    ...fractions.map((fraction) =>
      line({
        ts: `2026-03-01T12:00:00${fraction}Z`,
        raw: fraction,
        id: '',
        fid: 'f',
        its: `2262-12-31T23:59:59${fraction}Z`,
      }),
    ),
    line({ its, raw: 'order', ts: '2026-03-01T13:00:00.5+01:00', ID: 'ünï "' }),
    line({ ts: '2028-02-29T23:59:59.123456Z', raw: 'leap', id: 'a' }),
    line({ ts: '2026-03-01T12:00:00Z', id: 'a', its: '0001-01-01T00:00:00Z' }),
    Buffer.from(
      `{"ts":"2026-03-01T12:00:00Z","raw":"half \\ud83d of a pair \\u003c\\u20ac\\/","id":"a","fid":"f","its":"${its}"}\n`,
    ),
    Buffer.from('not a row\n'),
  ];
  for (const [table, lines] of [
    ['s_own', written],
    ['s_foreign', foreign],
  ] as const) {
    const bytes = Buffer.concat([...lines, ...lines.slice(0, 5)]);
    const salt = randomBytes(16);
    const digester = new RowDigester({ range: undefined, salt, line: true });
    digester.add(bytes);
    const { digests, in_range } = digester.finish();
    await restore.create(table);
    await restore.load(
      table,
      table,
      (async function* () {
        yield* new RestoreLineEncoder(undefined).take(bytes).pieces;
      })(),
    );
    assert.equal(await attachMissing(table, table), in_range);
    const { bucket_ms } = digests;
    const there = await restore.digests({
      fractal_id: table,
      from_ms: 0,
      to_ms: Date.UTC(2200, 0, 1),
      bucket_ms,
      salt,
    });
    assert.ok(digests.exact && there.size > 1);
    const sorted = (buckets: typeof there) => [...buckets].sort(([a], [b]) => a - b);
    assert.deepEqual(sorted(there), sorted(digests.buckets));
    await restore.drop(table);
  }
});

test('a field that is not valid UTF-8 is restored byte for byte', async () => {
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id) SELECT fromUnixTimestamp64Milli(toInt64(${NOON})), 'x', '1', concat('{"k":"', unhex('FF41'), '"}')::JSON(max_dynamic_paths=1024), 'bad' SETTINGS allow_simdjson = 0`,
  );
  const before = await services.ch("SELECT hex(fields.k::String) FROM logs WHERE fractal_id = 'bad'");
  await refuses('QUERY_FAILED', stage('s_bad', 'bad', 'bad2'));
  await restore.drop('s_bad');
  await stage('s_bad', 'bad', 'bad2', true);
  await attachMissing('s_bad', 'bad2');
  assert.equal(await services.ch("SELECT hex(fields.k::String) FROM logs WHERE fractal_id = 'bad2'"), before);
});

test('rows that differ in a single column are different rows', async () => {
  const row = { ms: NOON, raw: Buffer.from('same'), id: 'a' };
  await insert('apart', [
    row,
    { ...row, ms: NOON + 1 },
    { ...row, id: 'b' },
    { ...row, raw: Buffer.from('other') },
  ]);
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp) SELECT timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp + 1 FROM logs WHERE fractal_id = 'apart' AND raw_log = 'other'`,
  );
  await stage('s_apart', 'apart', 'apart2');
  await insert('apart2', [row]);
  assert.equal(await attachMissing('s_apart', 'apart2'), 4);
  assert.equal(await held('apart2'), await held('apart'));
});

test('rows are compared with those of the same minute, also if other minutes are between', async () => {
  const minutes = Array.from({ length: 600 }, (_, n) => n);
  const row = (n: number, raw = `row ${n}`) => ({
    ms: NOON + n * 60_000,
    raw: Buffer.from(raw),
    id: `i${n}`,
  });
  await insert(
    'sparse',
    minutes.filter((n) => n % 100 === 0).flatMap((n) => [row(n), row(n), row(n, 'other')]),
  );
  await stage('s_sparse', 'sparse', 'sparse2');
  await insert(
    'sparse2',
    minutes.map((n) => row(n)),
  );
  assert.equal(await attachMissing('s_sparse', 'sparse2'), 12);
  assert.equal(await attachMissing('s_sparse', 'sparse2'), 0);
  assert.equal((await held('sparse2')).split('\n').filter(Boolean).length, 612);
});

test('a connection lost during a load is a transient error, not an error of the source', async (t) => {
  let cuts = 0;
  const relay = await relayClickhouse(
    url,
    () => undefined,
    (params) => Boolean(params.get('query')?.startsWith('INSERT')) && ++cuts > 0,
  );
  t.after(() => relay.close());
  const through = await connectLogRestore({ ...connection, url: relay.url });
  t.after(() => through.close());
  await through.create('s_cut');
  let ended = false;
  const lines = async function* () {
    try {
      for (;;)
        yield Buffer.from(
          `{"ts":"2026-03-01T12:00:00Z","raw":"${'x'.repeat(10_000)}","id":"1","fid":"f","its":"2026-03-01T12:00:00Z"}\n`,
        );
    } finally {
      ended = true;
    }
  };
  await assert.rejects(
    through.load('s_cut', 'f', lines()),
    (error) => error instanceof BifractError && error.code === 'CLICKHOUSE_UNREACHABLE' && error.transient,
  );
  assert.equal(cuts, 1);
  await until(() => ended, LIMIT_MS, 'the source to be closed');
  await through.drop('s_cut');
});

test('a line that ClickHouse cannot parse fails the load', async () => {
  await restore.create('s_wrong');
  const lines = async function* () {
    yield Buffer.from('{"ts":"never"}\n');
  };
  await refuses('QUERY_FAILED', restore.load('s_wrong', 'f', lines()));
  await restore.drop('s_wrong');
});

test('slices of a comparison are limited to max_rows', () => {
  const minutes = [
    { minute: 1, rows: 4 },
    { minute: 2, rows: 5 },
    { minute: 7, rows: 2 },
    { minute: 8, rows: 25 },
    { minute: 9, rows: 1 },
  ];
  assert.deepEqual(slicesOf(minutes, 10), [
    { from_ms: 60_000, to_ms: 180_000, bucket: 0, buckets: 1 },
    { from_ms: 420_000, to_ms: 480_000, bucket: 0, buckets: 1 },
    { from_ms: 480_000, to_ms: 540_000, bucket: 0, buckets: 3 },
    { from_ms: 480_000, to_ms: 540_000, bucket: 1, buckets: 3 },
    { from_ms: 480_000, to_ms: 540_000, bucket: 2, buckets: 3 },
    { from_ms: 540_000, to_ms: 600_000, bucket: 0, buckets: 1 },
  ]);
});
