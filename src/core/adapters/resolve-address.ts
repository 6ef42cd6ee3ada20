import { connect } from 'node:net';
import { BifractError } from '../errors.ts';
import type { CallOptions } from '../ports/types.ts';
import { orAbort } from './abort.ts';
import type { ClickHouseConnection } from './clickhouse.ts';
import { findContainer } from './container.ts';
import type { PostgresConnection } from './postgres-errors.ts';

const TIMEOUT_MS = 3_000;

/** Where a database was found. */
export interface Resolved<Connection> {
  connection: Connection;
  /** For people: which way was taken. */
  how: string;
  /** It runs in a container of the installation's Compose project. */
  in_container: boolean;
}

/** What an installation says of a database's place. */
interface Place {
  service: string;
  host: string;
  port: number;
  /** The installation names it, or the default stands in. */
  host_given: boolean;
}

/**
 * Finds PostgreSQL: at the host and port of the installation where they are given and answer, else in the
 * container of its Compose project, else at the default. `POSTGRES_UNREACHABLE` where nothing answers.
 */
export async function resolvePostgres(
  settings: PostgresConnection & { host_given: boolean },
  dir: string,
  options?: CallOptions,
): Promise<Resolved<PostgresConnection>> {
  const { host_given, ...connection } = settings;
  const { host, port } = connection;
  const found = await resolve({ service: 'postgres', host, port, host_given }, dir, options);
  if (found) return { ...found, connection: { ...connection, host: found.host } };
  throw new BifractError(
    'POSTGRES_UNREACHABLE',
    `PostgreSQL does not answer at ${host}:${port}, nor in a container`,
    {
      hint: `Start it (docker compose up -d postgres in ${dir}), or set POSTGRES_HOST and POSTGRES_PORT in .env.`,
    },
  );
}

/** The same for ClickHouse and its HTTP interface. `CLICKHOUSE_UNREACHABLE` where nothing answers. */
export async function resolveClickHouse(
  settings: ClickHouseConnection & { host_given: boolean; http_port: number },
  dir: string,
  options?: CallOptions,
): Promise<Resolved<ClickHouseConnection>> {
  const { host_given, http_port, ...connection } = settings;
  const url = new URL(connection.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const found = await resolve({ service: 'clickhouse', host, port, host_given }, dir, options);
  if (found && !found.in_container) return { ...found, connection };
  if (found) return { ...found, connection: { ...connection, url: inContainer(url, found.host, http_port) } };
  throw new BifractError(
    'CLICKHOUSE_UNREACHABLE',
    `ClickHouse does not answer at ${url.host}, nor in a container`,
    {
      hint: `Start it (docker compose up -d clickhouse in ${dir}), or set CLICKHOUSE_HOST and CLICKHOUSE_HTTP_PORT, or CLICKHOUSE_URL, in .env.`,
    },
  );
}

function inContainer(url: URL, host: string, port: number): string {
  const moved = new URL(url);
  moved.protocol = 'http:';
  moved.hostname = host;
  moved.port = String(port);
  return moved.href.replace(/\/$/, '');
}

async function resolve(
  { service, host, port, host_given }: Place,
  dir: string,
  options?: CallOptions,
): Promise<{ host: string; how: string; in_container: boolean } | undefined> {
  const direct = { host, how: `${host}:${port}`, in_container: false };
  if (host_given && (await answers(host, port, options))) return direct;
  const container = await findContainer(service, dir, options);
  if (container?.address !== undefined && (await answers(container.address, port, options))) {
    return {
      host: container.address,
      how: `container ${container.name} at ${container.address}:${port}`,
      in_container: true,
    };
  }
  // Without a name of its own the default could be another installation's: it comes last.
  return !host_given && (await answers(host, port, options)) ? direct : undefined;
}

/** Whether something listens there. A host that is a folder holds PostgreSQL's socket. */
async function answers(host: string, port: number, { signal }: CallOptions = {}): Promise<boolean> {
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
