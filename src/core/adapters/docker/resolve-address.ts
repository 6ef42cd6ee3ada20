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
  const urls = [connection.url, ...(connection.other_urls ?? [])];
  for (const [index, one] of urls.entries()) {
    const only = urls.length === 1;
    const found = await findHost(new URL(one), host_given, only ? dir : undefined, options);
    if (!found) continue;
    if (found.in_container) return { ...found, connection: inContainer(connection, found.host, http_port) };
    // Those that did not answer are tried again last.
    const [url = one, ...other_urls] = [...urls.slice(index), ...urls.slice(0, index)];
    return { ...found, connection: { ...connection, url, ...(other_urls.length > 0 && { other_urls }) } };
  }
  const hosts = urls.map((one) => new URL(one).host).join(', ');
  throw new BifractError(
    'CLICKHOUSE_UNREACHABLE',
    `Cannot reach ClickHouse at ${hosts}${urls.length === 1 ? ', or in a container' : ''}`,
    {
      hint:
        urls.length === 1
          ? `Start it (docker compose up -d clickhouse in ${dir}), or set CLICKHOUSE_HOST and CLICKHOUSE_HTTP_PORT, or CLICKHOUSE_URL, in .env.`
          : 'Check that one of them is running, and check CLICKHOUSE_HOSTS in .env (with the HTTP port, not the native one).',
    },
  );
}

async function findHost(
  url: URL,
  host_given: boolean,
  dir: string | undefined,
  options?: CallOptions,
): Promise<Found | undefined> {
  const { host, port } = hostOf(url);
  if (dir !== undefined) return resolve({ service: 'clickhouse', host, port, host_given }, dir, options);
  const listening = await isListening(host, port, options);
  return listening ? { host, description: formatAddress(host, port), in_container: false } : undefined;
}

function hostOf(url: URL): { host: string; port: number } {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** A certificate is for the configured host, not for the address of the container. */
function inContainer(
  connection: ClickHouseConnection,
  host: string,
  http_port: number,
): ClickHouseConnection {
  const { tls } = connection;
  const moved = new URL(connection.url);
  moved.hostname = host;
  if (moved.protocol === 'http:') moved.port = String(http_port);
  return {
    ...connection,
    url: moved.href.replace(/\/$/, ''),
    ...(tls && { tls: { ...tls, server_name: tls.server_name ?? hostOf(new URL(connection.url)).host } }),
  };
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
