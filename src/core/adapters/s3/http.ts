import { createHash, createHmac, webcrypto } from 'node:crypto';
import type { AgentOptions } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { readSettingsFile } from '../../config/read-file.ts';
import type { ProxySettings, S3Settings } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import { REPLY_TOO_LONG, type S3RetryPolicy } from './retry.ts';

/** Settings of the client library. Throws `ENV_INVALID` if the CA file cannot be read. */
export function clientConfig(settings: S3Settings, retryPolicy: S3RetryPolicy): S3ClientConfig {
  return {
    region: settings.region,
    endpoint: settings.endpoint,
    forcePathStyle: settings.endpoint !== undefined,
    credentials: credentials(settings),
    // We retry ourselves. Checksums in trailers break services that do not know them.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would cost a new connection for every part.
    expectContinueHeader: false,
    requestHandler: handler(settings, retryPolicy),
    streamCollector: collectReply,
    sha256: Sha256,
  };
}

/** Longer than any page of a listing: 1,000 keys of 1 KiB, with every character escaped. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/** Reads a reply that is not the content of an object. Fails on one that is too long for any S3 service. */
async function collectReply(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > MAX_REPLY_BYTES)
      throw Object.assign(new Error(REPLY_TOO_LONG), { name: REPLY_TOO_LONG, code: REPLY_TOO_LONG });
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

/** Without configured keys the library uses those of AWS: environment, profile, instance. */
function credentials({ access_key, secret_key }: S3Settings): S3ClientConfig['credentials'] {
  if (access_key === undefined || secret_key === undefined) return undefined;
  return { accessKeyId: access_key, secretAccessKey: secret_key };
}

function handler(settings: S3Settings, retryPolicy: S3RetryPolicy) {
  const agent: AgentOptions = { keepAlive: true, maxSockets: 50, ...proxy(settings.proxy) };
  return {
    connectionTimeout: retryPolicy.connect_ms,
    socketTimeout: retryPolicy.stall_ms,
    httpAgent: agent,
    httpsAgent: { ...agent, ca: authorities(settings.ca_file) },
  };
}

function authorities(path: string | undefined): string[] | undefined {
  if (path === undefined) return undefined;
  try {
    return [...getCACertificates('default'), readSettingsFile(path).toString()];
  } catch (error) {
    throw new BifractError('ENV_INVALID', `Cannot read ${path}, set by BIFRACT_S3_CA_FILE`, {
      hint: 'Set it to a PEM file with the CA certificates to trust.',
      cause: error,
    });
  }
}

/** Node supports proxies itself, in recent versions. */
function proxy(settings: ProxySettings | undefined): AgentOptions {
  if (!settings) return {};
  const { https: HTTPS_PROXY, http: HTTP_PROXY, no_proxy: NO_PROXY } = settings;
  if (!supportsProxy()) {
    throw new BifractError('PROGRAM_TOO_OLD', `Node ${process.versions.node} does not support proxies`, {
      hint: 'Use Node 22.21, 24.5 or newer, or unset HTTPS_PROXY and HTTP_PROXY if S3 needs no proxy.',
    });
  }
  return { proxyEnv: { HTTPS_PROXY, HTTP_PROXY, NO_PROXY } };
}

function supportsProxy(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major === 22) return minor >= 21;
  return major === 24 ? minor >= 5 : major > 24;
}

const THREAD_POOL_BYTES = 1 << 20;

/** SHA-256, or HMAC with a secret, as the library requires it. Hashes large bodies on the thread pool. */
class Sha256 {
  readonly #secret: string | NodeJS.ArrayBufferView | undefined;
  #pieces: Uint8Array[] = [];

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret =
      secret instanceof ArrayBuffer ? new Uint8Array(secret) : (secret as string | NodeJS.ArrayBufferView);
  }

  update(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  async digest(): Promise<Uint8Array> {
    const [first] = this.#pieces;
    if (
      this.#secret === undefined &&
      this.#pieces.length === 1 &&
      first &&
      first.length > THREAD_POOL_BYTES
    ) {
      return new Uint8Array(await webcrypto.subtle.digest('SHA-256', first as Uint8Array<ArrayBuffer>));
    }
    const hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
    for (const piece of this.#pieces) hash.update(piece);
    return hash.digest();
  }

  reset(): void {
    this.#pieces = [];
  }
}
