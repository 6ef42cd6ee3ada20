import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { S3Connection } from './connection.ts';
import { failureOf, isTransient } from './retry.ts';

interface Range extends CallOptions {
  offset: number;
  /** Undefined: to the end. */
  length?: number;
}

/** Position of a read, to resume it when the connection breaks. */
interface Position {
  at: number;
  end: number | undefined;
  etag: string | undefined;
}

/**
 * The bytes of a range, fewer only at the end of the object. After a broken or stalled connection the read is resumed at
 * the same byte, on the same version of the object.
 */
export async function* streamRange(
  connection: S3Connection,
  name: string,
  { offset, length, signal }: Range,
): AsyncGenerator<Buffer> {
  const position: Position = {
    at: offset,
    end: length === undefined ? undefined : offset + length,
    etag: undefined,
  };
  for (let failures = 0; ; ) {
    const body = await open(connection, name, position, signal);
    if (!body) return;
    const before = position.at;
    let broken: unknown;
    try {
      for await (const piece of body) {
        position.at += piece.length;
        // A response without a length may go on for ever.
        if (position.at > (position.end ?? Infinity)) throw wrongRange(name);
        yield piece;
      }
    } catch (error) {
      broken = error;
    }
    signal?.throwIfAborted();
    if (broken instanceof BifractError) throw broken;
    if (!broken && position.at >= (position.end ?? 0)) return;
    failures = position.at > before ? 1 : failures + 1;
    const cause = broken ?? Object.assign(new Error('the response is truncated'), { code: 'ECONNRESET' });
    if (failures >= connection.attempts || !isTransient(cause))
      throw connection.explain(`Cannot read ${name}`, cause);
    await connection.pause(failures, cause, signal);
  }
}

/** Undefined if nothing is left to read. */
async function open(
  connection: S3Connection,
  name: string,
  position: Position,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Buffer> | undefined> {
  if (position.end !== undefined && position.at >= position.end) return undefined;
  const input = {
    Bucket: connection.settings.bucket,
    Key: name,
    Range: rangeOf(position),
    IfMatch: position.etag,
  };
  try {
    const response = await connection.send((s3, http) => s3.getObject(input, http), { signal });
    applyResponse(position, response, name);
    return response.Body as Readable;
  } catch (error) {
    signal?.throwIfAborted();
    const { status, code } = failureOf(error);
    if (status === 416) return undefined;
    if (status === 404 && code !== 'NoSuchBucket') throw notFound(connection, name);
    if (status === 412)
      throw new BifractError('STORAGE_FAILED', `${name} was replaced while it was being read`, {
        hint: 'Another program writes to the bucket. Try again when it has finished.',
      });
    throw connection.explain(`Cannot read ${name}`, error);
  }
}

function rangeOf({ at, end }: Position): string | undefined {
  if (end !== undefined) return `bytes=${at}-${end - 1}`;
  return at > 0 ? `bytes=${at}-` : undefined;
}

/** Takes the version and the end of the object from the response. */
function applyResponse(position: Position, response: GetObjectCommandOutput, name: string): void {
  const first = Number(/^bytes (\d+)-/.exec(response.ContentRange ?? 'bytes 0-')?.[1]);
  const length = response.ContentLength;
  if (first !== position.at || position.at + (length ?? 0) > (position.end ?? Infinity)) {
    (response.Body as Readable).destroy();
    throw wrongRange(name);
  }
  position.etag = response.ETag;
  if (length !== undefined) position.end = position.at + length;
}

function wrongRange(name: string): BifractError {
  return new BifractError('STORAGE_FAILED', `The S3 service did not return the requested range of ${name}`, {
    hint: 'The service, or a proxy in front of it, is not compatible with S3. See docs/guide/storage.md.',
  });
}

export function notFound({ location }: S3Connection, name: string): BifractError {
  return new BifractError('NOT_FOUND', `${name} does not exist in the bucket ${location.bucket}`, {
    hint: 'Run `bifract list backups` or `bifract list archives` to see all files.',
  });
}
