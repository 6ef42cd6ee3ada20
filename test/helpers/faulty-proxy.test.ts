import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULT_TEXT, faultyProxy } from './faulty-proxy.ts';
import { testServices } from './services.ts';

const { clickhouse } = await testServices();
const proxy = await faultyProxy(clickhouse.url);
const SQL = 'SELECT number FROM numbers(100000)';

async function query(signal?: AbortSignal): Promise<{ body: string; broken: boolean; tag: string }> {
  const headers = { 'X-ClickHouse-User': clickhouse.user, 'X-ClickHouse-Key': clickhouse.password };
  const response = await fetch(proxy.url, { method: 'POST', body: SQL, headers, signal });
  let body = '';
  let broken = false;
  try {
    for await (const chunk of response.body ?? []) body += Buffer.from(chunk as Uint8Array).toString();
  } catch {
    broken = true;
  }
  return { body, broken, tag: response.headers.get('x-clickhouse-exception-tag') ?? '' };
}

test('forwards everything without a fault', async () => {
  const { body, broken } = await query();
  assert.deepEqual([body.split('\n').length, broken], [100_001, false]);
  assert.deepEqual(proxy.statements, [SQL]);
});

test('each style breaks the response after `after_bytes`, `times` times', async () => {
  const expected = (await query()).body.slice(0, 150_001);
  for (const style of ['frame', 'text', 'json', 'cut'] as const) {
    proxy.fault = { style, after_bytes: 150_001, times: 1, when: (sql) => sql === SQL };
    const { body, broken, tag } = await query();
    assert.equal(body.slice(0, 150_001), expected, style);
    assert.equal(broken, style === 'frame' || style === 'cut', style);
    assert.equal(body.includes(FAULT_TEXT), style !== 'cut', style);
    assert.equal(body.endsWith(`${tag}\r\n__exception__\r\n`), style === 'frame', style);
    assert.equal((await query()).broken, false);
  }
});

test('a stalled response neither continues nor ends', async () => {
  proxy.fault = { style: 'stall', after_bytes: 1_000, times: 1 };
  const { body, broken } = await query(AbortSignal.timeout(300));
  assert.deepEqual([body.length, broken], [1_000, true]);
});
