import { randomUUID } from 'node:crypto';
import type { PutOptions, StoredObject } from '../ports/storage.ts';
import { untilAbort } from './abort.ts';
import { commit, retract } from './s3-commit.ts';
import type { S3Connection } from './s3-connection.ts';
import { S3Multipart } from './s3-multipart.ts';
import { md5, objectInput, type Target } from './s3-object.ts';
import { cutIntoParts, type Part, PartBuffers, partSizes } from './s3-parts.ts';

/** Uploads content: what fits into one part in one request, anything larger in parts side by side. */
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
    for await (const part of cutIntoParts(untilAbort(content, either), sizes, buffers)) {
      if (part.last && part.number === 1) return await putWhole(connection, target, part, either);
      await multipart.add(part);
    }
    return await multipart.finish();
  } catch (error) {
    await multipart.abandon();
    throw error;
  }
}

async function putWhole(
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
  const commitment = {
    name: target.name,
    token: target.token,
    size_bytes: bytes.length,
    send: ((s3, condition, http) => s3.putObject({ ...input, ...condition }, http)) as Parameters<
      typeof commit
    >[1]['send'],
  };
  try {
    return await commit(connection, commitment, { signal });
  } catch (error) {
    // The failure that is told is the first one.
    const cleanup = { signal: AbortSignal.timeout(connection.patience.cleanup_ms) };
    await retract(connection, target.name, target.token, cleanup).catch(() => undefined);
    throw error;
  }
}
