import { randomUUID } from 'node:crypto';
import type { PutOptions, StoredObject } from '../../ports/storage.ts';
import { untilAbort } from '../abort.ts';
import { commit, retract } from './commit.ts';
import type { S3Connection } from './connection.ts';
import { S3Multipart } from './multipart.ts';
import { md5, objectInput, type Target } from './object.ts';
import { type Part, PartBuffers, partSizes, splitIntoParts } from './parts.ts';

/** Uploads content: in one request if it fits into one part, else in concurrent parts. */
export async function uploadObject(
  connection: S3Connection,
  name: string,
  content: AsyncIterable<Uint8Array>,
  { signal, job, expected_bytes }: PutOptions,
): Promise<StoredObject> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const target: Target = { name, job, token: randomUUID() };
  const buffers = new PartBuffers();
  const multipart = new S3Multipart(connection, target, buffers, failure, either);
  const sizes = partSizes(connection.settings, expected_bytes);
  try {
    for await (const part of splitIntoParts(untilAbort(content, either), sizes, buffers)) {
      if (part.last && part.number === 1) return await putSingle(connection, target, part, either);
      await multipart.add(part);
    }
    return await multipart.finish();
  } catch (error) {
    await multipart.abort();
    throw error;
  }
}

async function putSingle(
  connection: S3Connection,
  target: Target,
  { bytes }: Part,
  signal: AbortSignal,
): Promise<StoredObject> {
  const input = {
    ...objectInput(connection, target),
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: md5(bytes),
  };
  const commitRequest = {
    name: target.name,
    token: target.token,
    size_bytes: bytes.length,
    send: ((s3, condition, http) => s3.putObject({ ...input, ...condition }, http)) as Parameters<
      typeof commit
    >[1]['send'],
  };
  try {
    return await commit(connection, commitRequest, { signal });
  } catch (error) {
    // Throw the first error, not that of the cleanup.
    const cleanup = { signal: AbortSignal.timeout(connection.retryPolicy.cleanup_ms) };
    await retract(connection, target.name, target.token, cleanup).catch(() => undefined);
    throw error;
  }
}
