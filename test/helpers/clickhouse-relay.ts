import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** Stands before a ClickHouse and passes all on as it is, but for what it was told to refuse. */
export interface ClickhouseRelay {
  url: string;
  /** The statements that came, in their order. */
  asked: string[];
  close(): Promise<void>;
}

/**
 * `refuse` gives the number of ClickHouse's error with which a statement is answered, by its text; a connection is cut
 * where `cut` says so of the parameters of a call, once its first bytes have come.
 */
export async function relayClickhouse(
  target: string,
  refuse: (sql: string) => number | undefined = () => undefined,
  cut: (params: URLSearchParams) => boolean = () => false,
): Promise<ClickhouseRelay> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    if (cut(new URL(request.url ?? '/', target).searchParams)) {
      request.once('data', () => request.socket.resetAndDestroy());
      return;
    }
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    asked.push(body.toString());
    const code = refuse(body.toString());
    if (code !== undefined) {
      response.writeHead(404, { 'X-ClickHouse-Exception-Code': String(code) });
      response.end(`Code: ${code}. DB::Exception: Refused. (REFUSED) (version 1.2.3)\n`);
      return;
    }
    const headers = { authorization: request.headers.authorization };
    const onward = ask(new URL(request.url ?? '/', target), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      pipeline(answer, response).catch(() => undefined);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
