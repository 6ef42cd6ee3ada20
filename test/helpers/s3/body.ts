import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { Segment } from './bucket.ts';
import { S3Error } from './response.ts';

/** A body on disk with verified checksums. */
export interface Received extends Segment {
  /** MD5, hex. */
  etag: string;
}

const SUMS = ['crc32', 'sha1', 'sha256'] as const;
type Sum = (typeof SUMS)[number];

/** Receives a body into a new file in `folder`; deletes it if length or checksums are wrong. */
export async function receiveBody(
  message: IncomingMessage,
  source: AsyncIterable<Buffer>,
  folder: string,
  payload: string,
): Promise<Received> {
  const file = join(folder, randomBytes(12).toString('hex'));
  const trailer: Trailer = {};
  const digests = new Digests(message, payload);
  const content = payload.startsWith('STREAMING-') ? dechunk(source, trailer) : source;
  try {
    await pipeline(content, (pieces: AsyncIterable<Buffer>) => digests.pass(pieces), createWriteStream(file));
    return { file, size: digests.size, etag: digests.verify(message, payload, trailer) };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Receives a small body as text and verifies its checksum. */
export async function receiveText(message: IncomingMessage, source: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const wanted = message.headers['x-amz-checksum-crc32'];
  if (wanted !== undefined && wanted !== base64Crc(crc32(body))) throw new S3Error(400, 'BadDigest');
  return body.toString();
}

class Digests {
  size = 0;
  #crc = 0;
  readonly #md5 = createHash('md5');
  readonly #sha256 = createHash('sha256');
  readonly #sha1 = createHash('sha1');
  readonly #wanted: Set<Sum>;

  constructor({ headers }: IncomingMessage, payload: string) {
    const named = (sum: Sum) =>
      headers[`x-amz-checksum-${sum}`] !== undefined || headers['x-amz-trailer'] === `x-amz-checksum-${sum}`;
    this.#wanted = new Set(SUMS.filter(named));
    if (isHash(payload)) this.#wanted.add('sha256');
  }

  async *pass(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      this.size += piece.length;
      this.#md5.update(piece);
      if (this.#wanted.has('crc32')) this.#crc = crc32(piece, this.#crc);
      if (this.#wanted.has('sha1')) this.#sha1.update(piece);
      if (this.#wanted.has('sha256')) this.#sha256.update(piece);
      yield piece;
    }
  }

  /** Verifies length and checksums declared by the request. Returns the ETag. */
  verify({ headers }: IncomingMessage, payload: string, trailer: Trailer): string {
    const length = headers['x-amz-decoded-content-length'] ?? headers['content-length'];
    if (length !== undefined && Number(length) !== this.size) throw new S3Error(400, 'IncompleteBody');
    const md5 = this.#md5.digest();
    const md5Given = headers['content-md5'];
    if (md5Given !== undefined && md5Given !== md5.toString('base64')) throw new S3Error(400, 'BadDigest');
    const sha256 = this.#sha256.digest();
    if (isHash(payload) && sha256.toString('hex') !== payload)
      throw new S3Error(400, 'XAmzContentSHA256Mismatch');
    const sums = {
      crc32: base64Crc(this.#crc),
      sha1: this.#sha1.digest('base64'),
      sha256: sha256.toString('base64'),
    };
    for (const sum of SUMS) {
      const given = trailer[`x-amz-checksum-${sum}`] ?? headers[`x-amz-checksum-${sum}`];
      if (given !== undefined && given !== sums[sum])
        throw new S3Error(400, 'BadDigest', `The ${sum} differs`);
    }
    return md5.toString('hex');
  }
}

function isHash(payload: string): boolean {
  return /^[0-9a-f]{64}$/.test(payload);
}

function base64Crc(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

/** Trailing headers of a chunked body. */
type Trailer = Record<string, string>;

/** Decodes an `aws-chunked` body. Trailing headers go into `trailer`. */
async function* dechunk(source: AsyncIterable<Buffer>, trailer: Trailer): AsyncGenerator<Buffer> {
  const reader = new ChunkReader(source);
  while (true) {
    const size = Number.parseInt(await reader.line(), 16);
    if (!(size >= 0)) throw new S3Error(400, 'InvalidChunkSizeError');
    if (size === 0) break;
    yield* reader.take(size);
    await reader.line();
  }
  for (const line of (await reader.rest()).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) trailer[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
}

class ChunkReader {
  readonly #source: AsyncIterator<Buffer>;
  #buffered: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    while (true) {
      const end = this.#buffered.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffered.subarray(0, end).toString();
        this.#buffered = this.#buffered.subarray(end + 2);
        return line;
      }
      if (!(await this.#more())) throw new S3Error(400, 'IncompleteBody');
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#buffered.length === 0 && !(await this.#more())) throw new S3Error(400, 'IncompleteBody');
      const piece = this.#buffered.subarray(0, left);
      this.#buffered = this.#buffered.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async rest(): Promise<string> {
    while (await this.#more());
    return this.#buffered.toString();
  }

  async #more(): Promise<boolean> {
    const step = await this.#source.next();
    if (!step.done)
      this.#buffered = this.#buffered.length ? Buffer.concat([this.#buffered, step.value]) : step.value;
    return !step.done;
  }
}
