import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { clientConfig, loadDriver, SET_IF_THERE } from './driver.ts';
import { postgresError } from './errors.ts';

const STATEMENT_TIMEOUT_MS = 60_000;

/** Runs statements on one connection. */
export interface Session {
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/** A small pool of connections to PostgreSQL, opened on demand. Errors: `POSTGRES_UNREACHABLE`, `QUERY_FAILED`. */
export class PostgresPool {
  readonly #pool: Pool;
  readonly #connection: PostgresConnection;
  /** Schemas to look up tables in, and those of each connection whose settings are complete. */
  #path = 'public';
  readonly #paths = new WeakMap<PoolClient, string>();

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
    return this.#run(async (client) => {
      await this.#prepare(client);
      return (await client.query<Row>(sql, values)).rows;
    }, options);
  }

  /**
   * Runs a query without parameters, and looks up tables in the schemas that an expression names from then on. Takes one
   * round trip, also on a new connection.
   */
  queryAndSetPath<Row extends QueryResultRow>(
    sql: string,
    path: string,
    options?: CallOptions,
  ): Promise<{ path: string; rows: Row[] }> {
    const statements = [SET_IF_THERE, `SELECT set_config('search_path', ${path}, false) AS path`, sql];
    return this.#run(async (client) => {
      // Undone if one fails: it is a transaction. The driver's types do not know several statements.
      const results: unknown = await client.query(statements.join('; '));
      const [, set, found] = results as [unknown, QueryResult<{ path: string }>, QueryResult<Row>];
      this.#path = set.rows[0]?.path ?? this.#path;
      this.#paths.set(client, this.#path);
      return { path: this.#path, rows: found.rows };
    }, options);
  }

  transaction<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#run(async (client) => {
      await this.#prepare(client);
      const session: Session = { query: async (sql, values) => (await client.query(sql, values)).rows };
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

  async #prepare(client: PoolClient): Promise<void> {
    const path = this.#path;
    if (this.#paths.get(client) === path) return;
    await client.query(`${SET_IF_THERE}; SET search_path = ${path}`);
    this.#paths.set(client, path);
  }

  async #run<T>(work: (client: PoolClient) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
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
  work: (client: PoolClient) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  let broken = false;
  const onError = () => {
    broken = true;
  };
  client.on('error', onError);
  try {
    return await orAbort(work(client), signal);
  } finally {
    client.off('error', onError);
    client.release(broken || signal?.aborted);
  }
}
