import { connect } from 'node:net';
import type {
  ClickHouseConnection,
  ClickHouseSettings,
  PostgresConnection,
  PostgresSettings,
} from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import { formatAddress } from '../../text/address.ts';
import { orAbort } from '../abort.ts';
import { findContainer } from './compose.ts';

const TIMEOUT_MS = 3_000;

/** The address where a database was found. */
interface Resolved<Connection> {
  connection: Connection;
  /** For display: the address, and the container if it was found there. */
  description: string;
  /** Whether it runs in a container of the installation's Compose project. */
  in_container: boolean;
}

type Found = Omit<Resolved<unknown>, 'connection'> & { host: string };

/** The configured location of a database. */
interface DatabaseLocation {
  service: string;
  host: string;
  port: number;
  /** False if the host is only the default. */
  host_given: boolean;
}

/**
 * Finds PostgreSQL: at the configured host and port, else in the container of the Compose project, else at the default.
 * `POSTGRES_UNREACHABLE` if nothing is listening at any of them.
 */
export async function resolvePostgres(
  settings: PostgresSettings,
  dir: string,
  options?: CallOptions,
): Promise<Resolved<PostgresConnection>> {
  const { host_given, ...connection } = settings;
  const { host, port } = connection;
  const found = await resolve({ service: 'postgres', host, port, host_given }, dir, options);
  if (found) return { ...found, connection: { ...connection, host: found.host, ...nameOf(settings, found) } };
  throw new BifractError(
    'POSTGRES_UNREACHABLE',
    `Cannot reach PostgreSQL at ${formatAddress(host, port)}, or in a container`,
    {
      hint: `Start it (docker compose up -d postgres in ${dir}), or set POSTGRES_HOST and POSTGRES_PORT in .env.`,
    },
  );
}

/** A certificate is for the configured host, not for the address of the container. */
function nameOf({ host, host_given, tls }: PostgresSettings, found: Found): Pick<PostgresConnection, 'tls'> {
  return tls && found.in_container && host_given ? { tls: { ...tls, server_name: host } } : {};
}

/** Finds the HTTP interface of ClickHouse in the same way. `CLICKHOUSE_UNREACHABLE`. */
export async function resolveClickHouse(
  settings: Omit<ClickHouseSettings, 'native_port'>,
  dir: string,
  options?: CallOptions,
): Promise<Resolved<ClickHouseConnection>> {
  const { host_given, http_port, ...connection } = settings;
  const url = new URL(connection.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const found = await resolve({ service: 'clickhouse', host, port, host_given }, dir, options);
  if (found && !found.in_container) return { ...found, connection };
  if (found) {
    const { tls } = connection;
    const moved = inContainer(url, found.host, http_port);
    // A certificate is for the configured host, not for the address of the container.
    return {
      ...found,
      connection: {
        ...connection,
        url: moved,
        ...(tls && { tls: { ...tls, server_name: tls.server_name ?? host } }),
      },
    };
  }
  throw new BifractError(
    'CLICKHOUSE_UNREACHABLE',
    `Cannot reach ClickHouse at ${url.host}, or in a container`,
    {
      hint: `Start it (docker compose up -d clickhouse in ${dir}), or set CLICKHOUSE_HOST and CLICKHOUSE_HTTP_PORT, or CLICKHOUSE_URL, in .env.`,
    },
  );
}

function inContainer(url: URL, host: string, port: number): string {
  const moved = new URL(url);
  moved.hostname = host;
  if (url.protocol === 'http:') moved.port = String(port);
  return moved.href.replace(/\/$/, '');
}

async function resolve(
  { service, host, port, host_given }: DatabaseLocation,
  dir: string,
  options?: CallOptions,
): Promise<Found | undefined> {
  const direct: Found = { host, description: formatAddress(host, port), in_container: false };
  if (host_given && (await isListening(host, port, options))) return direct;
  const container = await findContainer(service, dir, options);
  if (container?.address !== undefined && (await isListening(container.address, port, options))) {
    return {
      host: container.address,
      description: `container ${container.name} (${container.address}:${port})`,
      in_container: true,
    };
  }
  // The default comes last: it could belong to another installation.
  return !host_given && (await isListening(host, port, options)) ? direct : undefined;
}

/** Whether something is listening there. If the host is a folder, it contains the socket of PostgreSQL. */
async function isListening(host: string, port: number, { signal }: CallOptions = {}): Promise<boolean> {
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  const { promise, resolve: settle } = Promise.withResolvers<boolean>();
  socket.setTimeout(TIMEOUT_MS, () => settle(false));
  socket.once('connect', () => settle(true));
  socket.on('error', () => settle(false));
  try {
    return await orAbort(promise, signal);
  } finally {
    socket.destroy();
  }
}
