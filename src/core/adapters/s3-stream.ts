import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { BifractError } from '../errors.ts';
import type { CallOptions } from '../ports/types.ts';
import type { S3Connection } from './s3-connection.ts';
import { isTransient, refusalOf } from './s3-patience.ts';

interface Range extends CallOptions {
  offset: number;
  /** Undefined: to the end. */
  length?: number;
}

/** Where a read is: it goes on from here when its connection breaks. */
interface Place {
  at: number;
  end: number | undefined;
  etag: string | undefined;
}

/**
 * The bytes of a range, fewer only where the object ends. A connection that breaks or stalls is made anew from
 * the byte where it broke, on the same version of the object.
 */
export async function* streamRange(
  connection: S3Connection,
  name: string,
  { offset, length, signal }: Range,
): AsyncGenerator<Buffer> {
  const place: Place = {
    at: offset,
    end: length === undefined ? undefined : offset + length,
    etag: undefined,
  };
  for (let failures = 0; ; ) {
    const body = await open(connection, name, place, signal);
    if (!body) return;
    const before = place.at;
    let broken: unknown;
    try {
      for await (const piece of body) {
        place.at += piece.length;
        yield piece;
      }
    } catch (error) {
      broken = error;
    }
    signal?.throwIfAborted();
    if (!broken && place.at >= (place.end ?? 0)) return;
    failures = place.at > before ? 1 : failures + 1;
    const why = broken ?? Object.assign(new Error('the answer is cut short'), { code: 'ECONNRESET' });
    if (failures >= connection.attempts || !isTransient(why))
      throw connection.explain(`Cannot read ${name}`, why);
    await connection.pause(failures, why, signal);
  }
}

/** Undefined where nothing is left to read. */
async function open(
  connection: S3Connection,
  name: string,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Buffer> | undefined> {
  if (place.end !== undefined && place.at >= place.end) return undefined;
  const input = {
    Bucket: connection.settings.bucket,
    Key: name,
    Range: rangeOf(place),
    IfMatch: place.etag,
  };
  try {
    const answer = await connection.send((s3, http) => s3.getObject(input, http), { signal });
    settle(place, answer, name);
    return answer.Body as Readable;
  } catch (error) {
    signal?.throwIfAborted();
    const { status, code } = refusalOf(error);
    if (status === 416) return undefined;
    if (status === 404 && code !== 'NoSuchBucket') throw notFound(connection, name);
    if (status === 412)
      throw new BifractError('STORAGE_FAILED', `${name} was replaced while it was read`, {
        hint: 'Something else writes to the bucket. Try again when that has ended.',
      });
    throw connection.explain(`Cannot read ${name}`, error);
  }
}

function rangeOf({ at, end }: Place): string | undefined {
  if (end !== undefined) return `bytes=${at}-${end - 1}`;
  return at > 0 ? `bytes=${at}-` : undefined;
}

/** Learns from the answer which version it is and where it ends. */
function settle(place: Place, answer: GetObjectCommandOutput, name: string): void {
  const first = Number(/^bytes (\d+)-/.exec(answer.ContentRange ?? 'bytes 0-')?.[1]);
  if (first !== place.at) {
    (answer.Body as Readable).destroy();
    throw new BifractError('STORAGE_FAILED', `The S3 service does not give the wanted range of ${name}`, {
      hint: 'The service, or something before it, does not keep to S3: see docs/storage.md.',
    });
  }
  place.etag = answer.ETag;
  place.end = place.at + (answer.ContentLength ?? 0);
}

/** The refusal to read what is not there. */
export function notFound({ place }: S3Connection, name: string): BifractError {
  return new BifractError('NOT_FOUND', `There is no ${name} in the bucket ${place.bucket}`, {
    hint: 'See `bifract list backups` and `bifract list archives`.',
  });
}
