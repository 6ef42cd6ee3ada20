import type { ClientConfig, Pool, PoolClient, QueryResultRow } from 'pg';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { closingClient } from './client.ts';
import { type PostgresConnection, postgresError } from './errors.ts';
import { parserOf } from './types.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 10_000;

/** Settings of every connection. Times are UTC, whatever the default of the server. */
export function clientConfig(connection: PostgresConnection): ClientConfig {
  return {
    ...connection,
    application_name: 'bifract-console',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    lock_timeout: LOCK_TIMEOUT_MS,
    // Enough to sort ten thousand records in memory.
    options: '-c timezone=UTC -c datestyle=ISO -c work_mem=32MB',
  };
}

/** The driver, loaded on first use, with our parsers in place of some of its own. */
export async function loadDriver() {
  const { default: pg } = await import('pg');
  const getTypeParser = (oid: number, format?: 'text' | 'binary') =>
    parserOf(oid) ?? pg.types.getTypeParser(oid, format as 'text');
  const Client = closingClient(pg.Client);
  return { pg, Client, types: { getTypeParser: getTypeParser as typeof pg.types.getTypeParser } };
}

/** Runs statements on one connection. */
export interface Session {
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** A small pool of connections to PostgreSQL, opened on demand. Errors: `POSTGRES_UNREACHABLE`, `QUERY_FAILED`. */
export class PostgresPool {
  readonly #pool: Pool;
  readonly #connection: PostgresConnection;

  private constructor(pool: Pool, connection: PostgresConnection) {
    this.#pool = pool;
    this.#connection = connection;
  }

  static async open(connection: PostgresConnection): Promise<PostgresPool> {
    const { pg, Client, types } = await loadDriver();
    const pool = new pg.Pool({
      ...clientConfig(connection),
      types,
      Client,
      max: 4,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      allowExitOnIdle: true,
    });
    // An idle connection closed by the server is replaced on the next query.
    pool.on('error', () => undefined);
    return new PostgresPool(pool, connection);
  }

  query<Row extends QueryResultRow>(sql: string, values: unknown[], options?: CallOptions): Promise<Row[]> {
    return this.#run((session) => session.query<Row>(sql, values), options);
  }

  transaction<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#run(async (session) => {
      await session.query('BEGIN');
      try {
        const result = await work(session);
        await session.query('COMMIT');
        return result;
      } catch (error) {
        await session.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    }, options);
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #run<T>(work: (session: Session) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    signal?.throwIfAborted();
    try {
      const connecting = this.#pool.connect();
      const client = await orAbort(connecting, signal).catch((error: unknown) => {
        connecting.then(
          (late) => late.release(),
          () => undefined,
        );
        throw error;
      });
      return await onClient(client, work, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw postgresError(error, this.#connection);
    }
  }
}

/** Closes a connection whose work was aborted, so that the server rolls it back. */
async function onClient<T>(
  client: PoolClient,
  work: (session: Session) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const session: Session = { query: async (sql, values) => (await client.query(sql, values)).rows };
  let broken = false;
  const onError = () => {
    broken = true;
  };
  client.on('error', onError);
  try {
    return await orAbort(work(session), signal);
  } finally {
    client.off('error', onError);
    client.release(broken || signal?.aborted);
  }
}
