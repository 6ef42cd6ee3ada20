import { BifractError } from '../../contract/errors.ts';
import { describeTlsProblem, type TlsSettingNames, tlsProblem } from '../tls-problem.ts';

/** ClickHouse error codes: wrong user or password, or missing privileges. */
const ACCESS_DENIED = new Set(['192', '193', '194', '516']);
/** ClickHouse error codes: unknown setting, or the user may not change it. */
const SETTING_REJECTED = new Set(['115', '452']);
/**
 * Transient ClickHouse errors: the server is starting, shutting down or overloaded, memory is short, a limit on queries or
 * time was reached, a replica or a connection between servers failed. By name: UNEXPECTED_END_OF_FILE,
 * ATTEMPT_TO_READ_AFTER_EOF, CANNOT_READ_FROM_SOCKET, CANNOT_WRITE_TO_SOCKET, TIMEOUT_EXCEEDED, TOO_SLOW,
 * CANNOT_ALLOCATE_MEMORY, DNS_ERROR, TOO_MANY_SIMULTANEOUS_QUERIES, NO_FREE_CONNECTION, SOCKET_TIMEOUT, NETWORK_ERROR,
 * ABORTED, MEMORY_LIMIT_EXCEEDED, NOT_ENOUGH_SPACE, ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS,
 * ALL_REPLICAS_ARE_STALE, QUERY_WAS_CANCELLED, ALL_REPLICAS_LOST, S3_ERROR, SERVER_OVERLOADED, KEEPER_EXCEPTION.
 */
const TRANSIENT = new Set(
  '3 32 95 96 159 160 173 198 202 203 209 210 236 241 243 279 285 369 394 415 499 745 999'.split(' '),
);
/** Unknown host names do not go away by themselves. */
const PERMANENT = /^ENOTFOUND/;
const UNREACHABLE = /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)/;

const NEVER_CONNECTED = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/;

/** How much of an unexpected response is searched for an error message. */
const MESSAGE_BYTES = 64 << 10;
const EXCEPTION = /Code: \d+\. DB::/g;

const INCOMPLETE_HINT =
  'Try again. If it fails again, check the ClickHouse server log for a restart or low memory, and the timeouts of any proxy in front of it.';

const TLS_SETTINGS: TlsSettingNames = {
  ca: 'CLICKHOUSE_CA_CERT',
  name: 'Set CLICKHOUSE_TLS_SERVER_NAME to the name in the certificate.',
  plain:
    'Use the port that ClickHouse has for https (8443 by default), or an http:// URL, or CLICKHOUSE_SECURE=false.',
  client: 'Let the server accept connections without a client certificate: this program cannot present one.',
};

/** Whether a host could not be reached, broke off, or something else answered for it: another one may answer. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof BifractError) return false;
  return UNREACHABLE.test(codeOf(error)) || error.message === 'socket hang up' || isProxyResponse(error);
}

/** Whether nothing was sent. */
export function isNeverConnected(error: unknown): boolean {
  return error instanceof Error && NEVER_CONNECTED.test(codeOf(error));
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

/** The server uses TLS, the connection does not. Not transient. */
export function tlsRequired(address: string, cause: unknown): BifractError {
  return new BifractError('CLICKHOUSE_UNREACHABLE', `ClickHouse at ${address} requires TLS`, {
    hint: 'Set CLICKHOUSE_SECURE=true, or use an https:// URL.',
    cause,
  });
}

/** Converts an error of the client library; `address` and `user` are for the message. */
export function clickhouseError(error: unknown, address: string, user: string): BifractError {
  if (error instanceof BifractError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const problem = tlsProblem(error);
  if (problem !== undefined) {
    const { what, hint } = describeTlsProblem(problem, error, TLS_SETTINGS);
    return new BifractError('CLICKHOUSE_UNREACHABLE', `ClickHouse at ${address} ${what}`, {
      hint,
      cause: error,
    });
  }
  if (ACCESS_DENIED.has(code)) {
    return new BifractError(
      'CLICKHOUSE_UNREACHABLE',
      `ClickHouse at ${address} denied access to user ${user}`,
      {
        hint: 'Check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.',
        cause: error,
      },
    );
  }
  if (UNREACHABLE.test(code)) return unreachable(address, message || code, error);
  if (message === '' && isProxyResponse(error))
    return unreachable(address, 'a proxy or another program answered there, with an empty error', error);
  return new BifractError(
    'QUERY_FAILED',
    `ClickHouse: ${message.replace(/\s+/g, ' ').trim().slice(0, 2000)}`,
    {
      hint: 'See the ClickHouse server log for details.',
      cause: error,
      transient: TRANSIENT.has(code) || isProxyResponse(error),
    },
  );
}

/** A response that is not from ClickHouse, but from a proxy that cannot reach it. */
function isProxyResponse(error: unknown): boolean {
  return error instanceof Error && error.name === 'Error' && codeOf(error) === '';
}

/** Whether the query was rejected because of one of its settings. */
export function isSettingRefused(error: unknown): boolean {
  const cause = error instanceof BifractError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && SETTING_REJECTED.has(String(cause.code));
}

export function unreachable(address: string, reason: string, cause?: unknown): BifractError {
  return new BifractError('CLICKHOUSE_UNREACHABLE', `Cannot reach ClickHouse at ${address}: ${reason}`, {
    hint: 'Check that it is running, and check CLICKHOUSE_URL, or CLICKHOUSE_HOST and CLICKHOUSE_HTTP_PORT (the HTTP port, not the native one).',
    cause,
    transient: !(cause instanceof Error && 'code' in cause && PERMANENT.test(String(cause.code))),
  });
}

/** What came instead of data, and some of what followed. */
export class ResponseTail {
  readonly #parts: Buffer[];
  #left = MESSAGE_BYTES;

  constructor(parts: Buffer[]) {
    this.#parts = parts;
  }

  /** Adds a chunk; true once any error message must be complete. */
  add(chunk: Buffer): boolean {
    this.#parts.push(chunk);
    this.#left -= chunk.length;
    return this.#left < 0;
  }

  /** The last exception message, without its frame. */
  message(): string | undefined {
    const text = this.last().toString('utf8');
    const start = [...text.matchAll(EXCEPTION)].at(-1)?.index;
    if (start === undefined) return undefined;
    const [bare = ''] = text.slice(start).split(/\r?\n(?:\d+ [0-9a-z]+\r?\n)?__exception__/);
    return bare
      .replace(/"?\}?\s*$/, '')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 2000);
  }

  /** The last bytes, where an error message would be. */
  last(): Buffer {
    return Buffer.concat(this.#parts).subarray(-2 * MESSAGE_BYTES);
  }
}

/** Error for an unexpected response; contains ClickHouse's error message if there is one. */
export function unexpectedResponse(tail: ResponseTail): BifractError {
  const message = tail.message();
  return message === undefined
    ? new BifractError('QUERY_FAILED', 'The response from ClickHouse is incomplete or malformed', {
        hint: INCOMPLETE_HINT,
        transient: true,
      })
    : queryFailed(message);
}

/** Error for a lost connection; ClickHouse may have sent the reason before. */
export function connectionLost(error: unknown, tail: ResponseTail): unknown {
  if (error instanceof BifractError) return error;
  const message = tail.message();
  if (message !== undefined) return queryFailed(message, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new BifractError('QUERY_FAILED', `Lost connection to ClickHouse: ${reason}`, {
    hint: INCOMPLETE_HINT,
    cause: error,
    transient: true,
  });
}

function queryFailed(message: string, cause?: unknown): BifractError {
  const [, code = ''] = /^Code: (\d+)\./.exec(message) ?? [];
  return new BifractError('QUERY_FAILED', `ClickHouse aborted the query: ${message}`, {
    hint: 'Try again. See the ClickHouse server log for details.',
    cause,
    transient: TRANSIENT.has(code),
  });
}
