import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** A proxy that forwards requests to ClickHouse unchanged, except those it should reject. */
interface ClickhouseRelay {
  url: string;
  /** Statements in the order received. */
  statements: string[];
  /** Statements that ClickHouse has refused, and its error codes. */
  failures: { sql: string; code: string }[];
  /**
   * Never answers the next statement that matches. `reached` resolves when it has arrived, or if it is forwarded, when
   * ClickHouse has run it.
   */
  holdNext(matches: (sql: string) => boolean, forward?: boolean): { reached: Promise<void> };
  close(): Promise<void>;
}

/**
 * `rejectWith` returns the ClickHouse error code to reject a statement with. If `cut` returns true for the parameters of a
 * request, its connection is reset after the first bytes of the body.
 */
export async function relayClickhouse(
  target: string,
  rejectWith: (sql: string) => number | undefined = () => undefined,
  cut: (params: URLSearchParams) => boolean = () => false,
): Promise<ClickhouseRelay> {
  const statements: string[] = [];
  const failures: ClickhouseRelay['failures'] = [];
  let hold: { matches: (sql: string) => boolean; forward: boolean; reached: () => void } | undefined;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    if (cut(new URL(request.url ?? '/', target).searchParams)) {
      request.once('data', () => request.socket.resetAndDestroy());
      return;
    }
    // A client that is killed breaks off.
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(parts);
    const { searchParams } = new URL(request.url ?? '/', target);
    const sql = searchParams.get('query') || body.toString();
    statements.push(sql);
    const held = hold?.matches(sql) ? hold : undefined;
    if (held) hold = undefined;
    if (held && !held.forward) return held.reached();
    const code = rejectWith(sql);
    if (code !== undefined) {
      response.writeHead(404, { 'X-ClickHouse-Exception-Code': String(code) });
      response.end(`Code: ${code}. DB::Exception: Refused. (REFUSED) (version 1.2.3)\n`);
      return;
    }
    const headers = { authorization: request.headers.authorization };
    const outgoing = forward(
      new URL(request.url ?? '/', target),
      { method: request.method, headers },
      (incoming) => {
        const refused = incoming.headers['x-clickhouse-exception-code'];
        if (refused !== undefined) failures.push({ sql, code: String(refused) });
        if (held) return void incoming.resume().on('end', held.reached);
        response.writeHead(incoming.statusCode ?? 500, incoming.headers);
        pipeline(incoming, response).catch(() => undefined);
      },
    );
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    outgoing.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    failures,
    holdNext: (matches, forward = false) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = { matches, forward, reached: resolve };
      return { reached: promise };
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
