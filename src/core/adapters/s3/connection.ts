import { setTimeout as sleep } from 'node:timers/promises';
import type { S3 } from '@aws-sdk/client-s3';
import { passwordsIn } from '../../config/secrets.ts';
import type { S3Settings } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { addSecrets } from '../../text/mask.ts';
import { clean, type S3Location, s3Error } from './errors.ts';
import { clientConfig } from './http.ts';
import { failureOf, isTransient, retryDelay, type S3RetryPolicy } from './retry.ts';

/** A request that failed and will be sent again. */
export interface S3Retry {
  attempt: number;
  wait_ms: number;
  /** For example `503 SlowDown` or `ECONNRESET`. */
  reason: string;
}

/** The result of HEAD for an object. */
export interface S3Head extends StoredObject {
  /** Token of the upload that created it. */
  token: string | undefined;
}

type Request<T> = (s3: S3, http: { abortSignal: AbortSignal | undefined }) => Promise<T>;

/** Metadata that distinguishes our object from another writer's of the same name. */
export const TOKEN = 'bifract-upload';

/** One bucket: sends requests, retries them, and describes errors. Loads the client library on the first request. */
export class S3Connection {
  readonly settings: S3Settings;
  readonly retryPolicy: S3RetryPolicy;
  readonly location: S3Location;
  /** Whether the service supports conditional writes; assumed until it refuses one. */
  conditional = true;
  readonly #onRetry: ((retry: S3Retry) => void) | undefined;
  readonly #turns = new Map<string, Promise<void>>();
  #client: Promise<S3> | undefined;
  #responded = false;
  #bucketSeen = false;

  constructor(settings: S3Settings, retryPolicy: S3RetryPolicy, onRetry?: (retry: S3Retry) => void) {
    this.settings = settings;
    this.retryPolicy = retryPolicy;
    addSecrets(secretsOf(settings));
    this.location = locationOf(settings);
    this.#onRetry = onRetry;
  }

  /** Sends a request and retries transient errors. Throws `BifractError`; after an abort, its reason. */
  async call<T>(what: string, request: Request<T>, options: CallOptions = {}): Promise<T> {
    try {
      return await this.send(request, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw this.explain(what, error);
    }
  }

  /** Like `call`, but throws the errors of the client library. */
  async send<T>(request: Request<T>, options: CallOptions & { attempts?: number } = {}): Promise<T> {
    const { signal } = options;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const response = await request(await this.#s3(), { abortSignal: signal });
        this.#responded = true;
        return response;
      } catch (error) {
        signal?.throwIfAborted();
        this.#responded ||= failureOf(error).status !== undefined;
        if (attempt >= Math.min(options.attempts ?? Infinity, this.attempts) || !isTransient(error))
          throw error;
        await this.pause(attempt, error, signal);
      }
    }
  }

  /** How often a request is sent before it fails. */
  get attempts(): number {
    return this.#responded ? this.retryPolicy.attempts : this.retryPolicy.first_attempts;
  }

  /** Waits before the next attempt. */
  async pause(attempt: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const wait_ms = retryDelay(attempt, error, this.retryPolicy);
    const { status, code } = failureOf(error);
    const reason = clean(status === undefined ? code : `${status} ${code}`);
    this.#onRetry?.({ attempt, wait_ms, reason });
    try {
      await sleep(wait_ms, undefined, { signal });
    } catch (aborted) {
      signal?.throwIfAborted();
      throw aborted;
    }
  }

  explain(what: string, error: unknown): BifractError {
    return s3Error(what, error, this.location);
  }

  /** Undefined if there is no such object. */
  async head(name: string, options: CallOptions = {}): Promise<S3Head | undefined> {
    const Bucket = this.settings.bucket;
    try {
      const response = await this.send((s3, http) => s3.headObject({ Bucket, Key: name }, http), options);
      this.#bucketSeen = true;
      const { ContentLength, LastModified, Metadata, ETag } = response;
      if (!LastModified && !ETag) throw this.notAnS3Service();
      // Zero would pass for a damaged file.
      if (ContentLength === undefined) throw this.#noSize(name);
      return {
        name,
        size_bytes: ContentLength,
        modified_at: truncateToSeconds(LastModified),
        token: Metadata?.[TOKEN],
      };
    } catch (error) {
      options.signal?.throwIfAborted();
      const { status } = failureOf(error);
      if (status === 404 ? !this.#bucketSeen : status && status < 500)
        await this.#explainByListing(name, options);
      if (status === 404) return undefined;
      throw this.explain(`Cannot stat ${name}`, error);
    }
  }

  /** For successful responses that no S3 service sends. */
  notAnS3Service(): BifractError {
    return new BifractError('STORAGE_UNREACHABLE', `${this.location.address} is not an S3 service`, {
      hint: 'Check BIFRACT_S3_ENDPOINT: it may be the URL of a website.',
    });
  }

  /** Runs work on the same name one after the other, so that two writers of this process cannot commit it at once. */
  async serialize<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns.set(name, promise);
    await before;
    try {
      return await work();
    } finally {
      resolve();
      if (this.#turns.get(name) === promise) this.#turns.delete(name);
    }
  }

  /** Repeats the error with a listing: a response to HEAD has no body that explains it. */
  async #explainByListing(name: string, options: CallOptions): Promise<void> {
    const Bucket = this.settings.bucket;
    await this.call(
      `Cannot stat ${name}`,
      (s3, http) => s3.listObjectsV2({ Bucket, MaxKeys: 1 }, http),
      options,
    );
    this.#bucketSeen = true;
  }

  #noSize(name: string): BifractError {
    return new BifractError('STORAGE_FAILED', `The S3 service reports no size for ${name}`, {
      hint: 'A proxy in front of it may remove Content-Length from responses to HEAD. Configure it to pass the header on.',
    });
  }

  #s3(): Promise<S3> {
    this.#client ??= import('@aws-sdk/client-s3').then(
      ({ S3 }) => new S3(clientConfig(this.settings, this.retryPolicy)),
    );
    return this.#client;
  }
}

/** Truncates a time to seconds: listings have milliseconds, HEAD has not. */
export function truncateToSeconds(time: Date | undefined): string {
  return new Date(Math.floor((time?.getTime() ?? 0) / 1000) * 1000).toISOString();
}

function locationOf({ bucket, region, endpoint }: S3Settings): S3Location {
  return {
    bucket,
    region,
    address: endpoint === undefined ? `AWS S3 (${region})` : withoutUser(endpoint),
  };
}

function secretsOf({ endpoint, access_key, secret_key, proxy }: S3Settings): (string | undefined)[] {
  const urls = [endpoint, proxy?.https, proxy?.http].filter((url) => url !== undefined);
  return [access_key, secret_key, ...urls.flatMap(passwordsIn)];
}

function withoutUser(endpoint: string): string {
  const url = new URL(endpoint);
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}`;
}
