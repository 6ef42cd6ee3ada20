import { randomBytes } from 'node:crypto';
import { type ClickhouseServer, startClickhouse } from './clickhouse.ts';
import { createLogsTables, createPostgresTables, type Generation } from './generations.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { queryClickhouse } from './query.ts';
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

/** Starts both servers in parallel, each with its own password, and creates the tables of a release. */
export async function startServices(
  supervisor: DemoSupervisor,
  generation: Generation,
  onStep: OnStep = () => {},
): Promise<Services> {
  const started = Date.now();
  const [postgres, clickhouse] = await Promise.all([
    startPostgres(supervisor, newSecret()).then(async (server) => {
      await createPostgresTables(server, generation);
      onStep(`PostgreSQL ${server.version}`, Date.now() - started);
      return server;
    }),
    startClickhouse(supervisor, newSecret()).then(async (server) => {
      await createLogsDatabase(server, LOGS_DATABASE, generation);
      const version = await queryClickhouse(server, LOGS_DATABASE, 'SELECT version()');
      onStep(`ClickHouse ${version.trim()}`, Date.now() - started);
      return server;
    }),
  ]);
  return { postgres, clickhouse };
}

/** Creates a database with the empty tables of a release. */
export async function createLogsDatabase(
  server: Pick<ClickhouseServer, 'url' | 'user' | 'password'>,
  name: string,
  generation: Generation,
): Promise<void> {
  await queryClickhouse(server, 'default', `CREATE DATABASE ${name}`);
  await createLogsTables(server, name, generation);
}

function newSecret(): string {
  return randomBytes(18).toString('base64url');
}
