import type { Client } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { Database, DatabaseSnapshot, TableCount } from '../../ports/database.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { takeLock } from './advisory-lock.ts';
import { type CopiedRows, copyOut } from './copy-out.ts';
import { newClient } from './driver.ts';
import { postgresError, sqlState } from './errors.ts';
import { extensionsOf, propertiesOf } from './properties.ts';

/** Wait for a schema change that is running, but not forever. */
const LOCK_TIMEOUT_MS = 60_000;
const LOCK_TIMED_OUT = '55P03';
/** The settings are those of pg_dump, whose rows must be ours byte for byte; other settings are the same in every session. */
const BEGIN = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL extra_float_digits = 3; SET LOCAL synchronize_seqscans = off`;
const SNAPSHOT_INFO = `SELECT pg_backend_pid() AS pid, pg_export_snapshot() AS id, current_database() AS database,
  (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects,
  current_setting('server_version') AS server_version, pg_database_size(current_database()) AS size_bytes`;
/**
 * The tables whose rows pg_dump dumps: no system tables, temporary tables, or tables of extensions. `read` are the smallest
 * that together have no more bytes than the parameter.
 */
const TABLES = `SELECT schema, name, size_bytes, format('%I.%I', schema, name) AS quoted,
    sum(size_bytes) OVER (ORDER BY size_bytes, schema, name) <= $1::bigint AS read
  FROM (SELECT n.nspname AS schema, c.relname AS name, pg_table_size(c.oid) AS size_bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS dumped
  ORDER BY 1, 2`;

interface SnapshotInfo
  extends Pick<DatabaseSnapshot, 'id' | 'database' | 'server_version' | 'size_bytes' | 'large_objects'> {
  pid: number;
}

interface TableRow {
  schema: string;
  name: string;
  size_bytes: number;
  quoted: string;
  /** Whether its contents are read; null: none are. */
  read: boolean | null;
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
  await client.query(BEGIN);
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
    tables: (options) => readTables({ client, pid, connection, encoding: properties.encoding }, options),
    close: () => client.end().catch(() => undefined),
  };
}

interface Session {
  client: Client;
  pid: number;
  connection: PostgresConnection;
  encoding: string;
}

async function readTables(
  { client, pid, connection, encoding }: Session,
  { signal, checksum_bytes }: CallOptions & { checksum_bytes?: number } = {},
): Promise<TableCount[]> {
  const tables: TableCount[] = [];
  try {
    signal?.throwIfAborted();
    const { rows: found } = await orAbort(client.query<TableRow>(TABLES, [checksum_bytes]), signal);
    for (const { quoted, read, ...table } of found) {
      const reading = read ? copyRows(client, quoted, encoding) : countRows(client, quoted);
      tables.push({ ...table, ...(await orAbort(reading, signal)) });
    }
    return tables;
  } catch (error) {
    if (signal?.aborted) await cancelQuery(pid, connection);
    signal?.throwIfAborted();
    throw sqlState(error) === LOCK_TIMED_OUT ? locked(error) : postgresError(error, connection);
  }
}

async function countRows(client: Client, table: string): Promise<{ rows: number }> {
  const { rows } = await client.query<{ rows: number }>(`SELECT count(*) AS rows FROM ONLY ${table}`);
  return { rows: rows[0]?.rows ?? 0 };
}

/** Reads the rows as pg_dump does: without those of child tables, columns that are generated, and conversion of the text. */
function copyRows(client: Client, table: string, encoding: string): Promise<CopiedRows> {
  return copyOut(client, `COPY ${table} TO STDOUT (ENCODING '${encoding}')`);
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
