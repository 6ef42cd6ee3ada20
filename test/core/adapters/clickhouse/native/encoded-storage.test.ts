import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fieldsType, type Generation } from '../../../../../bin/demo/generations.ts';
import { seedRows } from '../../../../../bin/demo/seed-rows.ts';
import { connectClickHouse } from '../../../../../src/core/adapters/clickhouse/log-database.ts';
import { encoderShape } from '../../../../../src/core/adapters/clickhouse/native/encoder-shape.ts';
import type { EncoderShape } from '../../../../../src/core/adapters/clickhouse/native/line-encoder.ts';
import { LOAD_SETTINGS, loadQuery } from '../../../../../src/core/adapters/clickhouse/restore-queries.ts';
import type { LogsShape } from '../../../../../src/core/ports/installation-shape.ts';
import { encodeLines } from '../../../../helpers/encode-lines.ts';
import { randomDocuments } from '../../../../helpers/random-documents.ts';
import { testServices } from '../../../../helpers/services.ts';
import { collectLines } from '../../../../helpers/streams.ts';

/** `NATIVE_ROWS=many` compares many more rows; `NATIVE_SEED` repeats the random rows of another run. */
const MANY = process.env.NATIVE_ROWS === 'many';
const SEED = process.env.NATIVE_SEED === undefined ? undefined : Number(process.env.NATIVE_SEED);
const DOCUMENTS = randomDocuments(MANY ? 10_000 : 600, SEED);

const FROM = Date.UTC(2026, 1, 28, 20);
const TIMES = [
  '1970-01-01T00:00:00Z',
  '2024-02-29T23:59:59.9Z',
  '2026-03-01T12:00:00.12Z',
  '2100-03-01T00:00:00.123Z',
  '2261-12-31T23:59:59.999Z',
];

const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '18446744073709551615',
  '999999999999999',
  '-1000000000000000',
  '9007199254740993',
  '1.0',
  '-0.0',
  '1e2',
  '1E+2',
  '1e-2',
  '5e-324',
  '1e-400',
  '-1e-400',
  '1.7976931348623157e308',
  '0.30000000000000004',
  '17.123456789012345',
  '9007199254740993.0',
  '123456789012345680000.5',
  '0.1234567890123456789',
];
const TEXTS = [
  '""',
  '"s"',
  '"2026-03-01 12:00:00"',
  '"2026-03-01"',
  '"12"',
  '"true"',
  '"null"',
  '"\\u0000\\u001f\\u007f\\u00e9\\u2028\\ud83d\\ude00"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
  '"日本語 🙂"',
  `"${'long '.repeat(100)}"`,
];
/** Arrays of one path, whose types depend on those before them. */
const ARRAYS = [
  ['["a",null,"\\n"]', '[]', '[null]', '[""]'],
  ['[1,null,-2]', '[]', '[null,null]', '[9223372036854775807]', '["s"]'],
  ['[1,2.5]', '[]', '[null]', '[1.5,-0]', '[1e3]', '[true]'],
  ['[true,null,false]', '[null]', '[]', '[1]'],
  ['[]', '[1]', '[2.5]', '["2"]'],
  ['[null]', '[{"x":1},{},{"y":{"z":"s"},"x":"t"}]', '[{}]', '[1]'],
];
const OTHERS = [
  'true',
  'false',
  'null',
  '{}',
  '{"b":{}}',
  '{"b":null}',
  '{"":1}',
  '{"":{"":2}}',
  '{"b.c":3}',
  '{"b":{"c":4},"b.d":5}',
  '{"%2E":6,"b%2Ec":7}',
  '{"__proto__":8,"constructor":{"prototype":"x"},"toString":9}',
  '{"k\\"\\\\\\n":10,"ключ":11}',
];
const EDGES = [
  '{}',
  ...[...NUMBERS, ...TEXTS, ...OTHERS].map((value) => `{"a":${value}}`),
  ...ARRAYS.flatMap((values, path) => values.map((value) => `{"array${path}":${value}}`)),
  '{"a":1,"a.b":2,"a.c":[1]}',
  '{"user":"u","src_port":"99","x":1}',
  '{"user":"\\u00e9","image":"C:\\\\x"}',
  '{"user":"","event_id":""}',
  `{${Array.from({ length: 200 }, (_, n) => `"k${n}":${n % 3 === 0 ? n : `"v${n}"`}`).join(',')}}`,
];

/** Members that ClickHouse may write in another way, after those of all typed paths. */
const MEMBERS = [
  ...[...NUMBERS, ...TEXTS, ...OTHERS, ...ARRAYS.flat()].map((value) => `"z":${value}`),
  ...['"z":"\u2028"', '"z":"\u2029 x"', '"z":"\\u2028"', '"z":"/"', '"z":"\\u001F\\u001f"', '"z":"\\u001F"'],
  ...['"z":1,"z-a":2', '"z":{"b":1},"z-a":2', '"z-a":1,"z":{"b":2}', '"zb":1,"za":2', '"z":{"b":1,"a":2}'],
  ...['"z":{"a":1},"zz":{"a":1}', '"z\\u0061":1', '"z/":1', '"z":[{"b":1,"a":2}]', '"zé":1', '"z\u2028":1'],
];

/** Fields with these members. */
function withTypedPaths(members: string, typed: readonly string[]): string {
  const texts = typed.map((path, n) => `"${path}":${['""', '"/x\\""', '"é\\n"'][n % 3]}`);
  return `{${texts.join(',')},${members}}`;
}

/** Random fields in the order of ClickHouse. */
function sortedWithTypedPaths(document: string, typed: readonly string[]): string {
  const texts = typed.map((path, n) => [path, ['', '/x"', 'é\n'][n % 3]] as const);
  return JSON.stringify(sorted({ ...(JSON.parse(document) as object), ...Object.fromEntries(texts) }));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, inner]) => [key, sorted(inner)]));
}

const RAWS = ['""', '"plain"', '"\\u0000\\n\\"\\\\\\/\\u00e9\\ud83d\\ude00"', `"${'x'.repeat(1000)}"`];

/** Lines with these fields; every third has other columns, and every seventh its log line in base64. */
function linesOf(documents: readonly string[], release: Generation): string[] {
  return documents.map((fields, n) => {
    const [ts, its] = [TIMES[n % TIMES.length], TIMES[(n + 2) % TIMES.length]];
    const raw = n % 7 === 0 ? '"raw":"","raw64":"/wA="' : `"raw":${RAWS[n % RAWS.length]}`;
    const cols = release >= 'F' && n % 3 === 0 ? `,"cols":{"normalizer":"n@${n % 5}"}` : '';
    return `{"ts":"${ts}",${raw},"id":"${String(n).padStart(6, '0')}","fid":"f","its":"${its}","fields":${fields}${cols}}\n`;
  });
}

async function setUp(release: Generation) {
  const services = await testServices(release);
  const { url, user, password, database } = services.clickhouse;
  const logs = await connectClickHouse({ url, user, password, database, cluster: undefined });
  after(() => logs.close());
  return { services, logs, shape: await logs.shape() };
}

/**
 * Encodes lines, inserts those blocks into one table, and the same lines as text into another. Both must have the same
 * rows, with the same types. Returns the number of rows.
 */
async function bothWays(
  { services }: Awaited<ReturnType<typeof setUp>>,
  shape: LogsShape,
  lines: string[],
): Promise<number> {
  const type = shape.columns.find(({ name }) => name === 'fields')?.type ?? '';
  const { blocks, texts } = encodeLines(Buffer.from(lines.join('')), encoderShape(shape) as EncoderShape);
  const returned = new Set(texts.map(String));
  const bodies = {
    JSONEachRow: Buffer.from(lines.filter((line) => !returned.has(line)).join('')),
    Native: Buffer.concat(blocks),
  };
  const rows: string[][] = [];
  for (const format of ['JSONEachRow', 'Native'] as const) {
    await services.ch('DROP TABLE IF EXISTS stored SYNC');
    await services.ch(`CREATE TABLE stored AS logs ENGINE = MergeTree ORDER BY log_id`);
    await services.ch(`ALTER TABLE stored MODIFY COLUMN fields ${type}`);
    await insert(services.clickhouse, shape, format, bodies[format]);
    const columns = shape.columns
      .filter(({ name }) => name !== 'fields')
      .map(({ name }) => `hex(toString(${name}))`);
    const text = await services.ch(
      `SELECT ${columns.join(', ')}, toString(fields), toString(JSONAllPathsWithTypes(fields)),
         toString(JSONDynamicPathsWithTypes(fields)) FROM stored ORDER BY log_id FORMAT TSVRaw`,
    );
    rows.push(text.trimEnd().split(/\n(?=[0-9A-F]{20,}\t)/));
  }
  const [asText, encoded] = rows as [string[], string[]];
  for (const [index, row] of asText.entries()) assert.equal(encoded[index], row);
  assert.equal(encoded.length, asText.length);
  return lines.length - returned.size;
}

async function insert(
  server: Awaited<ReturnType<typeof testServices>>['clickhouse'],
  shape: LogsShape,
  format: 'JSONEachRow' | 'Native',
  body: Buffer,
): Promise<void> {
  const { sql, params } = loadQuery('stored', 'f', shape, format);
  const url = new URL(server.url);
  const settings = { ...LOAD_SETTINGS, database: server.database, query: sql, param_fractal: params.fractal };
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, String(value));
  const headers = { 'X-ClickHouse-User': server.user, 'X-ClickHouse-Key': server.password };
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  assert.ok(response.ok, await response.text());
}

const withType = (shape: LogsShape, type: string): LogsShape => ({
  ...shape,
  columns: shape.columns.map((column) => (column.name === 'fields' ? { ...column, type } : column)),
});

for (const release of ['A', 'H'] as const) {
  test(`encoded rows are stored exactly as their text: release ${release}`, async () => {
    const to = await setUp(release);
    assert.equal(await bothWays(to, to.shape, linesOf(EDGES, release)), EDGES.length);
    let random = 0;
    // More would have more paths than a block keeps in columns.
    for (let at = 0; at < DOCUMENTS.length; at += 500)
      random += await bothWays(to, to.shape, linesOf(DOCUMENTS.slice(at, at + 500), release));
    assert.ok(random > DOCUMENTS.length / 4, `${random} of ${DOCUMENTS.length}`);
  });

  test(`rows of all kinds of logs are all encoded: release ${release}`, async () => {
    const to = await setUp(release);
    const rows = 5000;
    const window = { fractal_id: 'f', kind: 'mixed', rows, seed: SEED ?? 5, generation: release } as const;
    await seedRows(to.services.clickhouse, to.services.clickhouse.database, {
      ...window,
      from: new Date(FROM),
      to: new Date(FROM + 86_400_000),
    });
    const { bytes } = await collectLines(to.logs.lines({ fractal_id: 'f' }, { fields: true }));
    const lines = bytes.toString('utf8').split(/(?<=\n)/);
    assert.equal(await bothWays(to, to.shape, lines), rows);
  });
}

test('the text of fields is that which ClickHouse computes', async () => {
  const to = await setUp('H');
  const shape = encoderShape(to.shape) as EncoderShape;
  const { typed } = shape.fields;
  const edges = linesOf(
    MEMBERS.map((members) => withTypedPaths(members, typed)),
    'H',
  );
  const random = linesOf(
    DOCUMENTS.map((document) => sortedWithTypedPaths(document, typed)),
    'H',
  );
  assert.ok((await bothWays(to, to.shape, edges)) > MEMBERS.length * 0.8);
  for (let at = 0; at < random.length; at += 500) await bothWays(to, to.shape, random.slice(at, at + 500));
  // It is in blocks of lines whose text is certain.
  const sizeOf = (text_of_fields: boolean) => {
    const cols = shape.cols.map((column) => ({ ...column, text_of_fields }));
    return Buffer.concat(encodeLines(Buffer.from(edges.join('')), { ...shape, cols }).blocks).length;
  };
  assert.ok(sizeOf(true) - sizeOf(false) > Buffer.byteLength(edges.join('')) / 3);
  const texts = (type: string) =>
    encoderShape(withType(to.shape, type))?.cols.filter(({ text_of_fields }) => text_of_fields).length;
  assert.deepEqual([texts('JSON(a String)'), texts('JSON(a.b String)')], [1, 0]);
});

test('tables with small limits, and without', async () => {
  const to = await setUp('A');
  const small = withType(to.shape, 'JSON(max_dynamic_paths=8)');
  const encoded = await bothWays(to, small, linesOf(EDGES, 'A'));
  assert.ok(encoded > EDGES.length / 2 && encoded < EDGES.length, String(encoded));
  const random = linesOf(DOCUMENTS.slice(0, 200), 'A');
  assert.ok(
    (await bothWays(to, withType(to.shape, 'JSON(max_dynamic_types=16, max_dynamic_paths=64)'), random)) > 0,
  );
  assert.ok((await bothWays(to, withType(to.shape, 'JSON'), linesOf(EDGES, 'A'))) === EDGES.length);
});

test('columns of a type that is not known are not encoded', async () => {
  const { shape } = await setUp('A');
  const refused = [
    'String',
    'JSON(max_dynamic_types=4)',
    'JSON(n UInt8)',
    'JSON(SKIP a)',
    "JSON(SKIP REGEXP 'a')",
    'JSON(`a b` String)',
    'JSON(user LowCardinality(String))',
  ];
  for (const type of refused) assert.equal(encoderShape(withType(shape, type)), undefined, type);
  const other = (type: string) => ({
    ...shape,
    columns: [...shape.columns, { name: 'other', type, default_kind: '', default_expression: '' }],
  });
  assert.equal(encoderShape(other('Array(String)')), undefined);
  assert.equal(encoderShape(other('LowCardinality(String)'))?.cols.length, 1);
  assert.deepEqual(encoderShape(withType(shape, fieldsType('H')))?.fields.typed.length, 26);
});
