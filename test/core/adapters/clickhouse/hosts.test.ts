import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { connectLogRestore } from '../../../../src/core/adapters/clickhouse/log-restore.ts';
import { relayClickhouse } from '../../../helpers/clickhouse-relay.ts';
import { testServices } from '../../../helpers/services.ts';

const services = await testServices();
const { url, user, password, database } = services.clickhouse;
const DEAD = 'http://127.0.0.1:1';

function connection(...urls: string[]) {
  const [first = '', ...other_urls] = urls;
  return { url: first, other_urls, user, password, database, cluster: undefined };
}

/** A host that breaks off each request after it has arrived. */
const breakingHost = () => otherHost((response) => response.socket?.destroy());

/** A host where something else than ClickHouse answers. */
async function otherHost(answer: (response: ServerResponse) => void) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume().on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

test('if a host cannot be reached, the next one is used, and stays in use', async () => {
  const alive = await relayClickhouse(url);
  const logs = await connectClickHouse(connection(DEAD, alive.url));
  assert.match(await logs.version(), /^\d/);
  await logs.shape();
  assert.equal(alive.statements.length, 2);
  await Promise.all([logs.close(), alive.close()]);
});

test('if a host ends between two statements, the next one is used', async () => {
  const [first, second] = [await relayClickhouse(url), await relayClickhouse(url)];
  const logs = await connectClickHouse(connection(first.url, second.url));
  await logs.version();
  await first.close();
  assert.equal((await logs.stats({ fractal_id: 'x' })).rows, 0);
  assert.deepEqual([first.statements.length, second.statements.length], [1, 1]);
  await Promise.all([logs.close(), second.close()]);
});

test('a statement that changes something is not repeated if it may have run', async () => {
  const [broken, alive] = [await breakingHost(), await relayClickhouse(url)];
  const restore = await connectLogRestore(connection(alive.url, broken.url));
  await restore.create('hosts_test');
  await restore.close();
  const again = await connectLogRestore(connection(broken.url, alive.url));
  await assert.rejects(again.drop('hosts_test'), { code: 'CLICKHOUSE_UNREACHABLE', transient: true });
  assert.equal(broken.requests(), 1);
  // The caller repeats it, elsewhere.
  await again.drop('hosts_test');
  assert.deepEqual(await again.tables('hosts_test'), []);
  assert.equal(broken.requests(), 1);
  const reading = await connectLogRestore(connection(broken.url, alive.url));
  assert.deepEqual(await reading.tables('hosts_test'), []);
  assert.equal(broken.requests(), 2);
  await Promise.all([again.close(), reading.close(), alive.close()]);
});

test('if no host can be reached, the error is that of the last one, and each was tried once', async () => {
  const broken = await breakingHost();
  const logs = await connectClickHouse(connection(DEAD, broken.url));
  await assert.rejects(logs.version(), { code: 'CLICKHOUSE_UNREACHABLE' });
  assert.equal(broken.requests(), 1);
  await logs.close();
});

for (const text of ['', '<html>502 Bad Gateway</html>'])
  test(`if a proxy answers "${text}" for a host that is down, the next one is used`, async () => {
    const proxy = await otherHost((response) => response.writeHead(502).end(text));
    const logs = await connectClickHouse(connection(proxy.url, url));
    assert.match(await logs.version(), /^\d/);
    const alone = await connectClickHouse(connection(proxy.url));
    const code = text === '' ? 'CLICKHOUSE_UNREACHABLE' : 'QUERY_FAILED';
    await assert.rejects(alone.version(), { code, transient: true });
    assert.equal(proxy.requests(), 2);
    await Promise.all([logs.close(), alone.close()]);
  });
