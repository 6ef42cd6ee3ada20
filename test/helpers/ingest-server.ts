import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after } from 'node:test';

/** What is done to a request: answered with a status, or its connection cut before or after the lines were taken. */
export type IngestFate = number | { status: number; retry_after: string } | 'cut' | 'taken, cut';

export interface IngestServer {
  url: string;
  /** Lines that were taken, in the order that they came in. */
  taken: string[];
  /** Authorization of each request. */
  tokens: string[];
  /** What befalls the next requests; the rest are accepted. */
  fates: IngestFate[];
}

/** The ingest of a Bifract server, as far as its clients see it. Ends with the file's tests. */
export async function ingestServer(): Promise<IngestServer> {
  const here: IngestServer = { url: '', taken: [], tokens: [], fates: [] };
  const server = createServer(async (request, response) => {
    const body = await text(request);
    here.tokens.push(String(request.headers.authorization));
    const fate = request.url === '/api/v1/ingest' ? (here.fates.shift() ?? 200) : 404;
    const lines = body.split('\n').filter(Boolean);
    if (fate === 200 || fate === 'taken, cut') here.taken.push(...lines);
    answer(response, fate, lines.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  here.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return here;
}

function answer(response: ServerResponse, fate: IngestFate, count: number): void {
  if (typeof fate === 'string') return void response.destroy();
  const status = typeof fate === 'number' ? fate : fate.status;
  if (typeof fate !== 'number') response.setHeader('Retry-After', fate.retry_after);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(status === 200 ? { success: true, count } : { success: false }));
}
