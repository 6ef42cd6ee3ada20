import { BifractError } from '../../contract/errors.ts';

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
/** Unknown host names and invalid certificates do not go away by themselves. */
const PERMANENT = /^(ENOTFOUND|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS|ERR_SSL)/;
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS|ERR_SSL)/;

/** Converts an error of the client library; `address` and `user` are for the message. */
export function clickhouseError(error: unknown, address: string, user: string): BifractError {
  if (error instanceof BifractError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
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
  return new BifractError(
    'QUERY_FAILED',
    `ClickHouse: ${message.replace(/\s+/g, ' ').trim().slice(0, 2000)}`,
    {
      hint: 'See the ClickHouse server log for details.',
      cause: error,
      transient: isTransientCode(code) || isProxyResponse(error, code),
    },
  );
}

/** Whether a ClickHouse error code stands for a transient failure. */
export function isTransientCode(code: string): boolean {
  return TRANSIENT.has(code);
}

/** A response that is not from ClickHouse, but from a proxy that cannot reach it. */
function isProxyResponse(error: unknown, code: string): boolean {
  return error instanceof Error && error.name === 'Error' && code === '';
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
