import type { Client } from 'pg';
import { BifractError } from '../errors.ts';
import type { DatabaseAbout, DatabaseServer, ServerAbout } from '../ports/database-server.ts';
import type { CallOptions } from '../ports/types.ts';
import { orAbort } from './abort.ts';
import { postgresDatabase } from './database.ts';
import { takeLock } from './database-lock.ts';
import { createStatement, propertyStatements } from './database-properties.ts';
import { sessionsOn, swapDatabases } from './database-swap.ts';
import { clientConfig, loadDriver } from './postgres.ts';
import { type PostgresConnection, postgresError, sqlState } from './postgres-errors.ts';

/** Databases that every server has, to connect to while another one is made, renamed or dropped. */
const MAINTENANCE = ['postgres', 'template1'];
const NO_DATABASE = '3D000';
const TAKEN = '42P04';
const ABOUT = `SELECT current_setting('server_version') AS version, current_user AS user,
    (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS can_create,
    (SELECT array_agg(rolname::text) FROM pg_roles
     WHERE pg_has_role(current_user, oid, 'MEMBER') OR rolname ~ '^pg_') AS roles`;
const FIND = `SELECT oid::bigint AS oid, pg_database_size(oid) AS size_bytes, ARRAY(
      SELECT 'The prepared transaction ' || gid || ' is open' FROM pg_prepared_xacts WHERE database = datname
      UNION ALL SELECT 'The replication slot ' || slot_name || ' reads it' FROM pg_replication_slots WHERE database = datname
    ) AS pinned
  FROM pg_database WHERE datname = $1`;

/** The server behind a connection. `freeBytes` is asked for the room at its data. */
export function databaseServer(
  connection: PostgresConnection,
  freeBytes: (dataFolder: string | undefined, options?: CallOptions) => Promise<number | null>,
): DatabaseServer {
  const onServer = <T>(work: (client: Client) => Promise<T>, options?: CallOptions) =>
    onMaintenance(connection, work, options);
  const at = (database: string) => ({ ...connection, database });
  return {
    about: (options) =>
      onServer(async (client) => {
        const [about] = (await client.query<ServerAbout>(ABOUT)).rows;
        if (!about) throw new Error('The server tells nothing of itself');
        return { ...about, version: about.version.split(' ')[0] ?? '' };
      }, options),
    find: (database, options) =>
      onServer(async (client) => (await client.query<DatabaseAbout>(FIND, [database])).rows[0], options),
    sessions: (database, options) => onServer((client) => sessionsOn(client, database), options),
    freeBytes: async (options) => freeBytes(await onServer(dataFolder, options), options),
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
    async hold(database, options) {
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
      onServer(async (client) => {
        const there = (await client.query(FIND, [database])).rows.length > 0;
        await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(database)} WITH (FORCE)`);
        return there;
      }, options),
  };
}

async function rename(client: Client, from: string, to: string): Promise<void> {
  try {
    await client.query(
      `ALTER DATABASE ${client.escapeIdentifier(from)} RENAME TO ${client.escapeIdentifier(to)}`,
    );
  } catch (error) {
    if (sqlState(error) !== TAKEN) throw error;
    throw new BifractError('EXISTS', `There is a database ${to} already, and it is never replaced`, {
      hint: 'Name another one, or drop it first.',
      cause: error,
    });
  }
}

/** Only some users may know it. */
async function dataFolder(client: Client): Promise<string | undefined> {
  const { rows } = await client
    .query<{ data_directory: string }>('SHOW data_directory')
    .catch(() => ({ rows: [] }));
  return rows[0]?.data_directory;
}

async function onMaintenance<T>(
  connection: PostgresConnection,
  work: (client: Client) => Promise<T>,
  options?: CallOptions,
): Promise<T> {
  const [first = '', second = ''] = MAINTENANCE;
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
  const { Client: PgClient, types } = await loadDriver();
  const client = new PgClient({ ...clientConfig(connection), types });
  // A connection that breaks is told by the statement that runs, or by the next one.
  client.on('error', () => undefined);
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
    throw sqlState(error) === NO_DATABASE ? gone(error) : postgresError(error, connection);
  } finally {
    // A statement that nobody waits for any more would keep its connection: it is cut.
    if (signal?.aborted) void end(client);
    else await end(client);
  }
}

/** Said of a database that a statement names; one that a connection asks for is told by the connection. */
function gone(cause: unknown): BifractError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new BifractError('NOT_FOUND', `PostgreSQL: ${message}`, {
    hint: 'Nothing has changed. Somebody else has renamed or dropped it.',
    cause,
  });
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}
