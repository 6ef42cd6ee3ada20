/** How long an S3 service is waited for. Times in milliseconds. */
export interface Patience {
  /** Tries of one request, once the service has answered anything at all. */
  attempts: number;
  /** Tries before that: a wrong address should be told soon. */
  first_attempts: number;
  /** The first wait; each further one is twice as long, up to the longest. */
  wait_ms: number;
  longest_wait_ms: number;
  connect_ms: number;
  /** A connection that carries no byte for so long has stalled. */
  stall_ms: number;
  /** What a commit under way may still take once the job is cancelled. */
  grace_ms: number;
  /** How long is spent on leaving nothing behind after a failure. */
  cleanup_ms: number;
}

export const PATIENCE: Patience = {
  attempts: 12,
  first_attempts: 3,
  wait_ms: 250,
  longest_wait_ms: 30_000,
  connect_ms: 10_000,
  stall_ms: 60_000,
  grace_ms: 5_000,
  cleanup_ms: 30_000,
};

/** What is known of a failed request, whichever way it failed. */
export interface Refusal {
  /** HTTP status; undefined where no answer came. */
  status: number | undefined;
  /** The service's code as `SlowDown`, or the system's as `ECONNRESET`. */
  code: string;
}

/** Reads a failed request's error. */
export function refusalOf(error: unknown): Refusal {
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

/** A header of the answer that an error came with. */
export function answerHeader(error: unknown, name: string): string | undefined {
  return (Object(error) as Thrown).$response?.headers?.[name];
}

const STATUSES = new Set([408, 409, 425, 429, 500, 502, 503, 504]);

/** Damage on the way, clocks that the client has meanwhile set right, collisions, and throttling in its many names. */
const CODES = new Set([
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

/** What no second try mends: names that do not exist, certificates, credentials that cannot be had. */
const HOPELESS =
  /^(ENOTFOUND|EPROTO|ERR_SSL_|ERR_TLS_|ERR_INVALID_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CredentialsProviderError|TypeError|RangeError)/;

/** Whether the same request may well succeed when it is sent again. */
export function isTransient(error: unknown): boolean {
  const { status, code } = refusalOf(error);
  if (CODES.has(code)) return true;
  if (status === undefined) return !HOPELESS.test(code);
  return STATUSES.has(status);
}

/** How long to wait before the next try: doubling, jittered, never less than the service asks for. */
export function waitBefore(attempt: number, error: unknown, patience: Patience): number {
  const longest = Math.min(patience.wait_ms * 2 ** (attempt - 1), patience.longest_wait_ms);
  const asked = Number(answerHeader(error, 'retry-after')) * 1000;
  const jittered = longest * (0.5 + Math.random() / 2);
  return asked > jittered ? Math.min(asked, patience.longest_wait_ms) : jittered;
}

/** A signal that aborts some time after another one, with its reason. Release it when it is not needed any more. */
export function delayed(
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
