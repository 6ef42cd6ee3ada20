/**
 * Serves an embedded engine through ClickHouse's HTTP interface, for the demo and the tests.
 *
 * Environment: `CHDB_MODULE` (resolved path of chdb), `CHDB_PATH` (data), `CHDB_TEMP` (folder for pipes), `CHDB_USER`,
 * `CHDB_PASSWORD`, `TZ`, `UV_THREADPOOL_SIZE`; `CHDB_HOST` and `CHDB_PORT`, where it listens (127.0.0.1, any port). Prints
 * its port as the only line.
 */
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChdbEngine } from './chdb/engine.ts';
import { execute } from './chdb/execute.ts';
import { Fifos } from './chdb/fifo.ts';
import { authenticate, type Call, parseCall, readStatement } from './chdb/request.ts';
import { StatementResponse } from './chdb/response.ts';
import { Sessions } from './chdb/sessions.ts';
import { preparation } from './chdb/statement.ts';

const RESERVED_THREADS = 4;
const SESSION_SECONDS = '60';

const account = { user: process.env.CHDB_USER ?? 'default', password: process.env.CHDB_PASSWORD ?? '' };
const data = setting('CHDB_PATH');
mkdirSync(data, { recursive: true, mode: 0o700 });
const fifos = new Fifos(setting('CHDB_TEMP'));
const limit = Number(setting('UV_THREADPOOL_SIZE')) - RESERVED_THREADS;
const engine = new ChdbEngine(setting('CHDB_MODULE'), data, limit);
const sessions = new Sessions(engine);

const server = createServer({ keepAliveTimeout: 10_000, requestTimeout: 0 }, (request, response) => {
  void serve(request, response);
});
server.listen(Number(process.env.CHDB_PORT ?? 0), process.env.CHDB_HOST ?? '127.0.0.1', () =>
  console.log((server.address() as AddressInfo).port),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set`);
  process.exit(1);
}

function stop(): void {
  server.close();
  server.closeAllConnections();
  sessions.end();
  engine.end();
  process.exit(0);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = parseCall(request);
  const disconnected = new AbortController();
  const output = new StatementResponse(response, call, disconnected.signal);
  let busy = true;
  response.on('close', () => {
    if (!busy || response.writableFinished) return;
    disconnected.abort(new Error('The client disconnected'));
    void engine.kill(call.id);
  });
  try {
    await handle(call, request, response, output, disconnected.signal);
  } catch (error) {
    if (!request.complete) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
      request.resume();
    }
    output.fail(error, engine.version);
  } finally {
    busy = false;
  }
}

async function handle(
  call: Call,
  request: IncomingMessage,
  response: ServerResponse,
  output: StatementResponse,
  signal: AbortSignal,
): Promise<void> {
  if (['/ping', '/replicas_status'].includes(call.path)) return void response.end('Ok.\n');
  if (call.path !== '/') return void response.writeHead(404).end(`There is no handle ${call.path}\n`);
  response.setHeader('X-ClickHouse-Query-Id', call.id);
  response.setHeader('X-ClickHouse-Server-Display-Name', 'chdb');
  response.setHeader('X-ClickHouse-Timezone', engine.timezone);
  authenticate(call, account);
  const statement = await readStatement(request, call);
  if (!statement.sql) return void response.end('Ok.\n');
  const releaseSlot = await engine.acquireSlot();
  try {
    const seconds = Number(call.params.get('session_timeout') ?? SESSION_SECONDS);
    const lease = sessions.lease(call.params.get('session_id'), seconds);
    try {
      const { connection } = lease;
      const prepare = preparation(call.params, call.headers, call.readonly, call.id);
      await connection.queryAsync(prepare, { format: 'Null' });
      await execute({ engine, fifos, connection, call, statement, output, signal });
    } finally {
      await lease.release();
    }
  } finally {
    releaseSlot();
  }
}
