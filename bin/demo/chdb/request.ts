import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { exception } from './exception.ts';
import { isInsert, rewriteKill, splitInlineInsert, usesInput } from './statement.ts';

const STATEMENT_LIMIT = 256 << 20;

/** The account that requests must use. */
export interface Account {
  user: string;
  password: string;
}

/** A request before its body is read. */
export interface Call {
  id: string;
  path: string;
  params: URLSearchParams;
  headers: IncomingHttpHeaders;
  readonly: boolean;
}

/** The statement of a request, with the rows of an INSERT as a stream or inline. */
export interface Statement {
  sql: string;
  rows?: Readable;
  inline: Buffer;
}

export function parseCall(request: IncomingMessage): Call {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const header = request.headers['x-clickhouse-query-id'];
  const id = searchParams.get('query_id') || (typeof header === 'string' && header) || randomUUID();
  return {
    id,
    path: pathname,
    params: searchParams,
    headers: request.headers,
    readonly: request.method === 'GET',
  };
}

/** Checks user and password, in any of the places clients put them. Throws `AUTHENTICATION_FAILED`. */
export function authenticate({ headers, params }: Call, account: Account): void {
  const encoded = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  const [name, ...rest] = encoded === undefined ? [] : Buffer.from(encoded, 'base64').toString().split(':');
  const user = headers['x-clickhouse-user'] ?? name ?? params.get('user') ?? 'default';
  const password =
    headers['x-clickhouse-key'] ?? (name === undefined ? params.get('password') : rest.join(':')) ?? '';
  if (user === account.user && password === account.password) return;
  const reason = 'password is incorrect, or there is no user with such name.';
  throw exception(516, 'AUTHENTICATION_FAILED', `${user}: Authentication failed: ${reason}`);
}

/** Reads the statement; rows of a streamed INSERT stay unread. Form fields become parameters of the call. */
export async function readStatement(request: IncomingMessage, call: Call): Promise<Statement> {
  const body = decoded(request);
  const query = call.params.get('query') ?? '';
  if (/^multipart\/form-data/.test(call.headers['content-type'] ?? '')) {
    return toStatement(query + (await readForm(body, call)), Buffer.alloc(0));
  }
  if (isInsert(query) && hasBody(request))
    return { ...toStatement(query, Buffer.alloc(0), true), rows: body };
  const bytes = await readAll(body);
  if (query) return toStatement([query, bytes.toString()].filter(Boolean).join('\n'), Buffer.alloc(0));
  const { sql, data } = splitInlineInsert(bytes);
  return toStatement(sql, data);
}

function toStatement(text: string, inline: Buffer, streamed = false): Statement {
  const sql = rewriteKill(text.replace(/[\s;]+$/, ''));
  if (usesInput(sql) && !streamed) {
    throw exception(48, 'NOT_IMPLEMENTED', 'input() needs the statement in ?query= and the data in the body');
  }
  return { sql, inline };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function readForm(body: Readable, call: Call): Promise<string> {
  const type = { headers: { 'content-type': call.headers['content-type'] ?? '' } };
  const form = await new Response(new Uint8Array(await readAll(body)), type).formData();
  for (const [name, value] of form) if (name !== 'query') call.params.set(name, String(value));
  return form.getAll('query').join('');
}

function decoded(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return request;
  const makers: Record<string, () => zlib.Gunzip> = {
    gzip: zlib.createGunzip,
    deflate: zlib.createInflate,
    br: zlib.createBrotliDecompress,
    zstd: zlib.createZstdDecompress,
  };
  const decoder = makers[encoding]?.();
  if (!decoder) throw exception(48, 'NOT_IMPLEMENTED', `Unknown Content-Encoding ${encoding}`);
  request.on('error', (error) => decoder.destroy(error));
  request.on('aborted', () => decoder.destroy(new Error('The client disconnected')));
  return request.pipe(decoder);
}

async function readAll(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > STATEMENT_LIMIT) throw exception(223, 'QUERY_IS_TOO_LARGE', 'Query is too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
