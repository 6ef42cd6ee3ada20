import { randomBytes } from 'node:crypto';
import { type ClickhouseServer, startClickhouse } from './clickhouse.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { queryClickhouse, queryPostgres } from './query.ts';
import { LOGS_TABLE, POSTGRES_SCHEMA } from './schema.ts';
import type { DemoSupervisor } from './supervisor.ts';

/** Both databases of an installation, with empty tables. */
export interface Services {
  postgres: PostgresServer;
  clickhouse: ClickhouseServer;
}

/** Reports a finished step, human-readable, and its duration. */
export type OnStep = (what: string, ms: number) => void;

/** The ClickHouse database of the logs. */
export const LOGS_DATABASE = 'logs';

/** Starts both servers in parallel, each with its own password, and creates their tables. */
export async function startServices(
  supervisor: DemoSupervisor,
  onStep: OnStep = () => {},
): Promise<Services> {
  const started = Date.now();
  const [postgres, clickhouse] = await Promise.all([
    startPostgres(supervisor, newSecret()).then(async (server) => {
      await queryPostgres(server, POSTGRES_SCHEMA);
      onStep(`PostgreSQL ${server.version}`, Date.now() - started);
      return server;
    }),
    startClickhouse(supervisor, newSecret()).then(async (server) => {
      await createLogsDatabase(server, LOGS_DATABASE);
      const version = await queryClickhouse(server, LOGS_DATABASE, 'SELECT version()');
      onStep(`ClickHouse ${version.trim()}`, Date.now() - started);
      return server;
    }),
  ]);
  return { postgres, clickhouse };
}

/** Creates a database with an empty table `logs`. */
export async function createLogsDatabase(server: ClickhouseServer, name: string): Promise<void> {
  await queryClickhouse(server, 'default', `CREATE DATABASE ${name}`);
  await queryClickhouse(server, name, LOGS_TABLE);
}

function newSecret(): string {
  return randomBytes(18).toString('base64url');
}
