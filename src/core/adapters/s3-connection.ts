import { setTimeout as sleep } from 'node:timers/promises';
import type { S3 } from '@aws-sdk/client-s3';
import type { S3Settings } from '../config/settings.ts';
import { BifractError } from '../errors.ts';
import type { StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { clean, type S3Place, s3Error } from './s3-errors.ts';
import { clientConfig } from './s3-http.ts';
import { isTransient, type Patience, refusalOf, waitBefore } from './s3-patience.ts';

/** A request that failed and will be sent again. */
export interface S3Retry {
  attempt: number;
  wait_ms: number;
  /** What went wrong, as `503 SlowDown` or `ECONNRESET`. */
  why: string;
}

/** What a HEAD tells of an object. */
export interface S3Head extends StoredObject {
  /** The mark that its upload gave it. */
  token: string | undefined;
}

type Request<T> = (s3: S3, http: { abortSignal: AbortSignal | undefined }) => Promise<T>;

/** The metadata that tells our own object from another's of the same name. */
export const TOKEN = 'bifract-upload';

/** One bucket: sends requests, patiently, and says in words what fails. The client library loads at the first one. */
export class S3Connection {
  readonly settings: S3Settings;
  readonly patience: Patience;
  readonly place: S3Place;
  /** Whether the service knows conditional writes; it is asked until it says no. */
  conditional = true;
  readonly #onRetry: ((retry: S3Retry) => void) | undefined;
  readonly #turns = new Map<string, Promise<void>>();
  #client: Promise<S3> | undefined;
  #answered = false;
  #bucketSeen = false;

  constructor(settings: S3Settings, patience: Patience, onRetry?: (retry: S3Retry) => void) {
    this.settings = settings;
    this.patience = patience;
    this.place = placeOf(settings);
    this.#onRetry = onRetry;
  }

  /** Sends a request until it succeeds or is beyond hope. Throws our errors; after an abort, its reason. */
  async call<T>(what: string, request: Request<T>, options: CallOptions = {}): Promise<T> {
    try {
      return await this.send(request, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw this.explain(what, error);
    }
  }

  /** As `call`, but throws the library's own error. */
  async send<T>(request: Request<T>, options: CallOptions & { attempts?: number } = {}): Promise<T> {
    const { signal } = options;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const answer = await request(await this.#s3(), { abortSignal: signal });
        this.#answered = true;
        return answer;
      } catch (error) {
        signal?.throwIfAborted();
        this.#answered ||= refusalOf(error).status !== undefined;
        if (attempt >= Math.min(options.attempts ?? Infinity, this.attempts) || !isTransient(error))
          throw error;
        await this.pause(attempt, error, signal);
      }
    }
  }

  /** How often a request is sent before it is given up. */
  get attempts(): number {
    return this.#answered ? this.patience.attempts : this.patience.first_attempts;
  }

  /** Waits before the next try. */
  async pause(attempt: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const wait_ms = waitBefore(attempt, error, this.patience);
    const { status, code } = refusalOf(error);
    const why = clean(status === undefined ? code : `${status} ${code}`, this.place);
    this.#onRetry?.({ attempt, wait_ms, why });
    try {
      await sleep(wait_ms, undefined, { signal });
    } catch (aborted) {
      signal?.throwIfAborted();
      throw aborted;
    }
  }

  explain(what: string, error: unknown): BifractError {
    return s3Error(what, error, this.place);
  }

  /** The object's description, or undefined where there is none. */
  async head(name: string, options: CallOptions = {}): Promise<S3Head | undefined> {
    const Bucket = this.settings.bucket;
    try {
      const answer = await this.send((s3, http) => s3.headObject({ Bucket, Key: name }, http), options);
      this.#bucketSeen = true;
      const { ContentLength, LastModified, Metadata, ETag } = answer;
      if (!LastModified && !ETag) throw this.notS3();
      return {
        name,
        size_bytes: ContentLength ?? 0,
        modified_at: wholeSeconds(LastModified),
        token: Metadata?.[TOKEN],
      };
    } catch (error) {
      options.signal?.throwIfAborted();
      const { status } = refusalOf(error);
      if (status === 404 ? !this.#bucketSeen : status && status < 500) await this.#sayWhy(name, options);
      if (status === 404) return undefined;
      throw this.explain(`Cannot look at ${name}`, error);
    }
  }

  /** For answers that are fine, but no S3 service gives. */
  notS3(): BifractError {
    return new BifractError('STORAGE_UNREACHABLE', `${this.place.address} does not answer as S3 does`, {
      hint: 'Check BIFRACT_S3_ENDPOINT: it may be the address of a web page.',
    });
  }

  /** Runs work on one name after the other, so that no two writers of this process commit the same name at once. */
  async inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
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

  /** An answer to HEAD has no body to say why; a listing's has. */
  async #sayWhy(name: string, options: CallOptions): Promise<void> {
    const Bucket = this.settings.bucket;
    await this.call(
      `Cannot look at ${name}`,
      (s3, http) => s3.listObjectsV2({ Bucket, MaxKeys: 1 }, http),
      options,
    );
    this.#bucketSeen = true;
  }

  #s3(): Promise<S3> {
    this.#client ??= import('@aws-sdk/client-s3').then(
      ({ S3 }) => new S3(clientConfig(this.settings, this.patience)),
    );
    return this.#client;
  }
}

/** Listings tell milliseconds where HEAD tells seconds: the same object has one time. */
export function wholeSeconds(time: Date | undefined): string {
  return new Date(Math.floor((time?.getTime() ?? 0) / 1000) * 1000).toISOString();
}

function placeOf({ bucket, region, endpoint, access_key, secret_key, proxy }: S3Settings): S3Place {
  const urls = [endpoint, proxy?.https, proxy?.http].flatMap((url) => (url ? [new URL(url)] : []));
  const passwords = urls.flatMap(({ password }) => [password, decodeURIComponent(password)]);
  return {
    bucket,
    region,
    address: endpoint === undefined ? `AWS S3 (${region})` : withoutUser(endpoint),
    secrets: [secret_key ?? '', access_key ?? '', ...passwords],
  };
}

function withoutUser(endpoint: string): string {
  const url = new URL(endpoint);
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}`;
}
