import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after } from 'node:test';

/**
 * How a response fails. Before it starts: `busy` (too many queries), `gateway` (502 of a proxy), `reset` (connection
 * reset). In the middle: `frame` (exception frame, then connection closed, as servers since 25.11 do), `text` and `json`
 * (the error in place of rows and a clean end, as older servers do), `cut` (connection closed), `stall` (no more data).
 */
export type FaultStyle = 'busy' | 'gateway' | 'reset' | 'frame' | 'text' | 'json' | 'cut' | 'stall';

export interface Fault {
  style: FaultStyle;
  /** Bytes of the body that still arrive. */
  after_bytes: number;
  /** Affected statements; default: all. */
  when?: (sql: string) => boolean;
  /** Number of affected responses; default: all. */
  times?: number;
}

export interface FaultyProxy {
  url: string;
  /** The current fault, if any. */
  fault: Fault | undefined;
  /** If set, chooses the fault for each statement instead. */
  chooseFault?: (sql: string) => Fault | undefined;
  /** Statements received, in order. */
  statements: string[];
  close(): Promise<void>;
}

/** The error text of the faults. */
export const FAULT_TEXT =
  'Code: 241. DB::Exception: Memory limit (total) exceeded: would use 9.31 GiB. (MEMORY_LIMIT_EXCEEDED)';

/** A proxy in front of ClickHouse that injects faults. Closed after the file's tests. */
export async function faultyProxy(upstream: string): Promise<FaultyProxy> {
  const proxy = await startFaultyProxy(upstream);
  after(() => proxy.close());
  return proxy;
}

/** Like `faultyProxy`; the caller closes it. */
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
  const fault = proxy.chooseFault ? proxy.chooseFault(sql) : take(proxy, sql);
  if (fault && failAtStart(fault, outgoing)) return;
  const { hostname, port } = upstream;
  const upstreamRequest = request({
    hostname,
    port,
    path: incoming.url,
    method: incoming.method,
    headers: incoming.headers,
  });
  outgoing.on('close', () => upstreamRequest.destroy());
  upstreamRequest.end(body);
  const [response] = (await once(upstreamRequest, 'response')) as [IncomingMessage];
  outgoing.writeHead(response.statusCode ?? 500, response.headers);
  if (fault) await breakOff(fault, response, outgoing);
  else await forward(response, outgoing);
}

/** Returns whether the response failed before it started. */
function failAtStart({ style }: Fault, outgoing: ServerResponse): boolean {
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

async function forward(response: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (!outgoing.write(chunk)) await once(outgoing, 'drain');
  }
  outgoing.end();
}

async function breakOff(fault: Fault, response: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let left = fault.after_bytes;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (!outgoing.write(part) && left > 0) await once(outgoing, 'drain');
    if (left === 0) break;
  }
  if (fault.style === 'stall') return;
  const ending = brokenEnding(fault.style, String(response.headers['x-clickhouse-exception-tag']));
  if (fault.style === 'text' || fault.style === 'json') outgoing.end(ending);
  else outgoing.write(ending, () => setImmediate(() => outgoing.socket?.end()));
}

function brokenEnding(style: FaultStyle, tag: string): string {
  const text = `${FAULT_TEXT} (version 25.3.1.1)\n`;
  if (style === 'text') return text;
  if (style === 'json') return `${JSON.stringify({ exception: text.trim() })}\n`;
  if (style !== 'frame') return '';
  return `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`;
}
