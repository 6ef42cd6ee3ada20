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
import { applyProperties, createDatabase, propertiesOf } from './properties.ts';
import { postgresDatabase } from './snapshot.ts';
import { sessionsOn, swapDatabases } from './swap.ts';

/** Databases that every server has, to connect to while another one is created, renamed or dropped. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'];
const THIS_MACHINE = /^(localhost|127\.\d+\.\d+\.\d+|::1|\/.*)$/;
const NO_DATABASE = '3D000';
const NAME_TAKEN = '42P04';
const SERVER_INFO = `SELECT current_setting('server_version') AS version, current_user AS user,
    (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS can_create,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname ~ '^pg_' OR pg_has_role(current_user, oid,
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS roles,
    ARRAY(SELECT rolname::text FROM pg_roles) AS all_roles,
    ARRAY(SELECT spcname::text FROM pg_tablespace
      WHERE spcname = 'pg_default' OR has_tablespace_privilege(oid, 'CREATE')) AS tablespaces,
    (SELECT jsonb_agg(jsonb_build_object('name', name, 'version', default_version, 'superuser_only',
        coalesce((SELECT (to_jsonb(v) ->> 'superuser')::bool AND (to_jsonb(v) ->> 'trusted') IS DISTINCT FROM 'true'
          FROM pg_available_extension_versions v WHERE v.name = e.name AND v.version = e.default_version), true)))
      FROM pg_available_extensions e) AS extensions`;
const DATABASE_INFO = `SELECT oid::bigint AS oid, pg_database_size(oid) AS size_bytes,
    pg_has_role(current_user, datdba, 'USAGE') AS owned, ARRAY(
      SELECT 'Prepared transaction ' || gid || ' is open' FROM pg_prepared_xacts WHERE database = datname
      UNION ALL SELECT 'Replication slot ' || slot_name || ' uses it' FROM pg_replication_slots WHERE database = datname
    ) AS pinned
  FROM pg_database WHERE datname = $1`;

/** Only a superuser may look into folders. Names without a folder are searched for in several. */
const MISSING_LIBRARIES = `SELECT library FROM unnest($1::text[]) AS library,
    LATERAL (SELECT replace(library, '$libdir', (SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR')) AS path) AS file
  WHERE library ~ '^([$]libdir)?/' AND (pg_stat_file(path, true)).size IS NULL
    AND (pg_stat_file(path || '.so', true)).size IS NULL`;

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
        return { ...info, version: info.version.split(' ')[0] ?? '', extensions: info.extensions ?? [] };
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
    properties: (database, options) => onServer((client) => propertiesOf(client, database), options),
    create: (database, { properties, comment }, options) =>
      onServer(async (client) => {
        await createDatabase(client, database, properties);
        const name = client.escapeIdentifier(database);
        await client.query(`COMMENT ON DATABASE ${name} IS ${client.escapeLiteral(comment)}`);
      }, options),
    applyProperties: (database, properties, how, options) =>
      onServer((client) => applyProperties(client, database, properties, how), options),
    missingLibraries: (libraries, options) =>
      onServer(async (client) => {
        const superuser = await client.query("SELECT 1 WHERE current_setting('is_superuser') = 'on'");
        if (superuser.rows.length === 0) return [];
        const { rows } = await client.query<{ library: string }>(MISSING_LIBRARIES, [libraries]);
        return rows.map(({ library }) => library);
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
