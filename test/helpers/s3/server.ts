import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bucket } from './bucket.ts';
import type { Fault, FaultPlan } from './fault.ts';
import { type Behavior, parseRequest, type S3Request } from './request.ts';
import { element, ok, S3Error, type S3Response, textElement, xmlDocument } from './response.ts';
import { ROUTES } from './routes.ts';
import { type Credentials, verifySignature } from './signature.ts';

export interface S3ServerOptions extends Partial<Behavior>, Partial<Credentials> {
  /** Folder with one subfolder per bucket. */
  dir: string;
  /** Default: a free one. */
  port?: number;
  /** Buckets to create. */
  buckets?: string[];
  fault?: FaultPlan;
}

/** Default credentials. */
export const TEST_CREDENTIALS: Credentials = { access_key: 'labaccess', secret_key: 'labsecretlabsecret' };

const BEHAVIOR: Behavior = {
  conditional: true,
  smallest_part: 5 << 20,
  versioning: false,
  object_lock: false,
};

/**
 * A small, strict S3 server on 127.0.0.1. Verifies signatures, checksums and parts; acknowledged writes survive a kill.
 * A callback injects faults.
 */
export class S3Server {
  readonly url: string;
  readonly buckets = new Map<string, Bucket>();
  fault: FaultPlan | undefined;
  readonly #options: S3ServerOptions;
  readonly #server: Server;
  #count = 0;

  private constructor(options: S3ServerOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.fault = options.fault;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    mkdirSync(options.dir, { recursive: true });
    for (const name of new Set([...readdirSync(options.dir), ...(options.buckets ?? [])])) {
      this.buckets.set(name, new Bucket(options.dir, name));
    }
    server.on('request', (message, response) => void this.#serve(message, response));
  }

  static async start(options: S3ServerOptions): Promise<S3Server> {
    const server = createServer({ requestTimeout: 0, highWaterMark: 1 << 18 });
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new S3Server(options, server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-amz-request-id', randomBytes(8).toString('hex').toUpperCase());
    try {
      const request = parseRequest(message);
      const fault = this.#faultOf(request);
      await sleep(fault.delay_ms ?? 0);
      await fault.until;
      if (fault.stall) return void message.pause();
      const answer = await this.#answer(request, fault);
      if (fault.lose_response) return void message.socket.destroy();
      await send(message, response, answer, fault);
    } catch (error) {
      sendError(message, response, error);
    }
  }

  #faultOf({ operation, bucket, key, query }: S3Request): Fault {
    const part = query.has('partNumber') ? Number(query.get('partNumber')) : undefined;
    return this.fault?.({ operation, bucket, key, part, count: ++this.#count }) ?? {};
  }

  async #answer(request: S3Request, fault: Fault): Promise<S3Response> {
    const payload = verifySignature(request, { ...TEST_CREDENTIALS, ...this.#options });
    if (fault.status !== undefined) return faulty(fault, fault.status);
    if (fault.error_in_200 !== undefined) return ok(errorXml(new S3Error(500, fault.error_in_200)));
    if (Buffer.byteLength(request.key) > 1024) throw new S3Error(400, 'KeyTooLongError');
    if (request.operation === 'list-buckets') return this.#listBuckets();
    if (request.operation === 'create-bucket') return this.#createBucket(request.bucket);
    const bucket = this.buckets.get(request.bucket);
    if (!bucket) throw new S3Error(404, 'NoSuchBucket', 'The bucket does not exist');
    const route = ROUTES[request.operation];
    if (!route) throw new S3Error(501, 'NotImplemented');
    const options = { ...BEHAVIOR, ...this.#options };
    return route({ bucket, request, body: withFault(request.message, fault), payload, options });
  }

  #listBuckets(): S3Response {
    const names = [...this.buckets.keys()].map((name) => element('Bucket', textElement('Name', name)));
    return ok(xmlDocument('ListAllMyBucketsResult', element('Buckets', names.join(''))));
  }

  #createBucket(name: string): S3Response {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new S3Error(400, 'InvalidBucketName');
    if (this.buckets.has(name)) throw new S3Error(409, 'BucketAlreadyOwnedByYou');
    this.buckets.set(name, new Bucket(this.#options.dir, name));
    return ok();
  }
}

/** The request body, cut or corrupted by the fault. */
async function* withFault(message: IncomingMessage, { cut_after, corrupt }: Fault): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    seen += piece.length;
    if (cut_after !== undefined && seen > cut_after) message.socket.destroy();
    if (corrupt && seen === piece.length) piece[0] = (piece[0] ?? 0) ^ 1;
    yield piece;
  }
}

async function send(
  message: IncomingMessage,
  response: ServerResponse,
  { status, headers, body = '' }: S3Response,
  fault: Fault,
): Promise<void> {
  const text = typeof body === 'string';
  const length = text ? Buffer.byteLength(body) : body.length;
  const type = text && body ? { 'content-type': 'application/xml' } : {};
  response.writeHead(status, {
    ...type,
    ...headers,
    ...(status === 204 ? {} : { 'content-length': length }),
  });
  if (message.method === 'HEAD' || text) return void response.end(message.method === 'HEAD' ? '' : body);
  const { cut_response_after: cut_answer_after, stall_response_after: stall_answer_after } = fault;
  const limit = cut_answer_after ?? stall_answer_after;
  if (limit === undefined) return pipeline(Readable.from(body.bytes), response);
  await sendSome(response, body.bytes, limit);
  if (stall_answer_after === undefined) response.socket?.destroySoon();
}

async function sendSome(
  response: ServerResponse,
  bytes: AsyncIterable<Buffer>,
  limit: number,
): Promise<void> {
  let sent = 0;
  for await (const piece of bytes) {
    const part = piece.subarray(0, limit - sent);
    sent += part.length;
    await new Promise((written) => response.write(part, written));
    if (sent === limit) return;
  }
}

function faulty({ code = 'InternalError', headers }: Fault, status: number): S3Response {
  return { status, headers: headers ?? {}, body: errorXml(new S3Error(status, code)) };
}

function errorXml({ code, message }: S3Error): string {
  const inner = textElement('Code', code) + textElement('Message', message);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', inner)}`;
}

function sendError(message: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || message.socket.destroyed) return void response.destroy();
  const refusal = error instanceof S3Error ? error : new S3Error(500, 'InternalError', String(error));
  const bare = refusal.status === 304 || message.method === 'HEAD';
  const close: Record<string, string> = message.complete ? {} : { connection: 'close' };
  response.writeHead(refusal.status, { 'content-type': 'application/xml', ...close });
  response.end(bare ? '' : errorXml(refusal));
  message.resume();
}
