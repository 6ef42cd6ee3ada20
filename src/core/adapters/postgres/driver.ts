import type { Client, ClientConfig } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';
import { optionsText, SESSION_OPTIONS, TEXT_OPTIONS } from './session-options.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 10_000;
const BIGINT = 20;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/** What the driver's parsers and our queries rely on. */
const OWN_OPTIONS = {
  ...SESSION_OPTIONS,
  ...TEXT_OPTIONS,
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  extra_float_digits: '1',
  // Enough to sort ten thousand records in memory.
  work_mem: '32MB',
};
/**
 * Completes the settings of a session, before anything else: those that not every server or user has, which would make it
 * reject the connection. In replica mode, deleting a row would leave those that reference it.
 */
export const SET_IF_THERE = `SELECT set_config(name, value, false)
  FROM (VALUES ('idle_session_timeout', '0'), ('transaction_timeout', '0'), ('session_replication_role', 'origin'))
    AS pinned(name, value)
  WHERE pg_catalog.current_setting(name, true) <> value
    AND (name <> 'session_replication_role' OR pg_catalog.current_setting('is_superuser') = 'on')`;

/** Settings of every connection: no timeout, time zone or mode of the server, the database or the role changes it. */
export function clientConfig(connection: PostgresConnection): ClientConfig {
  return {
    ...connection,
    // Otherwise the driver takes it from the environment.
    sslnegotiation: 'postgres',
    application_name: 'bifract-console',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    lock_timeout: LOCK_TIMEOUT_MS,
    client_encoding: 'UTF8',
    options: optionsText(OWN_OPTIONS),
  };
}

/**
 * A client that is not connected yet. A broken connection shows as an error of the current or next statement. Its names
 * without a schema are those of PostgreSQL.
 */
export async function newClient(
  connection: PostgresConnection,
  config: Pick<ClientConfig, 'lock_timeout'> = {},
): Promise<Client> {
  const { Client: PgClient, types } = await loadDriver();
  const options = optionsText({ ...OWN_OPTIONS, search_path: 'pg_catalog' });
  const client = new (completingClient(PgClient))({ ...clientConfig(connection), ...config, options, types });
  client.on('error', () => undefined);
  return client;
}

/** The driver, loaded on first use, with our parsers in place of some of its own. */
export async function loadDriver() {
  const { default: pg } = await import('pg');
  const getTypeParser = (oid: number, format?: 'text' | 'binary') =>
    parserOf(oid) ?? pg.types.getTypeParser(oid, format as 'text');
  const Client = closingClient(pg.Client);
  return { pg, Client, types: { getTypeParser: getTypeParser as typeof pg.types.getTypeParser } };
}

/**
 * The driver's client, changed to close its connection after a failed login. Otherwise it stays open, and keeps this
 * process alive, until the server times out waiting for the password.
 */
function closingClient(Base: typeof Client): typeof Client {
  return class ClosingClient extends Base {
    override connect(): Promise<this>;
    override connect(callback: (error: Error | undefined) => void): void;
    override connect(callback?: (error: Error | undefined) => void): Promise<this> | undefined {
      // The pool listens once it has the client; a server that ends the session before must not end this process.
      this.on('error', () => undefined);
      const connected = super.connect().catch((error: unknown) => {
        this.end().catch(() => undefined);
        throw error;
      });
      if (!callback) return connected.then(() => this);
      connected.then(() => callback(undefined), callback);
      return undefined;
    }
  };
}

function completingClient(Base: typeof Client): typeof Client {
  return class CompletingClient extends Base {
    override async connect(): Promise<this> {
      await super.connect();
      try {
        await this.query(SET_IF_THERE);
      } catch (error) {
        this.end().catch(() => undefined);
        throw error;
      }
      return this;
    }
  };
}

function parserOf(oid: number): ((text: string) => unknown) | undefined {
  if (oid === BIGINT) return safeInteger;
  if (oid === TIMESTAMP) return utcTime;
  if (oid === TIMESTAMPTZ) return (text) => utcTime(text.replace(/\+00(:00)?$/, ''));
  return undefined;
}

/** Parses a 64-bit integer; throws if it is not a safe integer. */
function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not a safe integer`);
  return value;
}

/**
 * Parses a time without a zone, which is UTC, and keeps its microseconds: `2026-03-01 12:00:00.123456`. Other values
 * (`infinity`) stay unchanged.
 */
export function utcTime(text: string): string {
  return text[10] === ' ' ? `${text.slice(0, 10)}T${text.slice(11)}Z` : text;
}

/** A time as a parameter for a column without time zone, which is always UTC. */
export function withoutZone(time: string | null): string | null {
  return time === null ? null : time.replace(/Z$/, '');
}
