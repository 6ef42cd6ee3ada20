/** Retries and time limits for an S3 service. Times in milliseconds. */
export interface S3RetryPolicy {
  /** Attempts of one request, once the service has responded to any request. */
  attempts: number;
  /** Attempts before that, so that a wrong address fails soon. */
  first_attempts: number;
  /** The first wait, doubled for each further one up to the maximum. */
  wait_ms: number;
  longest_wait_ms: number;
  connect_ms: number;
  /** A connection without traffic for this time has stalled. */
  stall_ms: number;
  /** Time a pending commit may still take after the job is cancelled. */
  grace_ms: number;
  /** Time limit of the cleanup after a failure. */
  cleanup_ms: number;
}

export const S3_RETRY_POLICY: S3RetryPolicy = {
  attempts: 12,
  first_attempts: 3,
  wait_ms: 250,
  longest_wait_ms: 30_000,
  connect_ms: 10_000,
  stall_ms: 60_000,
  grace_ms: 5_000,
  cleanup_ms: 30_000,
};

/** A failed request: response or connection error. */
export interface RequestFailure {
  /** HTTP status; undefined without a response. */
  status: number | undefined;
  /** The error code of the service, such as `SlowDown`, or of the system, such as `ECONNRESET`. */
  code: string;
}

export function failureOf(error: unknown): RequestFailure {
  const { $metadata, code, name } = Object(error) as Thrown;
  const status = $metadata?.httpStatusCode;
  const own = status === undefined ? (code ?? name) : name;
  return { status, code: typeof own === 'string' ? own : 'Error' };
}

interface Thrown {
  name?: unknown;
  code?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string | undefined> };
}

/** A header of the error response. */
export function responseHeader(error: unknown, name: string): string | undefined {
  return (Object(error) as Thrown).$response?.headers?.[name];
}

const TRANSIENT_STATUSES = new Set([408, 409, 425, 429, 500, 502, 503, 504]);

/** Corruption in transit, clock skew that the client has corrected by now, conflicts, and the many names of throttling. */
const TRANSIENT_CODES = new Set([
  'BadDigest',
  'InvalidDigest',
  'XAmzContentSHA256Mismatch',
  'IncompleteBody',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ConditionalRequestConflict',
  'OperationAborted',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
]);

/** Code of the error for a reply that is longer than any of S3. */
export const REPLY_TOO_LONG = 'ReplyTooLong';

/** Errors that a retry cannot fix: unknown hosts, certificates, missing credentials. */
const PERMANENT =
  /^(ENOTFOUND|EPROTO|ERR_SSL_|ERR_TLS_|ERR_INVALID_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CredentialsProviderError|TypeError|RangeError)/;

/** Whether the same request may succeed on a retry. */
export function isTransient(error: unknown): boolean {
  const { status, code } = failureOf(error);
  if (TRANSIENT_CODES.has(code)) return true;
  if (code === REPLY_TOO_LONG) return false;
  if (status === undefined) return !PERMANENT.test(code);
  return TRANSIENT_STATUSES.has(status);
}

/** The wait before the next attempt: exponential backoff with jitter, at least the Retry-After of the service. */
export function retryDelay(attempt: number, error: unknown, retryPolicy: S3RetryPolicy): number {
  const backoff = Math.min(retryPolicy.wait_ms * 2 ** (attempt - 1), retryPolicy.longest_wait_ms);
  const asked = Number(responseHeader(error, 'retry-after')) * 1000;
  const jittered = backoff * (0.5 + Math.random() / 2);
  return asked > jittered ? Math.min(asked, retryPolicy.longest_wait_ms) : jittered;
}
