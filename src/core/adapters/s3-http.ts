import { createHash, createHmac, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AgentOptions } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { ProxySettings, S3Settings } from '../config/settings.ts';
import { BifractError } from '../errors.ts';
import type { Patience } from './s3-patience.ts';

/** The library's settings for a service. Throws `ENV_INVALID` where the CA file cannot be read. */
export function clientConfig(settings: S3Settings, patience: Patience): S3ClientConfig {
  return {
    region: settings.region,
    endpoint: settings.endpoint,
    forcePathStyle: settings.endpoint !== undefined,
    credentials: credentials(settings),
    // Retries are ours, and checksums in trailers break services that are older than them.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Costs a new connection for every part.
    expectContinueHeader: false,
    requestHandler: handler(settings, patience),
    sha256: Sha256,
  };
}

/** Without keys of its own, the library looks where AWS puts them: environment, profile, instance. */
function credentials({ access_key, secret_key }: S3Settings): S3ClientConfig['credentials'] {
  if (access_key === undefined || secret_key === undefined) return undefined;
  return { accessKeyId: access_key, secretAccessKey: secret_key };
}

function handler(settings: S3Settings, patience: Patience) {
  const agent: AgentOptions = { keepAlive: true, maxSockets: 50, ...proxy(settings.proxy) };
  return {
    connectionTimeout: patience.connect_ms,
    socketTimeout: patience.stall_ms,
    httpAgent: agent,
    httpsAgent: { ...agent, ca: authorities(settings.ca_file) },
  };
}

function authorities(path: string | undefined): string[] | undefined {
  if (path === undefined) return undefined;
  try {
    return [...getCACertificates('default'), readFileSync(path, 'utf8')];
  } catch (error) {
    throw new BifractError('ENV_INVALID', `BIFRACT_S3_CA_FILE: cannot read ${path}`, {
      hint: 'It names a PEM file with the certificates of authorities to trust.',
      cause: error,
    });
  }
}

/** Node itself reaches through a proxy where its version can. */
function proxy(settings: ProxySettings | undefined): AgentOptions {
  if (!settings) return {};
  const { https: HTTPS_PROXY, http: HTTP_PROXY, except: NO_PROXY } = settings;
  if (!proxyKnown()) {
    throw new BifractError('PROGRAM_TOO_OLD', `Node ${process.versions.node} cannot use a proxy`, {
      hint: 'Use Node 22.21, 24.5 or newer, or unset HTTPS_PROXY and HTTP_PROXY where S3 is reached directly.',
    });
  }
  return { proxyEnv: { HTTPS_PROXY, HTTP_PROXY, NO_PROXY } };
}

function proxyKnown(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major === 22) return minor >= 21;
  return major === 24 ? minor >= 5 : major > 24;
}

const SMALL = 1 << 20;

/** SHA-256 as the library wants it, large bodies on the thread pool; with a secret, HMAC. */
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
    if (this.#secret === undefined && this.#pieces.length === 1 && first && first.length > SMALL) {
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
