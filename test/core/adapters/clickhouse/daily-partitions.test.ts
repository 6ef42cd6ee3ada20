import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLogsTables, type Generation } from '../../../../bin/demo/generations.ts';
import { queryClickhouse } from '../../../../bin/demo/query.ts';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import {
  countsQuery,
  keyQuery,
  lineSource,
  linesQuery,
  nativeQuery,
  type Query,
  statsQuery,
} from '../../../../src/core/adapters/clickhouse/queries.ts';
import { ClickHouseSession } from '../../../../src/core/adapters/clickhouse/session.ts';
import { readLogsShape } from '../../../../src/core/adapters/clickhouse/shape.ts';
import type { LogDatabase, LogWindow, RowKey } from '../../../../src/core/ports/log-database.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';
import { collectLines } from '../../../helpers/streams.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');
/** Days with rows: some months long, with gaps. */
const DAYS = [...Array(40).keys(), 90, 91, 300, 301, 302];
const ROWS_A_DAY = 20;
const FRACTALS = ['web', 'dns'];

const TIMES = DAYS.flatMap((day) =>
  [...Array(ROWS_A_DAY).keys()].map((row) => START + day * DAY_MS + row * (DAY_MS / ROWS_A_DAY)),
);

const services = await testServices();
const { user, password, url } = services.clickhouse;

for (const generation of ['A', 'B', 'C', 'H'] as const) {
  describe(`rows over many days in tables of release ${generation}`, () => {
    const database = `${services.clickhouse.database}_days_${generation}`;
    let relay: Awaited<ReturnType<typeof relayClickhouse>>;
    let logs: LogDatabase;
    let session: ClickHouseSession;

    before(async () => {
      await fill(database, generation);
      relay = await relayClickhouse(url);
      const connection = { url: relay.url, user, password, database, cluster: undefined };
      [logs, session] = await Promise.all([
        connectClickHouse(connection),
        ClickHouseSession.open(connection),
      ]);
    });
    after(async () => {
      await Promise.all([logs.close(), session.close(), relay.close()]);
      await queryClickhouse(services.clickhouse, 'default', `DROP DATABASE ${database} SYNC`);
    });

    const timesOf = async (window: LogWindow, start?: RowKey) => {
      const { bytes } = await collectLines(logs.lines(window, { fields: true, start }));
      const lines = bytes.toString().split('\n').filter(Boolean);
      return lines.map((line) => Date.parse((JSON.parse(line) as { ts: string }).ts));
    };

    test('all rows of a window are read once, in order', async () => {
      assert.deepEqual(await timesOf({ fractal_id: 'web' }), TIMES);
      const [from, to] = [START + 10.3 * DAY_MS, START + 301.5 * DAY_MS];
      const window = { fractal_id: 'web', from: iso(from), to: iso(to) };
      assert.deepEqual(
        await timesOf(window),
        TIMES.filter((time) => time >= from && time < to),
      );
      assert.deepEqual(await timesOf({ fractal_id: 'none' }), []);
    });

    for (const at of [0, 7, 16 * ROWS_A_DAY, 16 * ROWS_A_DAY + 3, 40 * ROWS_A_DAY, TIMES.length - 1]) {
      test(`reading starts with row ${at}`, async () => {
        const ms = String(TIMES[at]);
        const start = { ms, id: Buffer.from(idOf(at)).toString('hex') };
        assert.deepEqual(await timesOf({ fractal_id: 'web' }, start), TIMES.slice(at));
      });
    }

    test('a statement reads the partitions of a few days only', async () => {
      relay.statements.splice(0);
      await timesOf({ fractal_id: 'web' });
      const reads = relay.statements.filter((sql) => sql.endsWith('FORMAT Native'));
      assert.equal(reads.length > 1, generation !== 'A');
    });

    test('no statement sorts in memory', async () => {
      const source = lineSource(await readLogsShape(session), session.dialect, true);
      const window = { fractal_id: 'web', from: iso(START + DAY_MS), to: iso(START + 30 * DAY_MS) };
      const queries = [
        nativeQuery(source, window),
        linesQuery(source, window, { start: { ms: String(START + 2 * DAY_MS), id: '30' } }),
        keyQuery(source, window, {}, 100),
      ];
      for (const query of queries) {
        const plan = await explain(query);
        assert.match(plan, /Read type: InOrder/, plan);
        const order = (which: string) => new RegExp(`${which} sort description: (.*)`).exec(plan)?.[1];
        assert.equal(order('Prefix'), order('Result'), plan);
      }
    });

    if (generation >= 'C')
      test('counting reads no partitions of other fractals or days', async () => {
        const window = { fractal_id: 'web', from: iso(START + DAY_MS), to: iso(START + 2.5 * DAY_MS) };
        const grid = { length_ms: DAY_MS, shift_ms: 0 };
        const plans = await Promise.all(
          [
            statsQuery('logs', window),
            countsQuery('logs', { fractal_id: 'web', grid, spans: [], doubt_ms: 0 }),
          ].map(explain),
        );
        const parts = plans.map((plan) => Number(/Parts: (\d+) \|/.exec(plan)?.[1] ?? 0));
        assert.ok((parts[0] ?? 0) <= 2 && parts[1] === DAYS.length, plans.join('\n'));
      });

    async function explain({ sql, params }: Query): Promise<string> {
      const rows = await session.rows<{ explain: string }>({
        sql: `EXPLAIN PLAN actions = 1 ${sql.replace(/ FORMAT \w+$/, '')} FORMAT JSONEachRow`,
        params,
      });
      return rows.map(({ explain: line }) => line).join('\n');
    }
  });
}

async function fill(database: string, generation: Generation): Promise<void> {
  await queryClickhouse(services.clickhouse, 'default', `CREATE DATABASE ${database}`);
  await createLogsTables(services.clickhouse, database, generation);
  const raw = generation < 'G' ? ['raw_log, ', "'line', "] : ['', ''];
  for (const fractal of FRACTALS) {
    await queryClickhouse(
      services.clickhouse,
      database,
      `INSERT INTO logs (timestamp, ${raw[0]}log_id, fields, fractal_id)
       SELECT fromUnixTimestamp64Milli(one.1), ${raw[1]}leftPad(toString(one.2 - 1), 5, '0'), '{"user":"u"}', '${fractal}'
       FROM (SELECT arrayJoin(arrayZip([${TIMES.join(',')}]::Array(Int64), arrayEnumerate([${TIMES.join(',')}]))) AS one)
       SETTINGS max_partitions_per_insert_block = 0`,
    );
  }
}

function idOf(row: number): string {
  return String(row).padStart(5, '0');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
