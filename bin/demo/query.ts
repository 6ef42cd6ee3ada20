import pg from 'pg';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { ClickhouseServer } from './clickhouse.ts';

/** Address and login of a PostgreSQL database. */
export interface PostgresAddress {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

/** Runs one statement (or several, without values) on a new connection. All values come back as text. */
export async function queryPostgres<Row extends pg.QueryResultRow>(
  address: PostgresAddress,
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  const { host, port, user, password, database } = address;
  const types = { getTypeParser: () => (value: string) => value };
  const client = new pg.Client({ host, port, user, password, database, ssl: false, types });
  // If the server ends between two calls, the next call fails.
  client.on('error', () => {});
  await client.connect();
  try {
    const result = await client.query<Row>(sql, values);
    return result.rows;
  } finally {
    await client.end();
  }
}

/** Runs one statement over HTTP with bound `params`. Returns the body; throws `QUERY_FAILED` with the server's text. */
export async function queryClickhouse(
  server: Pick<ClickhouseServer, 'url' | 'user' | 'password'>,
  database: string,
  sql: string,
  params: Record<string, string | number> = {},
): Promise<string> {
  const url = new URL(server.url);
  url.searchParams.set('database', database);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(`param_${name}`, String(value));
  const headers = { 'X-ClickHouse-User': server.user, 'X-ClickHouse-Key': server.password };
  const response = await fetch(url, { method: 'POST', headers, body: sql });
  const text = await response.text();
  if (!response.ok) throw new BifractError('QUERY_FAILED', text.trim());
  return text;
}
