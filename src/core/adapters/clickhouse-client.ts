import type { ClickHouseClient } from '@clickhouse/client';

/** The library's own limit on silence: a sink that retries for an hour must not end the query. */
const SILENCE_MS = 2 ** 31 - 1;

/** Where ClickHouse is and who asks. */
export interface ClickHouseConnection {
  /** The HTTP interface; user and password in it win. */
  url: string;
  database: string;
  user: string;
  password: string | undefined;
  /** Set on a sharded cluster: reads go to the distributed table. */
  cluster: string | undefined;
}

/** The client for an address, and what an error names: where, and who asked. Connects at the first question. */
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
    request_timeout: SILENCE_MS,
    // Both ends are on one host or network: compressing would only slow ClickHouse down.
    compression: { request: false, response: false },
    log: { level: ClickHouseLogLevel.OFF },
  });
  return { client, address: url.origin, user: username };
}
