import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedRows } from '../../../../../bin/demo/seed-rows.ts';
import { connectClickHouse } from '../../../../../src/core/adapters/clickhouse/log-database.ts';
import type { LogDatabase, LogWindow, RowKey } from '../../../../../src/core/ports/log-database.ts';
import { relayClickhouse } from '../../../../helpers/clickhouse-relay.ts';
import { randomDocuments } from '../../../../helpers/random-documents.ts';
import { testServices } from '../../../../helpers/services.ts';
import { collectLines } from '../../../../helpers/streams.ts';

const DAY_MS = 86_400_000;
const FROM = new Date('2026-02-28T20:00:00Z');

/** `NATIVE_ROWS=many` reads many more rows; `NATIVE_SEED` repeats the random rows of another run. */
const MANY = process.env.NATIVE_ROWS === 'many';
const SEED = process.env.NATIVE_SEED === undefined ? undefined : Number(process.env.NATIVE_SEED);

/**
 * Generated before there is a connection: this may block the process for longer than the server keeps idle connections,
 * and a request on a connection that was closed meanwhile would fail.
 */
const DOCUMENTS = randomDocuments(MANY ? 5000 : 200, SEED);

const services = await testServices();
const { url, user, password, database } = services.clickhouse;
const MIXED_ROWS = MANY ? 300_000 : 10_000;
const native = await relayClickhouse(url);
const texts = await relayClickhouse(url, (sql) => (sql.endsWith('FORMAT Native') ? 115 : undefined));
const logs = await open(native.url);
const textLogs = await open(texts.url);

before(async () => {
  await seedRows(services.clickhouse, database, {
    fractal_id: 'mixed',
    kind: 'mixed',
    rows: MIXED_ROWS,
    seed: SEED ?? 5,
    from: FROM,
    to: new Date(FROM.getTime() + 3 * DAY_MS),
  });
  await services.ch('OPTIMIZE TABLE logs FINAL');
  // The other tests insert random keys. A background merge would write each key to several files of its own and keep them
  // all open: about 20,000, enough to use up the open file limit of the server, which all test files share.
  await services.ch('SYSTEM STOP MERGES logs');
  // Read once, so that the tests see only the statements of their own.
  await Promise.all([logs.shape(), textLogs.shape()]);
});

after(async () => {
  await Promise.all([logs.close(), textLogs.close()]);
  await Promise.all([native.close(), texts.close()]);
});

function open(address: string): Promise<LogDatabase> {
  return connectClickHouse({ url: address, user, password, database, cluster: undefined });
}

const bytesOf = (source: LogDatabase, window: LogWindow, start?: RowKey, fields = true) =>
  collectLines(source.lines(window, { fields, start }));

/** The formats requested since the last call. */
function formats(): string[] {
  return native.statements.splice(0).flatMap((sql) => /FORMAT (\w+)$/.exec(sql)?.[1] ?? []);
}

/** Reads a window decoded and as text, and compares them; `requested` are the formats that decoding should request. */
async function bothWays(
  window: LogWindow,
  requested: string[],
  lines: number,
  { fields = true } = {},
): Promise<Buffer> {
  formats();
  const decoded = await bytesOf(logs, window, undefined, fields);
  assert.deepEqual(formats(), requested);
  const text = await bytesOf(textLogs, window, undefined, fields);
  const [ours, theirs] = [decoded.bytes, text.bytes].map((bytes) => bytes.toString('latin1').split('\n'));
  assert.equal(decoded.lines, lines);
  assert.equal(text.lines, lines);
  for (const [index, line] of (ours ?? []).entries()) assert.equal(line, theirs?.[index]);
  assert.ok(decoded.bytes.equals(text.bytes));
  return decoded.bytes;
}

/** Inserts a row for each JSON document of fields; ten rows share a time. */
async function insert(
  fractal: string,
  documents: string[],
  id = "leftPad(toString(n), 6, '0')",
): Promise<void> {
  for (let at = 0; at < documents.length; at += 500) {
    const list = documents.slice(at, at + 500).map((text) => `'${text.replace(/[\\']/g, '\\$&')}'`);
    await services.ch(`INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp)
      WITH ${at} + number AS n
      SELECT fromUnixTimestamp64Milli(1772366400000 + intDiv(toInt64(n), 10) * 997, 'UTC'), concat('row ', toString(n)), ${id},
        arrayElement([${list.join(',')}], number + 1)::JSON(max_dynamic_paths=1024), '${fractal}', fromUnixTimestamp64Milli(1772366400000 + toInt64(n) * 77777, 'UTC')
      FROM numbers(${list.length})`);
  }
}

test('rows of all kinds are identical to the text of ClickHouse, byte for byte', async () => {
  const bytes = await bothWays({ fractal_id: 'mixed' }, ['Native'], MIXED_ROWS);
  assert.ok(bytes.includes('"raw64":"'));
  const window = { fractal_id: 'mixed', from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
  const { rows: inside } = await logs.stats(window);
  assert.ok(inside > MIXED_ROWS / 10 && inside < MIXED_ROWS);
  await bothWays(window, ['Native'], inside);
  await bothWays({ fractal_id: 'none' }, ['Native'], 0);
});

test('rows without fields are decoded too', async () => {
  const window = { fractal_id: 'mixed', to: '2026-03-02T00:00:00Z' };
  const { rows: inside } = await logs.stats(window);
  const bytes = await bothWays({ fractal_id: 'mixed' }, ['Native'], MIXED_ROWS, { fields: false });
  assert.ok(bytes.includes('"raw64":"') && !bytes.includes('"fields":'));
  await bothWays(window, ['Native'], inside, { fields: false });
  await bothWays({ fractal_id: 'none' }, ['Native'], 0, { fields: false });
});

test('fields of every type, key and shape are identical', async () => {
  const known = [
    '{}',
    '{"a":{"b":1},"A":1,"aa":2,"a-b":3,"a b":{"c":1,"d":{"e":2}},"":{"":7},".x":1,"y.":2,"..":3,"z":{"":{"":1}}}',
    '{"q\\"uo\\\\te":"v","k\\n\\u0001\\u2028":"/</script>\\u2029\\u007f\\u0000","ключ":"日本語 🙂"}',
    '{"i":9223372036854775807,"j":-9223372036854775808,"u":18446744073709551615,"n":-1,"zero":0,"safe":9007199254740993,"m":4294967296}',
    '{"i":9007199254740991,"j":-9007199254740991,"u":9007199254740992,"n":9007199254740967,"list":[9007199254740989,9007199254740993]}',
    '{"f":1.5,"g":-0.0,"h":1e21,"k":1e-7,"l":1.7976931348623157e308,"m":5e-324,"n":0.1,"o":123456789012345680000.5}',
    '{"t":true,"f":false,"null":null,"empty":{},"list":[],"lists":[[],[1],[null,2]]}',
    '{"d":"2026-03-01","dt":"2026-03-01 12:00:00","dt9":"2026-03-01 12:00:00.123456","iso":"2026-03-01T23:59:59.5Z"}',
    '{"as":["a","",null],"ai":[1,null,-3],"af":[1.5,2],"ab":[true,false,null],"ad":["2026-03-01",null],"at":["2026-03-01 12:00:00"]}',
    '{"objects":[null,{"x":1},{},null],"mixed":[null,{"x":[null,{"y":1}]},"s"],"deep":[[null,{"q":null}],null]}',
    '{"objects":[{"x":1},{},{"x":"s","y":[1,{"z":true}]}],"mixed":[1,"a",{"k":[2]},[3],null],"deep":[[{"q":[{"r":1}]}]]}',
  ];
  await insert('known', [...known, ...known.toReversed()]);
  await bothWays({ fractal_id: 'known' }, ['Native'], 2 * known.length);
});

test('random fields are identical', async () => {
  assert.ok(DOCUMENTS.length > 100, String(DOCUMENTS.length));
  await insert('random', DOCUMENTS);
  await bothWays({ fractal_id: 'random' }, ['Native'], DOCUMENTS.length);
});

/** Inserts rows, 25,000 per second; `fields`, `id` and `raw` are ClickHouse expressions of `number`. */
async function insertMany(
  fractal: string,
  rows: number,
  fields: string,
  id = "leftPad(toString(number), 6, '0')",
  raw = "concat('row ', toString(number))",
): Promise<void> {
  await services.ch(`INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp)
    SELECT fromUnixTimestamp64Milli(1772366400000 + 1000 * intDiv(toInt64(number), 25000), 'UTC'), ${raw}, ${id},
      ${fields}::JSON(max_dynamic_paths=1024), '${fractal}', fromUnixTimestamp64Milli(1772366400000, 'UTC')
    FROM numbers(${rows})`);
}

/** The decoder does not support times before 1970. */
const UNSUPPORTED = '\'{"born":"1950-01-01 12:00:00"}\'';
const PLAIN = 'concat(\'{"n":\', toString(number), \',"s":"text"}\')';

test('unsupported rows are requested as text, and decoding resumes after them', async () => {
  await insertMany('odd', 40_000, `if(number IN (5000, 30000), ${UNSUPPORTED}, ${PLAIN})`);
  const stop = ['Native', 'JSONEachRow', 'JSONEachRow'];
  await bothWays({ fractal_id: 'odd' }, [...stop, ...stop], 40_000);
  await insertMany('once', 30_000, `if(number = 100, ${UNSUPPORTED}, ${PLAIN})`);
  await bothWays({ fractal_id: 'once' }, [...stop, 'Native'], 30_000);
});

test('if all rows are unsupported, few requests are in Native format', async () => {
  await insertMany('all-odd', 100_000, UNSUPPORTED);
  const stop = ['Native', 'JSONEachRow', 'JSONEachRow'];
  await bothWays({ fractal_id: 'all-odd' }, [...stop, ...stop, ...stop], 100_000);
});

test('rows with the same key are all decoded or all text, however many there are', async () => {
  await insertMany(
    'same',
    50_000,
    `if(number = 40000, ${UNSUPPORTED}, '{"n":1}')`,
    "'same'",
    "'the same row'",
  );
  await insertMany(
    'long',
    40_000,
    '\'{"n":1}\'',
    "'same'",
    "if(number < 25000, repeat('a row ', 80), 'short')",
  );
  const requested = ['Native', 'JSONEachRow', 'JSONEachRow', 'JSONEachRow'];
  await bothWays({ fractal_id: 'same' }, requested, 50_000);
  await bothWays({ fractal_id: 'long' }, [...requested, 'Native'], 40_000);
});

test('too large blocks are requested again in smaller blocks', async () => {
  const text = 'repeat(toString(sipHash64(number)), 150)';
  // Two parts, because ClickHouse limits the bytes of a block only when it reads a single part.
  for (let part = 0; part < 2; part++)
    await insertMany('wide', 3000, `concat('{"text":"', ${text}, '"}')`, undefined, text);
  await bothWays({ fractal_id: 'wide' }, ['Native', 'Native'], 6000);
  await bothWays({ fractal_id: 'wide' }, ['Native', 'Native'], 6000, { fields: false });
});

test('more keys than max_dynamic_paths are decoded', async () => {
  const fields = `concat('{"k', toString(number), '":', toString(number), ',"all":"x","in":{"p', toString(number % 500), '":["', toString(number), '"]}}')`;
  await insertMany('keys', 1100, fields);
  await bothWays({ fractal_id: 'keys' }, ['Native'], 1100);
});

test('reading starts at a key, within unsupported and decoded rows', async () => {
  const all = await bytesOf(logs, { fractal_id: 'odd' });
  const lines = all.bytes.toString().trimEnd().split('\n');
  for (const at of [4999, 5000, 25_000, 39_999]) {
    const { ts, id } = JSON.parse(lines[at] ?? '') as { ts: string; id: string };
    const start = { ms: String(Date.parse(ts)), id: Buffer.from(id).toString('hex') };
    const rest = await bytesOf(logs, { fractal_id: 'odd' }, start);
    assert.equal(rest.lines, lines.length - at);
    assert.ok(all.bytes.subarray(all.bytes.length - rest.bytes.length).equals(rest.bytes));
  }
});
