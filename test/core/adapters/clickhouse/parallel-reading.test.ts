import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { asBifractError } from '../../../../src/core/contract/errors.ts';
import { ResumePoint } from '../../../../src/core/format/index.ts';
import type { LogDatabase } from '../../../../src/core/ports/log-database.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';
import { collectLines } from '../../../helpers/streams.ts';
import { until } from '../../../helpers/until.ts';

const ROWS = 60_000;
const WINDOW = { fractal_id: 'f' };
const MEMORY_LIMIT_EXCEEDED = 241;

const services = await testServices();
const { user, password, url, database } = services.clickhouse;
/** Numbers of the queries for rows that are refused, from 1. */
const refused = new Set<number>();
let asked = 0;
const relay = await relayClickhouse(url, (sql) =>
  sql.endsWith('FORMAT Native') && refused.delete(++asked) ? MEMORY_LIMIT_EXCEEDED : undefined,
);
let logs: LogDatabase;
let expected: Buffer;

before(async () => {
  await services.ch(`INSERT INTO logs (timestamp, raw_log, log_id, fields, fractal_id)
    SELECT fromUnixTimestamp64Milli(1772323200000 + intDiv(number, 5)), concat('line ', toString(number)),
      leftPad(toString(number), 6, '0'), concat('{"n":', toString(number), '}'), 'f' FROM numbers(${ROWS})`);
  logs = await connectClickHouse({ url: relay.url, user, password, database, cluster: undefined });
  ({ bytes: expected } = await collectLines(logs.lines(WINDOW, { fields: true, parallel: 1 })));
});
after(async () => {
  await logs.close();
  await relay.close();
});

test('several queries give the same lines as one', async () => {
  for (const parallel of [2, 3, 8]) {
    relay.statements.splice(0);
    const { bytes, lines } = await collectLines(logs.lines(WINDOW, { fields: true, parallel }));
    assert.equal(lines, ROWS);
    assert.ok(bytes.equals(expected), `${parallel}`);
    assert.ok(relay.statements.filter((sql) => sql.endsWith('FORMAT Native')).length >= 3);
  }
});

test('reading resumes after a query that failed, whichever it was, and each row is read once', async () => {
  for (const which of [[1], [2], [3], [2, 3], [4], [1, 3, 5]]) {
    asked = 0;
    for (const number of which) refused.add(number);
    const tail = new ResumePoint();
    const parts: Buffer[] = [];
    let failures = 0;
    for (let done = false; !done; ) {
      const start = tail.key();
      const lines = logs.lines(WINDOW, { fields: true, parallel: 3, start });
      try {
        for await (const { bytes } of start ? tail.unseen(lines) : lines) {
          tail.add(bytes);
          parts.push(Buffer.from(bytes));
        }
        done = true;
      } catch (error) {
        assert.equal(asBifractError(error).code, 'QUERY_FAILED');
        failures++;
      }
    }
    assert.ok(failures > 0, `${which}`);
    assert.ok(Buffer.concat(parts).equals(expected), `${which}`);
    refused.clear();
  }
});

test('cancelling ends all queries, and so does a reader that stops', async () => {
  const running = () =>
    services.ch(
      "SELECT count() FROM system.processes WHERE query LIKE '%fractal_id%FORMAT Native%' AND query NOT LIKE '%processes%'",
    );
  const cancel = new AbortController();
  const options = { fields: true, parallel: 3, signal: cancel.signal };
  const reading = (async () => {
    for await (const _ of logs.lines(WINDOW, options)) cancel.abort(new Error('cancelled'));
  })();
  await assert.rejects(reading, { message: 'cancelled' });
  await until(async () => Number(await running()) === 0, 20_000, 'the cancelled queries to end');
  for await (const _ of logs.lines(WINDOW, { fields: true, parallel: 3 })) break;
  await until(async () => Number(await running()) === 0, 20_000, 'the queries to end');
  const { bytes } = await collectLines(logs.lines(WINDOW, { fields: true, parallel: 2 }));
  assert.ok(bytes.equals(expected));
});
