import { statfs } from 'node:fs/promises';
import type { Client } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { DatabaseInfo, DatabaseServer, ServerInfo } from '../../ports/database-server.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort } from '../abort.ts';
import { docker } from '../docker/compose.ts';
import { takeLock } from './advisory-lock.ts';
import { newClient } from './driver.ts';
import { dropDatabase } from './drop.ts';
import { postgresError, sqlState } from './errors.ts';
import { createStatement, propertyStatements } from './properties.ts';
import { postgresDatabase } from './snapshot.ts';
import { sessionsOn, swapDatabases } from './swap.ts';

/** Databases that every server has, to connect to while another one is created, renamed or dropped. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'];
const THIS_MACHINE = /^(localhost|127\.\d+\.\d+\.\d+|::1|\/.*)$/;
const NO_DATABASE = '3D000';
const NAME_TAKEN = '42P04';
const SERVER_INFO = `SELECT current_setting('server_version') AS version, current_user AS user,
    (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS can_create,
    (SELECT array_agg(rolname::text) FROM pg_roles
     WHERE pg_has_role(current_user, oid, 'MEMBER') OR rolname ~ '^pg_') AS roles`;
const DATABASE_INFO = `SELECT oid::bigint AS oid, pg_database_size(oid) AS size_bytes, ARRAY(
      SELECT 'Prepared transaction ' || gid || ' is open' FROM pg_prepared_xacts WHERE database = datname
      UNION ALL SELECT 'Replication slot ' || slot_name || ' uses it' FROM pg_replication_slots WHERE database = datname
    ) AS pinned
  FROM pg_database WHERE datname = $1`;

/** The server behind a connection. `compose_dir` is the installation directory if it runs in a container of it. */
export function databaseServer(connection: PostgresConnection, compose_dir?: string): DatabaseServer {
  const onServer = <T>(work: (client: Client) => Promise<T>, options?: CallOptions) =>
    onMaintenanceDatabase(connection, work, options);
  const at = (database: string) => ({ ...connection, database });
  return {
    info: (options) =>
      onServer(async (client) => {
        const [info] = (await client.query<ServerInfo>(SERVER_INFO)).rows;
        if (!info) throw new Error('The server returned no information about itself');
        return { ...info, version: info.version.split(' ')[0] ?? '' };
      }, options),
    find: (database, options) =>
      onServer(
        async (client) => (await client.query<DatabaseInfo>(DATABASE_INFO, [database])).rows[0],
        options,
      ),
    sessions: (database, options) => onServer((client) => sessionsOn(client, database), options),
    async freeBytes(options) {
      const folder = await onServer(dataFolder, options);
      return folder === undefined ? null : freeBytes(folder, connection.host, compose_dir, options);
    },
    create: (database, { like, comment }, options) =>
      onServer(async (client) => {
        await client.query(await createStatement(client, database, like));
        const name = client.escapeIdentifier(database);
        await client.query(`COMMENT ON DATABASE ${name} IS ${client.escapeLiteral(comment)}`);
      }, options),
    copyProperties: (from, to, options) =>
      onServer(async (client) => {
        for (const statement of await propertyStatements(client, from, to)) await client.query(statement);
      }, options),
    analyze: (database, options) =>
      onDatabase(at(database), async (client) => void (await client.query('ANALYZE')), options),
    open: (database) => postgresDatabase(at(database)),
    async lock(database, options) {
      const client = await connect(at(database), options);
      try {
        await orAbort(takeLock(client), options?.signal);
      } catch (error) {
        await end(client);
        throw postgresError(error, connection);
      }
      return { release: () => end(client) };
    },
    rename: (from, to, options) => onServer((client) => rename(client, from, to), options),
    swap: (swap) => onServer((client) => onServer((other) => swapDatabases(client, other, swap))),
    drop: (database, options) =>
      onServer(
        (client) => dropDatabase(client, database, (work) => onDatabase(at(database), work, options)),
        options,
      ),
  };
}

async function rename(client: Client, from: string, to: string): Promise<void> {
  try {
    await client.query(
      `ALTER DATABASE ${client.escapeIdentifier(from)} RENAME TO ${client.escapeIdentifier(to)}`,
    );
  } catch (error) {
    if (sqlState(error) !== NAME_TAKEN) throw error;
    throw new BifractError('EXISTS', `Database ${to} already exists`, {
      hint: 'Choose another name, or drop that database first.',
      cause: error,
    });
  }
}

/** Undefined without the privilege to read it. */
async function dataFolder(client: Client): Promise<string | undefined> {
  const { rows } = await client
    .query<{ data_directory: string }>('SHOW data_directory')
    .catch(() => ({ rows: [] }));
  return rows[0]?.data_directory;
}

/** Free bytes on the file system of the data folder; null if unknown. */
async function freeBytes(
  folder: string,
  host: string,
  compose_dir: string | undefined,
  options?: CallOptions,
): Promise<number | null> {
  if (compose_dir !== undefined) return containerFreeBytes(compose_dir, folder, options);
  if (!THIS_MACHINE.test(host)) return null;
  // If the port is forwarded from another machine, the folder does not exist here.
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}

async function containerFreeBytes(
  dir: string,
  folder: string,
  options?: CallOptions,
): Promise<number | null> {
  const text = await docker(['compose', 'exec', '-T', 'postgres', 'df', '-Pk', folder], dir, options);
  const kib = /\s(\d+)\s+\d+%\s/.exec(text?.split('\n')[1] ?? '')?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

async function onMaintenanceDatabase<T>(
  connection: PostgresConnection,
  work: (client: Client) => Promise<T>,
  options?: CallOptions,
): Promise<T> {
  const [first = '', second = ''] = MAINTENANCE_DATABASES;
  const client = await connect({ ...connection, database: first }, options).catch((error: BifractError) => {
    if (sqlState(error.cause) !== NO_DATABASE) throw error;
    return connect({ ...connection, database: second }, options);
  });
  return use(client, connection, work, options);
}

async function onDatabase<T>(
  connection: PostgresConnection,
  work: (client: Client) => Promise<T>,
  options?: CallOptions,
): Promise<T> {
  return use(await connect(connection, options), connection, work, options);
}

async function connect(connection: PostgresConnection, { signal }: CallOptions = {}): Promise<Client> {
  signal?.throwIfAborted();
  const client = await newClient(connection);
  try {
    await orAbort(client.connect(), signal);
    return client;
  } catch (error) {
    void end(client);
    signal?.throwIfAborted();
    throw postgresError(error, connection);
  }
}

async function use<T>(
  client: Client,
  connection: PostgresConnection,
  work: (client: Client) => Promise<T>,
  { signal }: CallOptions = {},
): Promise<T> {
  try {
    return await orAbort(work(client), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw sqlState(error) === NO_DATABASE ? databaseNotFound(error) : postgresError(error, connection);
  } finally {
    // Do not wait for a cancelled statement: close the connection under it.
    if (signal?.aborted) void end(client);
    else await end(client);
  }
}

/** For a database named in a statement. A connection to a missing database fails with its own error. */
function databaseNotFound(cause: unknown): BifractError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new BifractError('NOT_FOUND', `PostgreSQL: ${message}`, {
    hint: 'Nothing was changed. Another session renamed or dropped it.',
    cause,
  });
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}
