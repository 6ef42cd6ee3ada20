import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { BifractError, cancelled } from '../../../../src/core/contract/errors.ts';
import type { LogDatabase } from '../../../../src/core/ports/log-database.ts';
import { refuses } from '../../../contracts/storage.ts';
import { LOGS_SHAPE } from '../../../helpers/fake-ports.ts';
import { nativeBlock } from '../../../helpers/native-block.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const MESSAGE =
  'Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 26.7.2.1)';
const LINE =
  '{"ts":"2026-03-01T00:00:00.000Z","raw":"x","id":"1","fid":"f","its":"2026-03-01T00:00:00.000Z"}\n';
const TAG = 'abcdefghijklmnop';
const TEXT = { text: true };
/** What a server says of its table: the columns of the first release. */
const SHAPE = JSON.stringify({
  ...LOGS_SHAPE,
  columns: LOGS_SHAPE.columns.map(({ name, type }) => [name, type, '', '']),
  raw_table: 0,
});
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server with scripted responses that records requests. With `text` it rejects requests in Native format. */
async function replay(
  respond: (response: ServerResponse) => void,
  { text = false } = {},
): Promise<{ logs: LogDatabase; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const sql = String(Buffer.concat(parts));
    if (sql.includes('system.columns')) return void response.end(SHAPE);
    if (text && sql.endsWith('FORMAT Native')) return reject(response);
    requests.push(`${request.url} ${sql}`);
    if (sql.startsWith('KILL')) response.end();
    else respond(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const logs = await connectClickHouse({
    url,
    database: 'logs',
    user: 'u',
    password: undefined,
    cluster: undefined,
  });
  closers.push(async () => {
    await logs.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { logs, requests };
}

function reject(response: ServerResponse): void {
  response.writeHead(404, { 'X-ClickHouse-Exception-Code': '115' });
  response.end('Code: 115. DB::Exception: Unknown setting. (UNKNOWN_SETTING) (version 1.2.3)');
}

interface Counting {
  fields?: boolean;
  signal?: AbortSignal;
  onBlock?: () => void;
}

async function count(logs: LogDatabase, { fields = false, signal, onBlock }: Counting = {}): Promise<number> {
  let count = 0;
  for await (const { lines } of logs.lines({ fractal_id: 'f' }, { fields, signal })) {
    count += lines;
    onBlock?.();
  }
  return count;
}

test('a complete response is read in full', async () => {
  const { logs, requests } = await replay((response) => response.end(LINE.repeat(3)), TEXT);
  assert.equal(await count(logs), 3);
  assert.doesNotMatch(requests.at(-1) ?? '', /KILL/, 'a finished query is not killed');
});

const styles: Record<string, (response: ServerResponse) => void> = {
  'text appended': (response) => response.end(`${LINE}${MESSAGE}\n`),
  'a JSON line': (response) => response.end(`${LINE}{"exception": "${MESSAGE}"}\n`),
  'a frame and a lost connection': (response) => {
    response.setHeader('X-ClickHouse-Exception-Tag', TAG);
    response.write(
      `${LINE}\r\n__exception__\r\n${TAG}\r\n${MESSAGE}\n${MESSAGE.length + 1} ${TAG}\r\n__exception__\r\n`,
      () => response.destroy(),
    );
  },
};

for (const [style, respond] of Object.entries(styles)) {
  test(`a failure in mid-response, as ${style}, is an error`, async () => {
    const { logs, requests } = await replay(respond, TEXT);
    const counting = count(logs);
    await refuses('QUERY_FAILED', counting);
    await assert.rejects(counting, (error: Error) => error.message.endsWith(MESSAGE));
    assert.match(requests.at(-1) ?? '', /KILL QUERY/);
  });
}

const ROWS = Array.from({ length: 3000 }, (_, n) => ({
  ms: 1772366400000 + n,
  raw: `row ${n} ${'x'.repeat(400)}`,
  id: String(n),
  fields: { n: String(n) },
}));
const BLOCK = nativeBlock(ROWS);
const BLOCKS = Buffer.concat([BLOCK, nativeBlock(ROWS.map((row) => ({ ...row, ms: row.ms + 10_000 })))]);

test('rows in Native format are read in full', async () => {
  const { logs, requests } = await replay((response) => response.end(BLOCKS));
  assert.equal(await count(logs, { fields: true }), 6000);
  assert.equal(requests.length, 1, 'a finished query is not killed');
});

const nativeStyles: Record<string, (response: ServerResponse) => void> = {
  'text after a block': (response) => response.end(Buffer.concat([BLOCKS, Buffer.from(`${MESSAGE}\n`)])),
  'text within a block': (response) =>
    response.end(Buffer.concat([BLOCKS.subarray(0, -50_000), Buffer.from(`${MESSAGE}\n`)])),
  'a frame and a lost connection': (response) => {
    response.write(BLOCKS.subarray(0, -50_000));
    response.write(
      `\r\n__exception__\r\n${TAG}\r\n${MESSAGE}\n${MESSAGE.length + 1} ${TAG}\r\n__exception__\r\n`,
      () => response.destroy(),
    );
  },
};

for (const [style, respond] of Object.entries(nativeStyles)) {
  test(`a failure in Native format, as ${style}, is an error`, async () => {
    const { logs, requests } = await replay(respond);
    const counting = count(logs, { fields: true });
    await refuses('QUERY_FAILED', counting);
    await assert.rejects(counting, (error: Error) => error.message.endsWith(MESSAGE));
    assert.match(requests.at(-1) ?? '', /KILL QUERY/);
  });
}

test('a connection lost in Native format is an error, also between blocks', async () => {
  for (const bytes of [BLOCKS, BLOCKS.subarray(0, -1), BLOCK.subarray(0, 1000)]) {
    const { logs } = await replay((response) => response.write(bytes, () => response.destroy()));
    await assert.rejects(count(logs, { fields: true }), isLostConnection);
  }
});

test('a truncated response in Native format is an error', async () => {
  const { logs } = await replay((response) => response.end(BLOCKS.subarray(0, -1)));
  await assert.rejects(count(logs, { fields: true }), (error: BifractError) => {
    assert.deepEqual([error.code, error.transient, error.cause], ['QUERY_FAILED', true, undefined]);
    return true;
  });
});

test('a reader that stops or aborts leaves no thread and no query behind', async () => {
  const reason = cancelled();
  const controller = new AbortController();
  const { logs, requests } = await replay((response) =>
    response.write(Buffer.concat([BLOCKS, BLOCKS, BLOCKS])),
  );
  for await (const _ of logs.lines({ fractal_id: 'f' }, { fields: true })) break;
  assert.match(requests.at(-1) ?? '', /KILL QUERY/);
  const aborted = count(logs, {
    fields: true,
    signal: controller.signal,
    onBlock: () => controller.abort(reason),
  });
  await assert.rejects(aborted, (error) => error === reason);
  assert.match(requests.at(-1) ?? '', /KILL QUERY/);
  await until(() => threads() === 0, LIMIT_MS, 'the thread to end');
});

function isLostConnection(error: unknown): boolean {
  return (
    error instanceof BifractError &&
    error.code === 'QUERY_FAILED' &&
    error.transient &&
    error.cause instanceof Error &&
    error.message.endsWith(error.cause.message)
  );
}

function threads(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
}

test('a lost connection is an error, also between lines', async () => {
  const { logs } = await replay((response) => response.write(LINE, () => response.destroy()), TEXT);
  const counting = count(logs);
  await refuses('QUERY_FAILED', counting);
  await assert.rejects(counting, isLostConnection);
});

test('the error of a server contains its reason', async () => {
  const { logs } = await replay((response) => {
    response.statusCode = 500;
    response.setHeader('X-ClickHouse-Exception-Code', '241');
    response.end(MESSAGE);
  });
  await refuses('QUERY_FAILED', count(logs));
  await assert.rejects(count(logs), /memory limit exceeded/);
});

test('another service on the port is an error', async () => {
  const { logs } = await replay((response) => {
    response.statusCode = 404;
    response.end('<html>not found</html>');
  });
  await refuses('QUERY_FAILED', logs.version());
});

test('an abort ends a query of a hanging server at once', async () => {
  const reason = cancelled();
  for (const start of [() => undefined, (response: ServerResponse) => response.write(LINE)]) {
    const controller = new AbortController();
    const { logs, requests } = await replay((response) => {
      start(response);
      setImmediate(() => controller.abort(reason));
    }, TEXT);
    await assert.rejects(count(logs, { signal: controller.signal }), (error) => error === reason);
    assert.match(requests.at(-1) ?? '', /KILL QUERY/);
  }
});

test('queries ask for an exact, unlimited stream', async () => {
  const { logs, requests } = await replay((response) => response.end());
  await count(logs);
  for (const setting of [
    'wait_end_of_query=0',
    'max_result_rows=0',
    'date_time_output_format=iso',
    'max_execution_time=0',
  ]) {
    assert.ok(requests[0]?.includes(setting), setting);
  }
  assert.ok(!requests[0]?.includes('enable_http_compression=1'));
});
