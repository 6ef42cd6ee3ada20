import type { Pool, PoolClient, QueryResultRow } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { clientConfig, loadDriver } from './driver.ts';
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
  /** Schemas to look up tables in, if not those of the server; and the connections that know. */
  #path: { schemas: string; set: WeakSet<PoolClient> } | undefined;

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

  /** Looks up tables in these schemas from the next statement on; `DEFAULT` for those of the server. */
  setSearchPath(schemas: string): void {
    if (!this.#path && schemas === 'DEFAULT') return;
    this.#path = { schemas, set: new WeakSet() };
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
      return await onClient(client, work, signal, this.#path);
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
  path?: { schemas: string; set: WeakSet<PoolClient> },
): Promise<T> {
  const session: Session = { query: async (sql, values) => (await client.query(sql, values)).rows };
  let broken = false;
  const onError = () => {
    broken = true;
  };
  client.on('error', onError);
  try {
    if (path && !path.set.has(client)) {
      await client.query(`SET search_path = ${path.schemas}`);
      path.set.add(client);
    }
    return await orAbort(work(session), signal);
  } finally {
    client.off('error', onError);
    client.release(broken || signal?.aborted);
  }
}
