import type { S3 } from '@aws-sdk/client-s3';
import { BifractError } from '../../contract/errors.ts';
import type { StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type S3Connection, type S3Head, truncateToSeconds } from './connection.ts';
import { failureOf, isTransient } from './retry.ts';

/** An object that is ready to be committed. */
export interface CommitRequest {
  name: string;
  /** Its upload token, in the object's metadata. */
  token: string;
  size_bytes: number;
  /** Creates the object. Must pass on the condition. */
  send(
    s3: S3,
    condition: { IfNoneMatch?: string },
    http: { abortSignal: AbortSignal | undefined },
  ): Promise<unknown>;
}

/**
 * Creates the object and verifies it with HEAD, because a response may be lost or wrong. Throws `EXISTS` if another writer
 * has created the name. A cancel lets a pending request finish first, for a short time. After a failure the caller must
 * call `retract`.
 */
export async function commit(
  connection: S3Connection,
  request: CommitRequest,
  { signal }: CallOptions,
): Promise<StoredObject> {
  return connection.serialize(request.name, async () => {
    signal?.throwIfAborted();
    if (await connection.head(request.name, { signal })) throw alreadyExists(connection, request.name);
    const grace = delayedSignal(signal, connection.retryPolicy.grace_ms);
    try {
      const found = await commitWithRetries(connection, request, grace.signal);
      signal?.throwIfAborted();
      const { name, size_bytes, modified_at } = found;
      return { name, size_bytes, modified_at };
    } finally {
      grace.release();
    }
  });
}

async function commitWithRetries(
  connection: S3Connection,
  request: CommitRequest,
  signal: AbortSignal,
): Promise<S3Head> {
  const { name } = request;
  for (let attempt = 1; ; attempt++) {
    const error = await tryOnce(connection, request, signal);
    const found = await headAfterCommit(connection, request, error === undefined, signal);
    if (found) return requireOwnObject(connection, request, found, error === undefined);
    if (connection.conditional && refusesCondition(error)) {
      connection.conditional = false;
      continue;
    }
    if (attempt >= connection.attempts || !(error === undefined || isTransient(error))) {
      throw connection.explain(
        `Cannot store ${name}`,
        error ?? new Error('the object does not exist after it was stored'),
      );
    }
    await connection.pause(attempt, error, signal);
  }
}

/** HEAD of the object. If that fails after a successful response, the response counts: the parts were verified singly. */
async function headAfterCommit(
  connection: S3Connection,
  { name, token, size_bytes }: CommitRequest,
  succeeded: boolean,
  signal: AbortSignal,
): Promise<S3Head | undefined> {
  try {
    return await connection.head(name, { signal });
  } catch (error) {
    if (!succeeded || signal.aborted) throw error;
    return { name, token, size_bytes, modified_at: truncateToSeconds(new Date()) };
  }
}

/** The error of one attempt, or undefined if it succeeded. */
async function tryOnce(
  connection: S3Connection,
  request: CommitRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const condition = connection.conditional ? { IfNoneMatch: '*' } : {};
  try {
    await connection.send((s3, http) => request.send(s3, condition, http), { signal, attempts: 1 });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error ?? new Error('Unknown error');
  }
}

function refusesCondition(error: unknown): boolean {
  const { status, code } = failureOf(error);
  return status === 501 || code === 'NotImplemented' || code === 'InvalidArgument';
}

/** Requires the object to be ours. If the service keeps no metadata, its successful response counts. */
function requireOwnObject(
  connection: S3Connection,
  { name, token, size_bytes }: CommitRequest,
  found: S3Head,
  succeeded: boolean,
): S3Head {
  if (found.token !== token && !(succeeded && found.token === undefined))
    throw alreadyExists(connection, name);
  if (found.size_bytes === size_bytes) return found;
  throw new BifractError(
    'STORAGE_FAILED',
    `The S3 service stored ${found.size_bytes} of ${size_bytes} bytes of ${name}`,
    { hint: 'The service, or a proxy in front of it, loses data. Do not use it.' },
  );
}

/** Removes the object if it has this token: after a commit that failed or was cancelled. */
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

/** A signal that aborts some time after another one, with the same reason. Release it when it is no longer needed. */
function delayedSignal(
  signal: AbortSignal | undefined,
  ms: number,
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => controller.abort(signal?.reason), ms);
  };
  if (signal?.aborted) start();
  else signal?.addEventListener('abort', start, { once: true });
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', start);
    },
  };
}

export function alreadyExists({ location }: S3Connection, name: string): BifractError {
  return new BifractError('EXISTS', `${name} already exists in the bucket ${location.bucket}`, {
    hint: 'Delete it, or choose another name.',
  });
}
