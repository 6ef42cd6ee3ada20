import type { Client } from 'pg';
import { BifractError } from '../errors.ts';
import type { Database, DatabaseSnapshot, TableCount } from '../ports/database.ts';
import type { CallOptions } from '../ports/types.ts';
import { orAbort } from './abort.ts';
import { takeLock } from './database-lock.ts';
import { clientConfig, loadDriver } from './postgres.ts';
import { type PostgresConnection, postgresError, sqlState } from './postgres-errors.ts';

/** A change of a table's shape that runs just now is worth waiting for, but not for ever. */
const LOCK_TIMEOUT_MS = 60_000;
const LOCK_TIMED_OUT = '55P03';
/** A snapshot lives as long as a dump takes, counting takes what it takes, and no row may be hidden from it. */
const PATIENCE = '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c row_security=off';
const ABOUT = `SELECT pg_backend_pid() AS pid, pg_export_snapshot() AS id, current_database() AS database,
  current_setting('server_version') AS server_version, pg_database_size(current_database()) AS size_bytes`;
/** What pg_dump dumps the rows of: not the system's tables, nor temporary ones, nor those an extension brings itself. */
const TABLES = `SELECT n.nspname AS schema, c.relname AS name, pg_table_size(c.oid) AS size_bytes,
    format('SELECT count(*) AS rows FROM ONLY %I.%I', n.nspname, c.relname) AS count
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1, 2`;

interface About extends Pick<DatabaseSnapshot, 'id' | 'database' | 'server_version' | 'size_bytes'> {
  pid: number;
}

interface TableRow {
  schema: string;
  name: string;
  size_bytes: number;
  /** The statement that counts its rows. */
  count: string;
}

/** The database as something to be backed up. Each snapshot has a connection of its own. */
export function postgresDatabase(
  connection: PostgresConnection,
  { lock_timeout_ms = LOCK_TIMEOUT_MS } = {},
): Database {
  return {
    async snapshot(options: CallOptions & { exclusive?: boolean } = {}): Promise<DatabaseSnapshot> {
      options.signal?.throwIfAborted();
      const client = await newClient(connection, lock_timeout_ms);
      try {
        return await orAbort(begin(client, connection, options.exclusive), options.signal);
      } catch (error) {
        client.end().catch(() => undefined);
        options.signal?.throwIfAborted();
        throw postgresError(error, connection);
      }
    },
  };
}

async function newClient(connection: PostgresConnection, lock_timeout = LOCK_TIMEOUT_MS): Promise<Client> {
  const { Client: PgClient, types } = await loadDriver();
  const config = clientConfig(connection);
  const options = `${config.options} ${PATIENCE}`;
  const client = new PgClient({ ...config, options, lock_timeout, types });
  // pg_dump, once it has begun, does not need this connection any more.
  client.on('error', () => undefined);
  return client;
}

async function begin(
  client: Client,
  connection: PostgresConnection,
  exclusive = false,
): Promise<DatabaseSnapshot> {
  await client.connect();
  if (exclusive) await takeLock(client);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<About>(ABOUT);
  if (!rows[0]) throw new Error('No snapshot was exported');
  const { pid, ...about } = rows[0];
  return {
    ...about,
    server_version: about.server_version.split(' ')[0] ?? '',
    tables: (options) => countTables(client, pid, connection, options),
    close: () => client.end().catch(() => undefined),
  };
}

async function countTables(
  client: Client,
  pid: number,
  connection: PostgresConnection,
  { signal }: CallOptions = {},
): Promise<TableCount[]> {
  const tables: TableCount[] = [];
  try {
    signal?.throwIfAborted();
    for (const { count, ...table } of (await orAbort(client.query<TableRow>(TABLES), signal)).rows) {
      const { rows } = await orAbort(client.query<{ rows: number }>(count), signal);
      tables.push({ ...table, rows: rows[0]?.rows ?? 0 });
    }
    return tables;
  } catch (error) {
    if (signal?.aborted) await cancelQuery(pid, connection);
    signal?.throwIfAborted();
    throw sqlState(error) === LOCK_TIMED_OUT ? locked(error) : postgresError(error, connection);
  }
}

function locked(cause: unknown): BifractError {
  return new BifractError('BUSY', 'Another session keeps a table of this database locked', {
    hint: 'Something changes its shape: an update of Bifract, perhaps. Try again when that has ended.',
    cause,
  });
}

/** A closed connection alone would let the server count on. */
async function cancelQuery(pid: number, connection: PostgresConnection): Promise<void> {
  const other = await newClient(connection);
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [pid]);
  } catch {
    // The snapshot is closed next; then the server finds out by itself.
  } finally {
    await other.end().catch(() => undefined);
  }
}
