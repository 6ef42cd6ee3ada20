import type { Client } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { Database, DatabaseSnapshot, TableCount } from '../../ports/database.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { takeLock } from './advisory-lock.ts';
import { newClient } from './driver.ts';
import { postgresError, sqlState } from './errors.ts';
import { extensionsOf, propertiesOf } from './properties.ts';

/** Wait for a schema change that is running, but not forever. */
const LOCK_TIMEOUT_MS = 60_000;
const LOCK_TIMED_OUT = '55P03';
const SNAPSHOT_INFO = `SELECT pg_backend_pid() AS pid, pg_export_snapshot() AS id, current_database() AS database,
  current_setting('server_version') AS server_version, pg_database_size(current_database()) AS size_bytes`;
/** The tables whose rows pg_dump dumps: no system tables, temporary tables, or tables of extensions. */
const TABLES = `SELECT n.nspname AS schema, c.relname AS name, pg_table_size(c.oid) AS size_bytes,
    format('SELECT count(*) AS rows FROM ONLY %I.%I', n.nspname, c.relname) AS count
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1, 2`;

interface SnapshotInfo extends Pick<DatabaseSnapshot, 'id' | 'database' | 'server_version' | 'size_bytes'> {
  pid: number;
}

interface TableRow {
  schema: string;
  name: string;
  size_bytes: number;
  /** The statement that counts its rows. */
  count: string;
}

/** The database as the source of a backup. Each snapshot has its own connection. */
export function postgresDatabase(
  connection: PostgresConnection,
  { lock_timeout_ms = LOCK_TIMEOUT_MS } = {},
): Database {
  return {
    async snapshot(options: CallOptions & { exclusive?: boolean } = {}): Promise<DatabaseSnapshot> {
      options.signal?.throwIfAborted();
      const client = await newClient(connection, { lock_timeout: lock_timeout_ms });
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

async function begin(
  client: Client,
  connection: PostgresConnection,
  exclusive = false,
): Promise<DatabaseSnapshot> {
  await client.connect();
  if (exclusive) await takeLock(client);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<SnapshotInfo>(SNAPSHOT_INFO);
  if (!rows[0]) throw new Error('No snapshot was exported');
  const { pid, ...about } = rows[0];
  const properties = await propertiesOf(client, about.database);
  if (!properties) throw new Error('The server does not list the database of this connection');
  return {
    ...about,
    properties,
    extensions: await extensionsOf(client),
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
  return new BifractError('BUSY', 'Another session holds a lock on a table of this database', {
    hint: 'A schema change may be running, such as an update of Bifract. Try again when it has finished.',
    cause,
  });
}

/** Cancels the query: the server would continue it after the connection is closed. */
async function cancelQuery(pid: number, connection: PostgresConnection): Promise<void> {
  const other = await newClient(connection);
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [pid]);
  } catch {
    // The snapshot is closed next, which the server notices.
  } finally {
    await other.end().catch(() => undefined);
  }
}
