import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fieldsType } from '../../../../bin/demo/generations.ts';
import { SINGLE_SERVER } from '../../../../src/core/adapters/clickhouse/cluster.ts';
import { connectLogRestore } from '../../../../src/core/adapters/clickhouse/log-restore.ts';
import { streamsFor } from '../../../../src/core/adapters/clickhouse/server-resources.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { typedPaths } from '../../../../src/core/policy/log-columns.ts';
import { refuses } from '../../../contracts/storage.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';

const services = await testServices();
const { url, user, password, database } = services.clickhouse;

/** A restore through a relay that rejects statements. */
async function open(rejects: (sql: string) => boolean = () => false) {
  const relay = await relayClickhouse(url, (sql) => (rejects(sql) ? 62 : undefined));
  const restore = await connectLogRestore({ url: relay.url, user, password, database, cluster: undefined });
  after(async () => {
    await restore.close();
    await relay.close();
  });
  const reasons: string[] = [];
  const options = { parallel: 1, onText: (reason: string) => reasons.push(reason) };
  return { restore, relay, reasons, options };
}

function line(n: number, fields = `{"n":${n}}`, raw = `row ${n}`): string {
  return `{"ts":"2026-03-01T12:00:00Z","raw":"${raw}","id":"${n}","fid":"f","its":"2026-03-01T12:00:00Z","fields":${fields}}\n`;
}

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const inserts = (statements: readonly string[]) =>
  statements.flatMap((sql) => /^\s*INSERT.*FORMAT (\w+)$/s.exec(sql)?.[1] ?? []).toSorted();

const rowsOf = (table: string) =>
  services.ch(
    `SELECT log_id, raw_log, toString(fields) FROM ${table} ORDER BY toUInt32(log_id) FORMAT TSVRaw`,
  );

test('lines that are not encoded are loaded as text, next to the others', async () => {
  const { restore, relay, reasons, options } = await open();
  await restore.create('s_mixed');
  const fields = ['{"n":0}', '{"n":[1,"a"]}', '{"n":2}', '{"n":[[3]]}'];
  await restore.load('s_mixed', 'f', pieces(...fields.map((text, n) => line(n, text))), options);
  assert.equal(await rowsOf('s_mixed'), fields.map((text, n) => `${n}\trow ${n}\t${text}\n`).join(''));
  assert.deepEqual(inserts(relay.statements), ['JSONEachRow', 'Native']);
  assert.deepEqual(reasons, []);
});

test('several inserts at a time load every line once', async () => {
  const { restore, relay, options } = await open();
  await restore.create('s_many');
  const rows = 20_000;
  const lines = async function* () {
    for (let n = 0; n < rows; n++) {
      const [head, tail] = [line(n).slice(0, n % 90), line(n).slice(n % 90)];
      // Pieces need not be complete lines.
      yield* pieces(head, tail);
    }
  };
  await restore.load('s_many', 'f', lines(), { ...options, parallel: 3 });
  assert.deepEqual(inserts(relay.statements), ['Native', 'Native', 'Native']);
  const text = await services.ch(
    'SELECT count(), uniqExact(log_id), sum(fields.n::Int64) FROM s_many FORMAT TSV',
  );
  assert.equal(text, `${rows}\t${rows}\t${(rows * (rows - 1)) / 2}\n`);
});

test('lines of 20 MB are loaded, the last one without a newline', async () => {
  const { restore, options } = await open();
  await restore.create('s_long');
  const long = 'x'.repeat(20_000_000);
  const lines = [line(0), line(1, '{}', long), line(2), line(3, '{}', long).trimEnd()];
  await restore.load('s_long', 'f', pieces(...lines), options);
  const text = await services.ch('SELECT log_id, length(raw_log) FROM s_long ORDER BY log_id FORMAT TSV');
  assert.equal(text, '0\t5\n1\t20000000\n2\t5\n3\t20000000\n');
});

test('an insert of blocks ends while many lines are sent as text, and another one follows', async () => {
  const { restore, relay, options } = await open();
  await restore.create('s_pause');
  const lines = async function* () {
    const raw = 'x'.repeat(10_000);
    for (let n = 0; n < 7000; n++)
      yield Buffer.from(line(n, n > 1000 && n < 6000 ? '{"a":[[1]]}' : '{}', raw));
  };
  await restore.load('s_pause', 'f', lines(), options);
  const formats = inserts(relay.statements);
  assert.deepEqual(formats.filter((format) => format === 'Native').length, 2);
  assert.ok(formats.length > 4, String(formats));
  const text = await services.ch(
    'SELECT count(), uniqExact(log_id), sum(length(raw_log)) FROM s_pause FORMAT TSV',
  );
  assert.equal(text, '7000\t7000\t70000000\n');
});

test('a load without lines runs an insert', async () => {
  const { restore, relay, options } = await open();
  await restore.create('s_none');
  await restore.load('s_none', 'f', pieces(), options);
  assert.deepEqual(inserts(relay.statements), ['JSONEachRow']);
});

test('a server that cannot read the format gets text, which is said once', async () => {
  const { restore, relay, reasons, options } = await open((sql) => sql.includes('format(Native'));
  await restore.create('s_text');
  for (const n of [0, 1]) await restore.load('s_text', 'f', pieces(line(n)), options);
  assert.equal(await rowsOf('s_text'), '0\trow 0\t{"n":0}\n1\trow 1\t{"n":1}\n');
  assert.deepEqual(inserts(relay.statements), ['JSONEachRow', 'JSONEachRow']);
  assert.equal(reasons.length, 1);
});

test('a server that writes the text of fields in another way computes it', async () => {
  const newest = await testServices('H');
  const typed = typedPaths(fieldsType('H'))
    .map((path) => `"${path}":""`)
    .sort();
  for (const [quoted, text] of [
    [0, '1.5'],
    [1, '"1.5"'],
  ] as const) {
    const { url, user, password, database } = newest.clickhouse;
    const settings = { output_format_json_quote_64bit_floats: quoted };
    const restore = await connectLogRestore(
      { url, user, password, database, cluster: undefined },
      { ...SINGLE_SERVER, settings },
    );
    after(() => restore.close());
    const table = `s_quoted_${quoted}`;
    await restore.create(table);
    const onText = () => assert.fail('sent as text');
    await restore.load(table, 'f', pieces(line(0, `{${typed.join(',')},"z":1.5}`)), { parallel: 1, onText });
    const stored = await newest.ch(`SELECT norm_log FROM ${table} FORMAT TSVRaw`);
    assert.equal(stored, `{${typed.join(',')},"z":${text}}\n`);
  }
});

test('a server that refuses an insert of blocks gets text at the next attempt, which is said once', async () => {
  const { restore, relay, reasons, options } = await open((sql) => /^\s*INSERT.*FORMAT Native$/s.test(sql));
  await restore.create('s_refused');
  await assert.rejects(
    restore.load('s_refused', 'f', pieces(line(0)), options),
    (error) => error instanceof BifractError && error.code === 'QUERY_FAILED' && error.transient,
  );
  assert.equal(await rowsOf('s_refused'), '');
  for (const n of [1, 2]) await restore.load('s_refused', 'f', pieces(line(n)), { ...options, parallel: 2 });
  assert.equal(await rowsOf('s_refused'), '1\trow 1\t{"n":1}\n2\trow 2\t{"n":2}\n');
  assert.deepEqual(inserts(relay.statements), ['JSONEachRow', 'JSONEachRow', 'Native']);
  assert.equal(reasons.length, 1);
});

test('a server that may not be asked for its cores gets one insert at a time', async () => {
  const { restore, relay } = await open((sql) => sql.includes('max_threads'));
  await restore.create('s_one');
  await restore.load('s_one', 'f', pieces(line(0)));
  assert.deepEqual(inserts(relay.statements), ['Native']);
});

test('the error of the source is reported, not that of a connection', async () => {
  const { restore, options } = await open();
  await restore.create('s_source');
  const lines = async function* () {
    for (let n = 0; n < 10_000; n++) yield Buffer.from(line(n));
    throw new BifractError('DAMAGED', 'The file is damaged');
  };
  await refuses('DAMAGED', restore.load('s_source', 'f', lines(), { ...options, parallel: 2 }));
});

test('a cancelled load ends with the reason', async () => {
  const { restore, options } = await open();
  await restore.create('s_cancel');
  const cancel = new AbortController();
  const reason = new Error('cancelled');
  const lines = async function* () {
    for (let n = 0; ; n++) {
      if (n === 50_000) cancel.abort(reason);
      yield Buffer.from(line(n));
    }
  };
  const load = restore.load('s_cancel', 'f', lines(), { ...options, parallel: 2, signal: cancel.signal });
  await assert.rejects(load, (error) => error === reason);
});

test('the number of inserts at a time follows cores and memory', () => {
  const GB = 1e9;
  assert.equal(streamsFor(1, 2 * GB), 1);
  assert.equal(streamsFor(2, 64 * GB, 3 * GB), 1);
  assert.equal(streamsFor(4, 0), 2);
  assert.equal(streamsFor(8, 8 * GB), 2);
  assert.equal(streamsFor(64, 256 * GB), 4);
  assert.equal(streamsFor(64, 256 * GB, 3 * GB), 3);
  assert.equal(streamsFor(64, 256 * GB, GB / 2), 1);
});
