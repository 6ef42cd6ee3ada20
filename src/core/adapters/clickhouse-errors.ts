import { BifractError } from '../errors.ts';

/** What ClickHouse says where a user or password is wrong, or a user may not do what was asked. */
const REFUSED = new Set(['192', '193', '194', '516']);
/** That it does not know a setting, or that the user may not change it. */
const SETTING = new Set(['115', '452']);
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
      cause: error,
    },
  );
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
  });
}
