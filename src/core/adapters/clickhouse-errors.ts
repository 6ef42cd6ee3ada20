import { BifractError } from '../errors.ts';

/** What ClickHouse says where a user or password is wrong, or a user may not do what was asked. */
const REFUSED = new Set(['192', '193', '194', '516']);
/** That it does not know a setting, or that the user may not change it. */
const SETTING = new Set(['115', '452']);
/**
 * What passes: the server is starting, shutting down or overloaded, memory is short, a limit on queries or time was
 * met, a replica or the line between two servers broke. By name in ClickHouse's list: UNEXPECTED_END_OF_FILE,
 * ATTEMPT_TO_READ_AFTER_EOF, CANNOT_READ_FROM_SOCKET, CANNOT_WRITE_TO_SOCKET, TIMEOUT_EXCEEDED, TOO_SLOW,
 * CANNOT_ALLOCATE_MEMORY, DNS_ERROR, TOO_MANY_SIMULTANEOUS_QUERIES, NO_FREE_CONNECTION, SOCKET_TIMEOUT, NETWORK_ERROR,
 * ABORTED, MEMORY_LIMIT_EXCEEDED, NOT_ENOUGH_SPACE, ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS,
 * ALL_REPLICAS_ARE_STALE, QUERY_WAS_CANCELLED, ALL_REPLICAS_LOST, S3_ERROR, SERVER_OVERLOADED, KEEPER_EXCEPTION.
 */
const PASSING = new Set(
  '3 32 95 96 159 160 173 198 202 203 209 210 236 241 243 279 285 369 394 415 499 745 999'.split(' '),
);
/** Names that nobody knows and certificates that do not fit stay what they are. */
const LASTING = /^(ENOTFOUND|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS|ERR_SSL)/;
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS|ERR_SSL)/;

/** An error of the client library as ours. `address` is the server's, `user` who asked. */
export function clickhouseError(error: unknown, address: string, user: string): BifractError {
  if (error instanceof BifractError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (REFUSED.has(code)) {
    return new BifractError(
      'CLICKHOUSE_UNREACHABLE',
      `ClickHouse at ${address} does not accept user ${user}`,
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
      hint: 'The log of ClickHouse may say more.',
      cause: error,
      transient: isPassing(code) || isForeign(error, code),
    },
  );
}

/** Whether a failure of that number in ClickHouse's list passes by itself. */
export function isPassing(code: string): boolean {
  return PASSING.has(code);
}

/** An answer in nobody's words: of a proxy before ClickHouse, which has nothing behind it just now. */
function isForeign(error: unknown, code: string): boolean {
  return error instanceof Error && error.name === 'Error' && code === '';
}

/** Whether a query failed for a setting that it was sent with, before it began. */
export function isSettingRefused(error: unknown): boolean {
  const cause = error instanceof BifractError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && SETTING.has(String(cause.code));
}

/** That nothing answers at the address. */
export function unreachable(address: string, reason: string, cause?: unknown): BifractError {
  return new BifractError('CLICKHOUSE_UNREACHABLE', `ClickHouse does not answer at ${address}: ${reason}`, {
    hint: 'Check that it is running, and CLICKHOUSE_URL or CLICKHOUSE_HOST and CLICKHOUSE_HTTP_PORT (HTTP, not the native port).',
    cause,
    transient: !(cause instanceof Error && 'code' in cause && LASTING.test(String(cause.code))),
  });
}
