import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import type { LogDatabase, LogWindow, RowKey } from '../../../../src/core/ports/log-database.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';
import { collectLines } from '../../../helpers/streams.ts';

/** Reading in spans of days, in ranges at the same time, joins, text instead of unsupported rows, and resuming: each row once, with its original line. */

const RUNS = 12;
const ROWS = 30_000;
/** Rows with the same key at the end: more than the first join takes. */
const SAME = 2000;
const DAY_MS = 86_400_000;
/** Original lines are only kept for some days, and only the newest rows of the test have any. */
const NOW = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const FIRST_RAW = NOW - 2 * DAY_MS;
/** Days before now, up to and after the ends of spans. */
const DAYS = [400, 399, 384, 383.99, 40, 24, 23, 8, 7, 2, 1.5, 1];

interface Row {
  n: number;
  ms: number;
  id: string;
}

const services = await testServices('H');
const { user, password, url, database } = services.clickhouse;
const relay = await relayClickhouse(url);
let logs: LogDatabase;
let rows: Row[];
/** The original lines that are kept. */
let kept: Set<string>;

before(async () => {
  // Steps of a millisecond around each of these days; many rows share a key.
  const days = DAYS.map((day) => NOW - day * DAY_MS);
  const part = ROWS / DAYS.length;
  const time = `[${days.join(',')}][1 + intDiv(number, ${part})] + if(number % ${part} < ${part / 4}, -1, intDiv(number % ${part}, ${part / 8}))`;
  const source = `(SELECT number AS n, n >= ${ROWS - SAME} AS same, toInt64(if(same, ${NOW - DAY_MS / 2}, ${time})) AS ms,
      concat('k', toString(if(same OR n % 7 = 0, 0, sipHash64(n) % 400))) AS id
    FROM numbers(${ROWS}))`;
  await services.ch('SYSTEM STOP MERGES logs');
  await services.ch(`INSERT INTO logs (timestamp, log_id, fields, fractal_id, normalizer)
    SELECT fromUnixTimestamp64Milli(ms), id,
      concat('{"n":', toString(n), if(n % 4001 = 17, ',"born":"1950-01-01 12:00:00"', ''), '}')::JSON(max_dynamic_paths=1024),
      'web', if(n % 3 = 0, 'x', '') FROM ${source} SETTINGS max_partitions_per_insert_block = 0`);
  await services.ch(`INSERT INTO logs_raw (timestamp, log_id, fractal_id, raw_log)
    SELECT DISTINCT fromUnixTimestamp64Milli(ms), id, 'web', concat(toString(ms), ' ', id) FROM ${source}
    WHERE ms >= ${FIRST_RAW} AND sipHash64(id) % 5 != 0`);
  const text = await services.ch(`SELECT n, ms, id FROM ${source} ORDER BY ms, id, n FORMAT JSONEachRow
    SETTINGS output_format_json_quote_64bit_integers = 0`);
  rows = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);
  assert.equal(rows.length, ROWS);
  kept = new Set((await services.ch('SELECT raw_log FROM logs_raw')).split('\n'));
  logs = await connectClickHouse({ url: relay.url, user, password, database, cluster: undefined });
});
after(async () => {
  await logs.close();
  await relay.close();
});

/** Times in and around the rows, with fractions of a millisecond. */
const time = fc
  .tuple(fc.nat(ROWS - 1), fc.integer({ min: -2, max: 2 }), fc.constantFrom('', '0', '4', '999999'))
  .map(([at, shift, finer]): Time => ({ ms: (rows[at]?.ms ?? 0) + shift, finer }));
type Time = { ms: number; finer: string };
const isoOf = ({ ms, finer }: Time) => `${new Date(ms).toISOString().slice(0, -1)}${finer}Z`;
/** The first millisecond of the window, or after it. */
const bound = ({ ms, finer }: Time) => ms + (Number(finer) > 0 ? 1 : 0);

const start = fc
  .tuple(fc.nat(ROWS - 1), fc.constantFrom('', '~'))
  .map(([at, more]) => ({ ms: rows[at]?.ms ?? 0, id: `${rows[at]?.id}${more}` }));

test('whatever the window and the first key, each row is read once, in order, with its original line', async () => {
  const optional = fc.option(time, { nil: undefined });
  const property = fc.asyncProperty(
    optional,
    optional,
    fc.option(start, { nil: undefined }),
    fc.boolean(),
    fc.boolean(),
    fc.integer({ min: 1, max: 4 }),
    async (from, to, first, fields, low_memory, parallel) => {
      const window: LogWindow = { fractal_id: 'web', from: from && isoOf(from), to: to && isoOf(to) };
      const key: RowKey | undefined = first && {
        ms: String(first.ms),
        id: Buffer.from(first.id).toString('hex'),
      };
      const expected = rows.filter(
        ({ ms, id }) =>
          (!from || ms >= bound(from)) &&
          (!to || ms < bound(to)) &&
          (!first || ms > first.ms || (ms === first.ms && id >= first.id)),
      );
      const options = { fields, low_memory, parallel, start: key };
      const { bytes, lines } = await collectLines(logs.lines(window, options));
      assert.equal(lines, expected.length);
      assert.deepEqual(
        readRows(bytes, fields),
        expected.map((row) => written(row, fields)),
      );
    },
  );
  const first_raw = { ms: FIRST_RAW, finer: '4' };
  await fc.assert(property, {
    numRuns: RUNS,
    examples: [
      [undefined, undefined, undefined, true, false, 1],
      [undefined, undefined, undefined, true, false, 3],
      [undefined, first_raw, undefined, true, false, 2],
    ],
  });
  assert.ok(relay.statements.some((sql) => sql.includes('rowNumberInAllBlocks')));
  const joins = relay.statements.filter((sql) => sql.includes('JOIN'));
  assert.ok(joins.length > 2 && joins.some((sql) => sql.endsWith('FORMAT JSONEachRow')));
});

/** One line of text for each row, sorted by `n` within a key, which comes in any order. */
function readRows(bytes: Buffer, fields: boolean): string[] {
  const lines = bytes.toString().split('\n').filter(Boolean);
  const found = lines.map((line) => {
    const row = JSON.parse(line) as { ts: string; id: string; raw: string; fields?: { n: number } };
    return { ms: Date.parse(row.ts), id: row.id, raw: row.raw, n: row.fields?.n ?? 0 };
  });
  for (let at = 0; at < found.length; ) {
    let end = at + 1;
    while (found[end]?.ms === found[at]?.ms && found[end]?.id === found[at]?.id) end++;
    found.splice(at, end - at, ...found.slice(at, end).sort((a, b) => a.n - b.n));
    at = end;
  }
  return found.map(({ ms, id, raw, n }) => `${ms} ${id} ${raw} ${fields ? n : ''}`);
}

function written({ ms, id, n }: Row, fields: boolean): string {
  const raw = kept.has(`${ms} ${id}`) ? `${ms} ${id}` : '';
  return `${ms} ${id} ${raw} ${fields ? n : ''}`;
}
