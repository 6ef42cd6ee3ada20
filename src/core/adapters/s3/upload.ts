import { createHash, randomUUID } from 'node:crypto';
import type { PutOptions, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { untilAbort } from '../abort.ts';
import { type CommitRequest, commit, retract } from './commit.ts';
import { type S3Connection, TOKEN } from './connection.ts';
import { abortUpload, markerKey, openUploads } from './open-uploads.ts';
import { concurrentParts, type Part, PartBuffers, partSizes, splitIntoParts } from './parts.ts';
import { failureOf } from './retry.ts';

/** Allowed difference between the clocks of the service and of this machine. */
const CLOCK_SKEW_MS = 60_000;

/** The destination of one upload. */
interface Target {
  name: string;
  job: string | undefined;
  /** Identifies this upload. */
  token: string;
}

/** Uploads content: in one request if it fits into one part, else in concurrent parts. */
export async function uploadObject(
  connection: S3Connection,
  name: string,
  content: AsyncIterable<Uint8Array>,
  { signal, job, expected_bytes, onLeft }: PutOptions,
): Promise<StoredObject> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const target: Target = { name, job, token: randomUUID() };
  const buffers = new PartBuffers();
  const multipart = new MultipartUpload(connection, target, buffers, failure, either);
  const sizes = partSizes(connection.settings, expected_bytes);
  try {
    for await (const part of splitIntoParts(untilAbort(content, either), sizes, buffers)) {
      if (part.last && part.number === 1) return await putSingle(connection, target, part, either);
      await multipart.add(part);
    }
    return await multipart.finish();
  } catch (error) {
    if (!(await multipart.abort())) onLeft?.();
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
  const request: CommitRequest = {
    name: target.name,
    token: target.token,
    size_bytes: bytes.length,
    send: (s3, condition, http) => s3.putObject({ ...input, ...condition }, http),
  };
  try {
    return await commit(connection, request, { signal });
  } catch (error) {
    // Throw the first error, not that of the cleanup.
    const cleanup = { signal: AbortSignal.timeout(connection.retryPolicy.cleanup_ms) };
    await retract(connection, target.name, target.token, cleanup).catch(() => undefined);
    throw error;
  }
}

interface Opened {
  key: string;
  id: string;
}

/**
 * One multipart upload, opened with its first part. A part that fails permanently aborts `failure`, and so the whole
 * upload; `signal` combines `failure` and the caller's signal.
 */
class MultipartUpload {
  readonly #connection: S3Connection;
  readonly #target: Target;
  readonly #buffers: PartBuffers;
  readonly #failure: AbortController;
  readonly #signal: AbortSignal;
  readonly #startedAt = Date.now();
  readonly #sending = new Set<Promise<void>>();
  readonly #done: { PartNumber: number; ETag: string | undefined }[] = [];
  #upload: Opened | undefined;
  #marker: Opened | undefined;
  #size = 0;
  /** Whether an upload may have been opened although its response was lost. */
  #mayHaveDuplicates = false;

  constructor(
    connection: S3Connection,
    target: Target,
    buffers: PartBuffers,
    failure: AbortController,
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#target = target;
    this.#buffers = buffers;
    this.#failure = failure;
    this.#signal = signal;
  }

  /** Sends a part, and returns when the next one can be sent. */
  async add(part: Part): Promise<void> {
    this.#upload ??= await this.#open();
    const task = this.#send(part, this.#upload).finally(() => this.#sending.delete(task));
    this.#sending.add(task);
    this.#size += part.bytes.length;
    while (this.#sending.size >= concurrentParts(part.bytes.length)) await Promise.race(this.#sending);
    this.#signal.throwIfAborted();
  }

  /** Joins the parts into the object. */
  async finish(): Promise<StoredObject> {
    await Promise.all(this.#sending);
    this.#signal.throwIfAborted();
    const { key: Key, id: UploadId } = this.#upload as Opened;
    const Parts = this.#done.toSorted((a, b) => a.PartNumber - b.PartNumber);
    const { bucket: Bucket } = this.#connection.settings;
    const object = await commit(
      this.#connection,
      {
        name: this.#target.name,
        token: this.#target.token,
        size_bytes: this.#size,
        send: (s3, condition, http) =>
          s3.completeMultipartUpload(
            { Bucket, Key, UploadId, MultipartUpload: { Parts }, ...condition },
            http,
          ),
      },
      { signal: this.#signal },
    );
    await this.#removeRest(this.#cleanupOptions());
    return object;
  }

  /** Removes the upload; false if it stays as an unfinished object. */
  async abort(): Promise<boolean> {
    await Promise.all(this.#sending);
    const { name, token } = this.#target;
    const cleanup = this.#cleanupOptions();
    let removed = true;
    if (this.#upload) {
      await abortUpload(this.#connection, name, this.#upload.id, cleanup).catch(() => {
        removed = false;
      });
      await retract(this.#connection, name, token, cleanup).catch(() => undefined);
    }
    await this.#removeRest(cleanup);
    return removed;
  }

  #cleanupOptions(): CallOptions {
    return { signal: AbortSignal.timeout(this.#connection.retryPolicy.cleanup_ms) };
  }

  async #removeRest(options: CallOptions): Promise<void> {
    await this.#removeMarker(options).catch(() => undefined);
    await this.#removeDuplicates(options).catch(() => undefined);
  }

  async #send({ number, bytes }: Part, { key, id }: Opened): Promise<void> {
    const { bucket: Bucket } = this.#connection.settings;
    const input = {
      Bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: md5(bytes),
    };
    try {
      const response = await this.#connection.call(
        `Cannot store part ${number} of ${key}`,
        (s3, http) => s3.uploadPart(input, http),
        { signal: this.#signal },
      );
      this.#done.push({ PartNumber: number, ETag: response.ETag });
      this.#buffers.free(bytes);
    } catch (error) {
      this.#failure.abort(error);
    }
  }

  async #open(): Promise<Opened> {
    const { name, job } = this.#target;
    const upload = await this.#create(name, objectInput(this.#connection, this.#target));
    if (job) {
      // Only needed for the cleanup after a crash: the upload works without it.
      const input = { Bucket: this.#connection.settings.bucket, Key: markerKey(upload.id, job) };
      this.#marker = await this.#create(input.Key, input).catch(() => undefined);
    }
    return upload;
  }

  async #create(key: string, input: { Bucket: string; Key: string }): Promise<Opened> {
    try {
      const { UploadId } = await this.#connection.send(
        async (s3, http) => {
          try {
            return await s3.createMultipartUpload(input, http);
          } catch (error) {
            const { status } = failureOf(error);
            this.#mayHaveDuplicates ||= status === undefined || status >= 500;
            throw error;
          }
        },
        { signal: this.#signal },
      );
      if (UploadId) return { key, id: UploadId };
      throw new Error('the service returned no upload ID');
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.#connection.explain(`Cannot start the upload of ${key}`, error);
    }
  }

  async #removeMarker(options: CallOptions): Promise<void> {
    if (this.#marker) await abortUpload(this.#connection, this.#marker.key, this.#marker.id, options);
  }

  /** Aborts other uploads of this name since ours was started. Names are unique to a job, so they are ours too. */
  async #removeDuplicates(options: CallOptions): Promise<void> {
    if (!this.#mayHaveDuplicates) return;
    for (const prefix of [this.#target.name, this.#upload && markerKey(this.#upload.id)]) {
      if (prefix === undefined) continue;
      for await (const { key, id, started_at } of openUploads(this.#connection, prefix, options)) {
        const fits = key === this.#target.name || prefix !== this.#target.name;
        if (fits && Date.parse(started_at) >= this.#startedAt - CLOCK_SKEW_MS) {
          await abortUpload(this.#connection, key, id, options);
        }
      }
    }
  }
}

/** Parameters of every new object, for both kinds of upload. */
function objectInput({ settings }: S3Connection, { name, token, job }: Target) {
  return {
    Bucket: settings.bucket,
    Key: name,
    ContentType: 'application/octet-stream',
    Metadata: { [TOKEN]: token, ...(job ? { 'bifract-job': job } : {}) },
    StorageClass: settings.storage_class as 'STANDARD' | undefined,
    ServerSideEncryption: settings.sse as 'AES256' | undefined,
    SSEKMSKeyId: settings.sse_kms_key_id,
  };
}

/** The checksum that every service verifies; undefined if this machine does not allow MD5 (FIPS). */
function md5(bytes: Buffer): string | undefined {
  try {
    return createHash('md5').update(bytes).digest('base64');
  } catch {
    return undefined;
  }
}
