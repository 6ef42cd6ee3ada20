import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client';
import { testServices } from '../helpers/services.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

const { clickhouse, ch } = await testServices();
const { url, user: username, password, database } = clickhouse;
const log = { level: ClickHouseLogLevel.OFF };
const client = createClient({ url, username, password, database, request_timeout: 20_000, log });
after(() => client.close());

const SLOW = 'SELECT sum(sleepEachRow(0.05)) FROM numbers(2000) SETTINGS max_block_size = 1';

async function rows<T>(query: string, query_params?: Record<string, unknown>): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow', query_params });
  return result.json<T>();
}

async function runningIds(): Promise<string[]> {
  const found = await rows<{ id: string }>("SELECT Settings['log_comment'] AS id FROM system.processes");
  return found.map(({ id }) => id);
}

function post(path: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Response> {
  const account = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password };
  const bytes = new Uint8Array(Buffer.from(body));
  return fetch(`${url}${path}`, { method: 'POST', body: bytes, headers: { ...account, ...headers } });
}

test('ping, settings and bound parameters', async () => {
  assert.deepEqual(await client.ping(), { success: true });
  const values = { a: -7, s: 'it\'s \\ \n "x" 🙂', l: ["a'b", '\\'] };
  const found = await rows('SELECT {a:Int32} AS a, {s:String} AS s, {l:Array(String)} AS l', values);
  assert.deepEqual(found, [values]);
  const set = await client.query({
    query: "SELECT getSetting('max_block_size') AS block",
    format: 'JSONEachRow',
    clickhouse_settings: { max_block_size: '4321' },
  });
  assert.deepEqual(
    (await set.json<{ block: number }>()).map(({ block }) => Number(block)),
    [4321],
  );
});

test('a result streams in the format of the statement, byte for byte', async () => {
  const { stream } = await client.exec({
    query: "SELECT number AS n, unhex('FF00C3') AS raw FROM numbers(300000) FORMAT JSONEachRow",
    clickhouse_settings: { output_format_json_validate_utf8: 0 },
  });
  let lines = 0;
  let first: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (first.length === 0) first = chunk;
    for (const byte of chunk) if (byte === 10) lines++;
  }
  assert.equal(lines, 300_000);
  assert.equal(first.subarray(0, first.indexOf(10)).toString('latin1'), '{"n":0,"raw":"\xff\\u0000\xc3"}');
});

test('formats with a head and a tail are sent as one document', async () => {
  const result = await client.query({ query: 'SELECT number AS n FROM numbers(200000)', format: 'JSON' });
  const { rows: count, data } = await result.json<{ n: string }>();
  assert.deepEqual([count, data.length, data.at(-1)], [200_000, 200_000, { n: data.at(-1)?.n }]);
  const names = await client.query({
    query: 'SELECT number AS n FROM numbers(200000)',
    format: 'CSVWithNames',
  });
  assert.equal((await names.text()).split('"n"').length, 2);
});

test('inserted rows stream in and are counted', async () => {
  await ch('CREATE TABLE stream_in (n UInt64, s String) ENGINE = MergeTree ORDER BY n');
  async function* lines() {
    for (let n = 0; n < 50_000; n++) yield { n, s: `row ${n}` };
  }
  const insert = { table: 'stream_in', format: 'JSONEachRow' as const };
  const { summary } = await client.insert({ ...insert, values: Readable.from(lines()) });
  assert.equal(summary?.written_rows, '50000');
  await client.insert({ ...insert, values: [{ n: 1, s: 'array' }] });
  await client.insert({ ...insert, values: [] });
  assert.equal(await ch('SELECT count(), uniqExact(s) FROM stream_in'), '50001\t50001\n');
});

test('input() reads the body, also with gzip', async () => {
  await ch('CREATE TABLE through_input (n UInt64, s String) ENGINE = MergeTree ORDER BY n');
  const query = encodeURIComponent(
    "INSERT INTO through_input (n, s) SELECT n * 10, raw FROM input('n UInt64, raw String') FORMAT JSONEachRow",
  );
  const body = gzipSync('{"n":1,"raw":"a"}\n{"n":2,"raw":"it\'s \\u0000"}\n');
  const path = `/?database=${database}&query=${query}`;
  const response = await post(path, body, { 'Content-Encoding': 'gzip' });
  assert.equal(response.status, 200, await response.text());
  assert.equal(await ch('SELECT n, hex(s) FROM through_input ORDER BY n'), '10\t61\n20\t697427732000\n');
  const inBody = `${decodeURIComponent(query)}\n{"n":1,"raw":"a"}\n`;
  assert.equal((await post(`/?database=${database}`, inBody)).status, 501);
});

test('data after the statement in the same body stays bytes', async () => {
  await ch('CREATE TABLE inline_rows (s String) ENGINE = MergeTree ORDER BY s');
  const body = Buffer.concat([
    Buffer.from('INSERT INTO inline_rows FORMAT TSV\n'),
    Buffer.from([0xff, 0xfe, 0x0a]),
  ]);
  const response = await post(`/?database=${database}`, body);
  assert.equal(response.status, 200, await response.text());
  assert.equal(await ch('SELECT hex(s) FROM inline_rows'), 'FFFE\n');
});

test('responses are compressed if the client accepts it', async () => {
  for (const encoding of ['gzip', 'br', 'deflate']) {
    const path = '/?enable_http_compression=1';
    const response = await post(path, 'SELECT number FROM numbers(10000)', { 'Accept-Encoding': encoding });
    assert.equal(response.headers.get('content-encoding'), encoding);
    assert.equal((await response.text()).split('\n').length, 10_001);
  }
});

test('a session keeps temporary tables and rejects concurrent statements', async () => {
  const session_id = `s-${database}`;
  await client.command({ query: 'CREATE TEMPORARY TABLE temp (n Int8)', session_id });
  await client.command({ query: 'INSERT INTO temp VALUES (5)', session_id });
  const result = await client.query({ query: 'SELECT n FROM temp', format: 'TabSeparated', session_id });
  assert.equal(await result.text(), '5\n');
  await assert.rejects(client.query({ query: 'SELECT n FROM temp', format: 'TabSeparated' }), { code: '60' });
  const query_id = `slow-${database}`;
  const slow = client.query({ query: SLOW, format: 'TabSeparated', session_id, query_id });
  const failed = assert.rejects(slow);
  await until(async () => (await runningIds()).includes(query_id), LIMIT_MS, 'the slow statement runs');
  await assert.rejects(client.query({ query: 'SELECT 1', format: 'TabSeparated', session_id }), {
    code: '373',
  });
  await client.command({ query: `KILL QUERY WHERE query_id = '${query_id}' SYNC` });
  await failed;
});

test('errors have their code and HTTP status', async () => {
  const cases: [sql: string, code: string, status: number][] = [
    ['SELEC 1', '62', 400],
    ['SELECT no_such_column', '47', 404],
    ['SELECT * FROM no_such_table', '60', 404],
    ['SELECT 1 SETTINGS no_such_setting = 1', '115', 404],
    ["SELECT throwIf(1, 'on purpose')", '395', 500],
    ['SELECT number FROM numbers(10) FORMAT NoSuchFormat', '73', 404],
  ];
  for (const [sql, code, status] of cases) {
    const response = await post(`/?database=${database}`, sql);
    const body = await response.text();
    assert.deepEqual(
      [sql, response.headers.get('x-clickhouse-exception-code'), response.status],
      [sql, code, status],
    );
    assert.match(body, new RegExp(`^Code: ${code}\\. DB::Exception: `));
  }
  await assert.rejects(
    client.query({ query: 'SELECT 1', clickhouse_settings: { no_such: 1 } as ClickHouseSettings }),
    {
      code: '115',
    },
  );
});

test('a wrong password and a write with GET are rejected', async () => {
  const response = await fetch(`${url}/?query=SELECT+1`, { headers: { 'X-ClickHouse-Key': 'wrong' } });
  assert.equal(response.status, 403);
  assert.match(await response.text(), /AUTHENTICATION_FAILED/);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const read = await fetch(`${url}/?query=SELECT+1`, { headers: { authorization } });
  assert.equal(await read.text(), '1\n');
  const statement = encodeURIComponent(`CREATE TABLE ${database}.no (n Int8) ENGINE = Memory`);
  const write = await fetch(`${url}/?query=${statement}`, { headers: { authorization } });
  assert.match(await write.text(), /READONLY/);
});

test('an error after the first rows is sent as a tagged frame before the connection is closed', async () => {
  const sql =
    'SELECT throwIf(number = 300000) FROM numbers(400000) SETTINGS max_block_size = 1000 FORMAT TSV';
  const response = await post('/', sql);
  assert.equal(response.status, 200);
  const tag = response.headers.get('x-clickhouse-exception-tag') ?? 'none';
  let body = '';
  await assert.rejects(async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? [])
      body += decoder.decode(chunk as Uint8Array, { stream: true });
  });
  assert.match(body, /^0\n0\n/);
  const tail = body.slice(-1_000);
  assert.match(
    tail,
    new RegExp(
      `\\r\\n__exception__\\r\\n${tag}\\r\\nCode: 395\\..*\\n\\d+ ${tag}\\r\\n__exception__\\r\\n$`,
      's',
    ),
  );
});

test('a disconnected client kills its statement, streamed or not', async () => {
  for (const [name, query] of Object.entries({
    buffered: SLOW,
    streamed: 'SELECT number, sleepEachRow(0.002) FROM numbers(100000) SETTINGS max_block_size = 5',
  })) {
    const query_id = `${name}-${database}`;
    const disconnect = new AbortController();
    const search = new URLSearchParams({ database, query_id, query: `${query} FORMAT JSONEachRow` });
    const headers = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password };
    const pending = fetch(`${url}/?${search}`, { headers, signal: disconnect.signal }).then((response) =>
      response.text(),
    );
    const failed = assert.rejects(pending);
    await until(async () => (await runningIds()).includes(query_id), LIMIT_MS, 'the statement runs');
    disconnect.abort();
    await failed;
    await until(async () => !(await runningIds()).includes(query_id), LIMIT_MS, 'the statement has ended');
  }
});

test('an insert of a client that disconnects halfway inserts nothing', async () => {
  await ch('CREATE TABLE half_way (n UInt64) ENGINE = MergeTree ORDER BY n');
  const query = encodeURIComponent('INSERT INTO half_way FORMAT TSV');
  const client_request = request(`${url}/?database=${database}&query_id=half-${database}&query=${query}`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password },
  });
  client_request.on('error', () => {});
  client_request.write('1\n2\n3\n');
  await until(async () => (await runningIds()).includes(`half-${database}`), LIMIT_MS, 'the insert runs');
  client_request.destroy();
  await until(
    async () => !(await runningIds()).includes(`half-${database}`),
    LIMIT_MS,
    'the insert has ended',
  );
  assert.equal(await ch('SELECT count() FROM half_way'), '0\n');
});

test('forty statements run concurrently', async () => {
  const pending = Array.from({ length: 40 }, (_, n) =>
    rows<{ n: number }>('SELECT {n:UInt8} AS n, sleep(0.05)', { n }),
  );
  assert.deepEqual(
    (await Promise.all(pending)).map(([row]) => row?.n),
    Array.from({ length: 40 }, (_, n) => n),
  );
});

test('form fields, an unknown path and an empty statement', async () => {
  const form = new FormData();
  form.set('query', 'SELECT {word:String}');
  form.set('param_word', 'hello');
  const headers = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password };
  const response = await fetch(url, { method: 'POST', body: form, headers });
  assert.equal(await response.text(), 'hello\n');
  assert.equal((await post('/nowhere', '')).status, 404);
  assert.equal(await text((await post('/', '')).body as never), 'Ok.\n');
});
