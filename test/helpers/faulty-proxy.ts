import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after } from 'node:test';

/**
 * How an answer goes wrong: before it begins with `busy` (too many queries at once), `gateway` (a proxy that has nobody
 * behind it) and `reset` (the connection breaks); in its middle: `frame` as servers since 25.11 do it (an exception frame, and the
 * connection breaks), `text` and `json` as older ones (the error in the place of rows, and a clean end), `cut`
 * (the connection breaks and nothing is said), `stall` (nothing comes any more).
 */
export type FaultStyle = 'busy' | 'gateway' | 'reset' | 'frame' | 'text' | 'json' | 'cut' | 'stall';

export interface Fault {
  style: FaultStyle;
  /** How much of the answer's body still arrives. */
  after_bytes: number;
  /** Which statements it befalls; left out: all. */
  when?: (sql: string) => boolean;
  /** How many answers it befalls before all is well again; left out: all. */
  times?: number;
}

export interface FaultyProxy {
  url: string;
  /** What goes wrong from now on; undefined: nothing. */
  fault: Fault | undefined;
  /** Where it is set, what goes wrong with the answer of a statement. */
  choose?: (sql: string) => Fault | undefined;
  /** Statements that were asked, in order. */
  statements: string[];
  close(): Promise<void>;
}

/** The error that the faults tell. */
export const FAULT_TEXT =
  'Code: 241. DB::Exception: Memory limit (total) exceeded: would use 9.31 GiB. (MEMORY_LIMIT_EXCEEDED)';

/** A proxy in front of a ClickHouse that does as it is told to; it ends with the file's tests. */
export async function faultyProxy(upstream: string): Promise<FaultyProxy> {
  const proxy = await startFaultyProxy(upstream);
  after(() => proxy.close());
  return proxy;
}

/** The same, to be closed. */
export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const server = createServer((incoming, outgoing) => {
    void relay(new URL(upstream), proxy, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: undefined,
    statements: [],
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}

async function relay(
  upstream: URL,
  proxy: FaultyProxy,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await buffer(incoming);
  const query = new URL(incoming.url ?? '/', upstream).searchParams.get('query') ?? '';
  const sql = query || body.toString();
  proxy.statements.push(sql);
  const fault = proxy.choose ? proxy.choose(sql) : take(proxy, sql);
  if (fault && refuse(fault, outgoing)) return;
  const { hostname, port } = upstream;
  const asking = request({
    hostname,
    port,
    path: incoming.url,
    method: incoming.method,
    headers: incoming.headers,
  });
  outgoing.on('close', () => asking.destroy());
  asking.end(body);
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
  if (fault) await spoil(fault, answer, outgoing);
  else await pass(answer, outgoing);
}

/** Whether the answer went wrong before it began. */
function refuse({ style }: Fault, outgoing: ServerResponse): boolean {
  if (style === 'reset') outgoing.destroy();
  else if (style === 'gateway') outgoing.writeHead(502).end('<html>502 Bad Gateway</html>');
  else if (style === 'busy') {
    outgoing.writeHead(500, { 'X-ClickHouse-Exception-Code': '202' });
    outgoing.end(
      'Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)\n',
    );
  } else return false;
  return true;
}

function take(proxy: FaultyProxy, sql: string): Fault | undefined {
  const { fault } = proxy;
  if (!fault || fault.when?.(sql) === false || fault.times === 0) return undefined;
  if (fault.times !== undefined) fault.times--;
  return fault;
}

async function pass(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (!outgoing.write(chunk)) await once(outgoing, 'drain');
  }
  outgoing.end();
}

async function spoil(fault: Fault, answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let left = fault.after_bytes;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (!outgoing.write(part) && left > 0) await once(outgoing, 'drain');
    if (left === 0) break;
  }
  if (fault.style === 'stall') return;
  const words = lastWords(fault.style, String(answer.headers['x-clickhouse-exception-tag']));
  if (fault.style === 'text' || fault.style === 'json') outgoing.end(words);
  else outgoing.write(words, () => setImmediate(() => outgoing.socket?.end()));
}

function lastWords(style: FaultStyle, tag: string): string {
  const text = `${FAULT_TEXT} (version 25.3.1.1)\n`;
  if (style === 'text') return text;
  if (style === 'json') return `${JSON.stringify({ exception: text.trim() })}\n`;
  if (style !== 'frame') return '';
  return `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`;
}
