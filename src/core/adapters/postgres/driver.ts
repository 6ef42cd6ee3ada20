import type { Client, ClientConfig } from 'pg';
import type { PostgresConnection } from '../../config/settings.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 10_000;
const BIGINT = 20;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/** Settings of every connection. Times are UTC, whatever the default of the server. */
export function clientConfig(connection: PostgresConnection): ClientConfig {
  return {
    ...connection,
    // Otherwise the driver takes it from the environment.
    sslnegotiation: 'postgres',
    application_name: 'bifract-console',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    lock_timeout: LOCK_TIMEOUT_MS,
    // Enough to sort ten thousand records in memory.
    options: '-c timezone=UTC -c datestyle=ISO -c work_mem=32MB',
  };
}

/** A client that is not connected yet. A broken connection shows as an error of the current or next statement. */
export async function newClient(
  connection: PostgresConnection,
  { options = '', ...config }: ClientConfig = {},
): Promise<Client> {
  const { Client: PgClient, types } = await loadDriver();
  const base = clientConfig(connection);
  const client = new PgClient({ ...base, ...config, options: `${base.options} ${options}`, types });
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

function parserOf(oid: number): ((text: string) => unknown) | undefined {
  if (oid === BIGINT) return safeInteger;
  if (oid === TIMESTAMP) return utcTime;
  if (oid === TIMESTAMPTZ) return (text) => utcTime(text.replace(/\+00(:00)?$/, ''));
  return undefined;
}

/** Parses a 64-bit integer; throws if it is not a safe integer. */
export function safeInteger(text: string): number {
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
