import type { S3Settings } from '../../config/settings.ts';
import type {
  PutOptions,
  Storage,
  StorageHealth,
  StoredObject,
  UnfinishedObject,
} from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { checkObjectName } from '../storage/object-name.ts';
import { probeStorage, unhealthy } from '../storage/probe.ts';
import { alreadyExists } from './commit.ts';
import { S3Connection, type S3Retry } from './connection.ts';
import { notFound, streamRange } from './download.ts';
import { listObjects } from './listing.ts';
import { discardUnfinished, listUnfinished } from './open-uploads.ts';
import { bucketFeatures, probeUploads } from './probe.ts';
import { S3_RETRY_POLICY, type S3RetryPolicy } from './retry.ts';
import { uploadObject } from './upload.ts';

interface S3Options {
  /** Called for each failed request that will be retried. */
  onRetry?: (retry: S3Retry) => void;
  retry?: Partial<S3RetryPolicy>;
}

/**
 * A bucket as storage. Loads and connects nothing before the first call, so that wrong settings are reported by that
 * call.
 */
export function openS3Storage(settings: S3Settings, options: S3Options = {}): Storage {
  return new S3Storage(new S3Connection(settings, { ...S3_RETRY_POLICY, ...options.retry }, options.onRetry));
}

class S3Storage implements Storage {
  readonly kind = 's3';
  readonly location: string;
  readonly #connection: S3Connection;

  constructor(connection: S3Connection) {
    this.#connection = connection;
    this.location = `s3://${connection.location.bucket} at ${connection.location.address}`;
  }

  async put(
    name: string,
    content: AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredObject> {
    if (await this.stat(name, options)) throw alreadyExists(this.#connection, name);
    return uploadObject(this.#connection, name, content, options);
  }

  async stat(name: string, options: CallOptions = {}): Promise<StoredObject | undefined> {
    checkObjectName(name);
    const found = await this.#connection.head(name, options);
    return found && { name, size_bytes: found.size_bytes, modified_at: found.modified_at };
  }

  async read(name: string, offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    checkObjectName(name);
    const pieces: Buffer[] = [];
    if (length > 0) {
      for await (const piece of streamRange(this.#connection, name, { offset, length, ...options })) {
        pieces.push(piece);
      }
    } else if (!(await this.stat(name, options))) throw notFound(this.#connection, name);
    return Buffer.concat(pieces);
  }

  async *stream(name: string, options: CallOptions & { offset?: number } = {}): AsyncGenerator<Buffer> {
    checkObjectName(name);
    yield* streamRange(this.#connection, name, { offset: 0, ...options });
  }

  list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    return listObjects(this.#connection, prefix, options);
  }

  async delete(name: string, options: CallOptions = {}): Promise<boolean> {
    if (!(await this.stat(name, options))) return false;
    const Bucket = this.#connection.settings.bucket;
    const request = { Bucket, Key: name };
    await this.#connection.call(
      `Cannot delete ${name}`,
      (s3, http) => s3.deleteObject(request, http),
      options,
    );
    return true;
  }

  listUnfinished(options: CallOptions = {}): AsyncIterable<UnfinishedObject> {
    return listUnfinished(this.#connection, options);
  }

  discardUnfinished(unfinished: UnfinishedObject, options: CallOptions = {}): Promise<void> {
    return discardUnfinished(this.#connection, unfinished, options);
  }

  async probe(options: CallOptions & { prefix?: string } = {}): Promise<StorageHealth> {
    const health = await probeStorage(this, options);
    if (!health.ok) return health;
    try {
      const [uploads, features] = await Promise.all([
        probeUploads(this.#connection, options),
        bucketFeatures(this.#connection, options),
      ]);
      return { ok: true, detail: [health.detail, ...uploads, ...features].join('; ') };
    } catch (error) {
      options.signal?.throwIfAborted();
      return unhealthy(error);
    }
  }
}
