import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after } from 'node:test';

/** How to respond to a request: with a status, or by closing the connection before or after accepting the lines. */
type IngestResponse = number | { status: number; retry_after: string } | 'cut' | 'taken, cut';

interface IngestServer {
  url: string;
  /** Accepted lines in the order received. */
  accepted: string[];
  /** Authorization header of each request. */
  authorizations: string[];
  /** Responses to the next requests; later requests are accepted. */
  responses: IngestResponse[];
}

/** The ingest endpoint of a Bifract server. Closed after the tests of the file. */
export async function ingestServer(): Promise<IngestServer> {
  const state: IngestServer = { url: '', accepted: [], authorizations: [], responses: [] };
  const server = createServer(async (request, response) => {
    const body = await text(request);
    state.authorizations.push(String(request.headers.authorization));
    const planned = request.url === '/api/v1/ingest' ? (state.responses.shift() ?? 200) : 404;
    const lines = body.split('\n').filter(Boolean);
    if (planned === 200 || planned === 'taken, cut') state.accepted.push(...lines);
    respond(response, planned, lines.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return state;
}

function respond(response: ServerResponse, planned: IngestResponse, count: number): void {
  if (typeof planned === 'string') return void response.destroy();
  const status = typeof planned === 'number' ? planned : planned.status;
  if (typeof planned !== 'number') response.setHeader('Retry-After', planned.retry_after);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(status === 200 ? { success: true, count } : { success: false }));
}
