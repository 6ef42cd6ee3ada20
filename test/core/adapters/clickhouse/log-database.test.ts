import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { cancelled } from '../../../../src/core/contract/errors.ts';
import type { LogDatabase, LogWindow } from '../../../../src/core/ports/log-database.ts';
import { refuses } from '../../../contracts/storage.ts';
import { testServices } from '../../../helpers/services.ts';
import { collectLines } from '../../../helpers/streams.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

interface Line {
  ts: string;
  raw: string;
  raw64?: string;
  id: string;
  fid: string;
  its: string;
  fields?: Record<string, unknown>;
}

const TIME = "toDateTime64('2026-03-01 12:00:00.120', 3, 'UTC')";
const INGESTED = "toDateTime64('2026-03-01 12:00:01', 3, 'UTC')";
const services = await testServices();
const logs = await open();

after(() => logs.close());

function open(over: Partial<Parameters<typeof connectClickHouse>[0]> = {}): Promise<LogDatabase> {
  const { url, user, password, database } = services.clickhouse;
  return connectClickHouse({ url, user, password, database, cluster: undefined, ...over });
}

async function insert(fractal: string, rows: { raw: Buffer; fields?: string; time?: string; id?: string }[]) {
  for (let at = 0; at < rows.length; at += 100) {
    const values = rows.slice(at, at + 100).map(({ raw, fields = '{}', time = TIME, id = '' }) => {
      const quoted = fields.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
      return `SELECT ${time}, unhex('${raw.toString('hex')}'), '${id}', '${quoted}'::JSON(max_dynamic_paths=1024), '${fractal}', ${INGESTED}`;
    });
    await services.ch(
      `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp) ${values.join(' UNION ALL ')}`,
    );
  }
}

async function linesOf(window: LogWindow, fields = true, database = logs): Promise<Line[]> {
  const { bytes, lines: count } = await collectLines(database.lines(window, { fields }));
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
  assert.equal(lines.length, count);
  return lines;
}

function bytesOf({ raw, raw64 }: Line): Buffer {
  return raw64 === undefined ? Buffer.from(raw) : Buffer.from(raw64, 'base64');
}

test('returns the server version', async () => {
  assert.match(await logs.version(), /^\d+\.\d+\.\d+/);
});

test('a line has every column, with times in UTC', async () => {
  await insert('columns', [{ raw: Buffer.from('hello'), id: 'abc', fields: '{"user":"eve"}' }]);
  const [line] = await linesOf({ fractal_id: 'columns' });
  assert.deepEqual(line, {
    ts: '2026-03-01T12:00:00.120Z',
    raw: 'hello',
    id: 'abc',
    fid: 'columns',
    its: '2026-03-01T12:00:01.000Z',
    fields: { user: 'eve' },
  });
  const [bare] = await linesOf({ fractal_id: 'columns' }, false);
  assert.deepEqual(Object.keys(bare ?? {}), ['ts', 'raw', 'id', 'fid', 'its']);
});

test('a log line is returned byte for byte, whatever it contains', async () => {
  const odd = [
    Buffer.alloc(0),
    Buffer.from(
      'quotes " \' back\\slash \\n \\u0041 <>& / \r\n\t\u2028\u2029 \0 \x7f \x1b[31m ünï 🙂 \ufeff \ufffd',
    ),
    Buffer.from('fffe00c328a0a1f0288cbc', 'hex'),
    Buffer.from('80818283c0afeda080f5808080', 'hex'),
    Buffer.from('ffe280a8220a5cfe', 'hex'),
    Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    Buffer.from('"},{"ts":"x"}\n{"ts":"fake"}'),
    Buffer.from('Code: 395. DB::Exception: only data\r\n__exception__\r\n'),
  ];
  const random = fc.sample(fc.uint8Array({ maxLength: 80 }), 300).map((bytes) => Buffer.from(bytes));
  const all = [...odd, ...random];
  await insert(
    'bytes',
    all.map((raw, index) => ({ raw, id: String(index).padStart(5, '0') })),
  );
  for (const fields of [true, false]) {
    const lines = await linesOf({ fractal_id: 'bytes' }, fields);
    assert.deepEqual(lines.map(bytesOf), all);
  }
});

test('a line of 20 MB is returned in full', async () => {
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id) SELECT ${TIME}, repeat(repeat('0123456789"\n', 1700), 1000), '1', '{}', 'long'`,
  );
  const [line] = await linesOf({ fractal_id: 'long' });
  assert.ok(line && bytesOf(line).equals(Buffer.alloc(20_400_000, '0123456789"\n')));
});

test('fields with strings, arrays, nested objects and large integers are exact', async () => {
  const fields = {
    arr: [{ x: 'a' }, { x: 'b' }],
    empty_list: [],
    nested: { deep: { er: 'x', list: [1, 2, 3] } },
    odd: 'q"\\ \n \u2028 🙂 </script>',
    text: '2026-03-01T12:00:00Z',
    truth: true,
  };
  const big = '{"big":18446744073709551615,"least":-9223372036854775808}';
  await insert('fields', [
    { raw: Buffer.from('1'), id: '1', fields: JSON.stringify(fields) },
    { raw: Buffer.from('2'), id: '2' },
    { raw: Buffer.from('3'), id: '3', fields: big },
  ]);
  const lines = await linesOf({ fractal_id: 'fields' });
  assert.deepEqual(lines.map((line) => line.fields).slice(0, 2), [fields, {}]);
  const { bytes } = await collectLines(logs.lines({ fractal_id: 'fields' }, { fields: true }));
  assert.ok(String(bytes).includes(`"fields":${big}}`));
});

test('fields lose only what is documented, and the line stays valid', async () => {
  await insert('lossy', [
    { raw: Buffer.from('1'), fields: '{"a.b":"x","c":null,"d":{},"e":1.0,"f":"2026-03-01 12:00:00"}' },
  ]);
  const [line] = await linesOf({ fractal_id: 'lossy' });
  assert.deepEqual(line?.fields, { a: { b: 'x' }, e: 1, f: '2026-03-01T12:00:00Z' });
});

test('a field that is not valid UTF-8 is kept in the line as stored', async () => {
  await services.ch(
    `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id) SELECT ${TIME}, 'x', '1', concat('{"k":"', unhex('FF41'), '"}')::JSON(max_dynamic_paths=1024), 'badfield' SETTINGS allow_simdjson = 0`,
  );
  const { bytes } = await collectLines(logs.lines({ fractal_id: 'badfield' }, { fields: true }));
  assert.ok(bytes.includes(Buffer.from('"fields":{"k":"\xffA"}}', 'latin1')));
});

test('a window includes its start and excludes its end, sorted by key', async () => {
  const at = (ms: number) => `fromUnixTimestamp64Milli(${1772366400000 + ms}, 'UTC')`;
  const rows = [5, 3, 1, 4, 2, 3].map((ms, index) => ({
    raw: Buffer.from(String(ms)),
    time: at(ms),
    id: `${ms}${index}`,
  }));
  await insert('window', rows);
  const time = (ms: string) => `2026-03-01T12:00:00.${ms}Z`;
  const raws = async (from?: string, to?: string) =>
    (await linesOf({ fractal_id: 'window', from, to })).map(({ raw }) => raw).join('');
  assert.equal(await raws(), '123345');
  assert.equal(await raws(time('002'), time('004')), '233');
  assert.equal(await raws(time('002001'), time('004000001')), '334');
  assert.equal(await raws(time('005')), '5');
  assert.equal(await raws(undefined, '2026-03-01T12:00:00Z'), '');
  const stats = await logs.stats({ fractal_id: 'window', from: time('002'), to: time('005') });
  assert.deepEqual(stats, { rows: 4, first: time('002'), last: time('004') });
});

test('counts and time ranges are of the window, also of an empty one', async () => {
  await insert('stats', [{ raw: Buffer.from('a') }, { raw: Buffer.from('b') }]);
  const range = { rows: 2, first: '2026-03-01T12:00:00.120Z', last: '2026-03-01T12:00:00.120Z' };
  assert.deepEqual(await logs.stats({ fractal_id: 'stats' }), range);
  assert.deepEqual(await logs.stats({ fractal_id: "no'ne" }), { rows: 0, first: null, last: null });
  const all = await logs.statsByFractal();
  assert.deepEqual(all.get('stats'), range);
  assert.equal(all.has('none'), false);
});

describe('many rows', () => {
  const fractal_id = 'many';
  const rows = 200_000;

  before(() =>
    services.ch(
      `INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id) SELECT fromUnixTimestamp64Milli(toInt64(1772366400000 + number), 'UTC'), concat('row ', toString(number), repeat(' x', 100)), toString(number), concat('{"n":', toString(number), '}'), '${fractal_id}' FROM numbers(${rows})`,
    ),
  );

  const running = async () =>
    Number(
      await services.ch(
        "SELECT count() FROM system.processes WHERE query LIKE '%raw_log AS raw%' AND query NOT LIKE '%system.processes%' FORMAT TSV",
      ),
    );

  const untilIdle = () => until(async () => (await running()) === 0, LIMIT_MS, 'the query to end');

  test('arrive in order, each once, in blocks of moderate size', async () => {
    const hash = createHash('sha256');
    let next = 0;
    const sizes: number[] = [];
    for await (const { bytes, lines } of logs.lines({ fractal_id }, { fields: false })) {
      sizes.push(bytes.length);
      hash.update(bytes);
      const first = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf(10))) as Line;
      assert.equal(first.id, String(next));
      next += lines;
    }
    assert.equal(next, rows);
    for (const size of sizes.slice(0, -1)) assert.ok(size >= 256 << 10 && size <= 1 << 20, String(size));
  });

  test('a reader that stops early ends the query', async () => {
    for await (const { lines } of logs.lines({ fractal_id }, { fields: true })) {
      assert.ok(lines > 0);
      break;
    }
    await untilIdle();
  });

  test('an abort ends the query with its reason', async () => {
    const controller = new AbortController();
    const reason = cancelled();
    const reading = (async () => {
      for await (const _ of logs.lines({ fractal_id }, { fields: true, signal: controller.signal }))
        controller.abort(reason);
    })();
    await assert.rejects(reading, (error) => error === reason);
    await untilIdle();
    const signal = AbortSignal.abort(reason);
    await assert.rejects(
      logs.lines({ fractal_id }, { fields: true, signal })[Symbol.asyncIterator]().next(),
      (error) => error === reason,
    );
    await assert.rejects(logs.stats({ fractal_id }, { signal }), (error) => error === reason);
  });

  test('a query that exceeds its memory limit fails', async () => {
    const reading = (async () => {
      for await (const _ of logs.lines({ fractal_id }, { fields: true, max_memory: 1_000_000 }));
    })();
    await refuses('QUERY_FAILED', reading);
    await assert.rejects(
      reading,
      (error: Error) => (error.cause as { type?: string }).type === 'MEMORY_LIMIT_EXCEEDED',
    );
  });
});

test('on a cluster, reads go to the distributed table', async () => {
  await services.ch(
    "CREATE VIEW IF NOT EXISTS logs_distributed AS SELECT * FROM logs WHERE fractal_id = 'stats'",
  );
  const distributed = await open({ cluster: 'main' });
  assert.deepEqual([...(await distributed.statsByFractal()).keys()], ['stats']);
  assert.equal((await linesOf({ fractal_id: 'stats' }, true, distributed)).length, 2);
  await distributed.close();
});

test('a wrong password is reported as such, without repeating it', async () => {
  const refused = await open({ password: 'wrong' });
  await refuses('CLICKHOUSE_UNREACHABLE', refused.version());
  await assert.rejects(refused.version(), (error) => {
    assert.equal(((error as Error).cause as { code?: string }).code, '516');
    assert.doesNotMatch(JSON.stringify(error), /wrong/);
    return true;
  });
  await refused.close();
});
