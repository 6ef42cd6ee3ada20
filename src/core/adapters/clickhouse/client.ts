import type { ClickHouseClient } from '@clickhouse/client';

/** Disables the library's idle timeout: a sink that retries for an hour must not end the query. */
const IDLE_TIMEOUT_MS = 2 ** 31 - 1;

/** Address and credentials of ClickHouse. */
export interface ClickHouseConnection {
  /** HTTP interface. A user and password in the URL take precedence. */
  url: string;
  database: string;
  user: string;
  password: string | undefined;
  /** Name of the cluster; if set, reads go to the distributed table. */
  cluster: string | undefined;
}

/** Creates a client; `address` and `user` are for error messages. Connects with the first query. */
export async function openClient(
  connection: ClickHouseConnection,
): Promise<{ client: ClickHouseClient; address: string; user: string }> {
  const { ClickHouseLogLevel, createClient } = await import('@clickhouse/client');
  const url = new URL(connection.url);
  const username = decodeURIComponent(url.username) || connection.user;
  const password = decodeURIComponent(url.password) || (connection.password ?? '');
  url.username = url.password = '';
  const client = createClient({
    url,
    username,
    password,
    database: connection.database,
    application: 'bifract-console',
    request_timeout: IDLE_TIMEOUT_MS,
    // Client and server share a host or network: compression would only slow ClickHouse down.
    compression: { request: false, response: false },
    log: { level: ClickHouseLogLevel.OFF },
  });
  return { client, address: url.origin, user: username };
}
