import type { S3 } from '@aws-sdk/client-s3';
import { BifractError } from '../errors.ts';
import type { StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { type S3Connection, type S3Head, wholeSeconds } from './s3-connection.ts';
import { delayed, isTransient, refusalOf } from './s3-patience.ts';

/** An object about to be there, whole. */
export interface Commitment {
  name: string;
  /** Its mark, in the object's metadata. */
  token: string;
  size_bytes: number;
  /** Makes it appear; `IfNoneMatch` goes along where it is set. */
  send(
    s3: S3,
    condition: { IfNoneMatch?: string },
    http: { abortSignal: AbortSignal | undefined },
  ): Promise<unknown>;
}

/**
 * Makes the object appear, and proves that it did: an answer may be lost, or lie, so what counts is what the
 * service then says of the object. Throws `EXISTS` where another's has the name. A cancel while the request is
 * under way lets it end first, for a moment; whoever calls this removes what a failure may have left (`retract`).
 */
export async function commit(
  connection: S3Connection,
  commitment: Commitment,
  { signal }: CallOptions,
): Promise<StoredObject> {
  return connection.inTurn(commitment.name, async () => {
    signal?.throwIfAborted();
    if (await connection.head(commitment.name, { signal })) throw exists(connection, commitment.name);
    const grace = delayed(signal, connection.patience.grace_ms);
    try {
      const found = await insist(connection, commitment, grace.signal);
      signal?.throwIfAborted();
      const { name, size_bytes, modified_at } = found;
      return { name, size_bytes, modified_at };
    } finally {
      grace.release();
    }
  });
}

async function insist(
  connection: S3Connection,
  commitment: Commitment,
  signal: AbortSignal,
): Promise<S3Head> {
  const { name } = commitment;
  for (let attempt = 1; ; attempt++) {
    const error = await tryOnce(connection, commitment, signal);
    const found = await lookAt(connection, commitment, error === undefined, signal);
    if (found) return ours(connection, commitment, found, error === undefined);
    if (connection.conditional && refusesCondition(error)) {
      connection.conditional = false;
      continue;
    }
    if (attempt >= connection.attempts || !(error === undefined || isTransient(error))) {
      throw connection.explain(
        `Cannot store ${name}`,
        error ?? new Error('it is not there after it was stored'),
      );
    }
    await connection.pause(attempt, error, signal);
  }
}

/** Where a good answer came, and nobody can be asked any more, that answer stands: its parts were verified one by one. */
async function lookAt(
  connection: S3Connection,
  { name, token, size_bytes }: Commitment,
  well: boolean,
  signal: AbortSignal,
): Promise<S3Head | undefined> {
  try {
    return await connection.head(name, { signal });
  } catch (error) {
    if (!well || signal.aborted) throw error;
    return { name, token, size_bytes, modified_at: wholeSeconds(new Date()) };
  }
}

/** The error of one try, or undefined where it was answered well. */
async function tryOnce(
  connection: S3Connection,
  commitment: Commitment,
  signal: AbortSignal,
): Promise<unknown> {
  const condition = connection.conditional ? { IfNoneMatch: '*' } : {};
  try {
    await connection.send((s3, http) => commitment.send(s3, condition, http), { signal, attempts: 1 });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error ?? new Error('Unknown error');
  }
}

function refusesCondition(error: unknown): boolean {
  const { status, code } = refusalOf(error);
  return status === 501 || code === 'NotImplemented' || code === 'InvalidArgument';
}

/** A service that keeps no metadata is believed its good answer. */
function ours(
  connection: S3Connection,
  { name, token, size_bytes }: Commitment,
  found: S3Head,
  well: boolean,
): S3Head {
  if (found.token !== token && !(well && found.token === undefined)) throw exists(connection, name);
  if (found.size_bytes === size_bytes) return found;
  throw new BifractError(
    'STORAGE_FAILED',
    `The S3 service was given ${size_bytes} bytes of ${name} and has ${found.size_bytes}`,
    { hint: 'The service, or something before it, loses data: do not trust it.' },
  );
}

/** Removes the object if it is the one with this mark: for a commit that failed or was cancelled after all. */
export async function retract(
  connection: S3Connection,
  name: string,
  token: string,
  options: CallOptions,
): Promise<void> {
  const found = await connection.head(name, options);
  if (found?.token !== token) return;
  const input = { Bucket: connection.settings.bucket, Key: name };
  await connection.call(`Cannot delete ${name}`, (s3, http) => s3.deleteObject(input, http), options);
}

/** The refusal to replace an object. */
export function exists({ place }: S3Connection, name: string): BifractError {
  return new BifractError(
    'EXISTS',
    `${name} is in the bucket ${place.bucket} already, and is never replaced`,
    { hint: 'Delete it, or choose another name.' },
  );
}
