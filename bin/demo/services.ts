import { randomBytes } from 'node:crypto';
import { type ClickhouseServer, startClickhouse } from './clickhouse.ts';
import type { Keeper } from './keeper.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { queryClickhouse, queryPostgres } from './query.ts';
import { LOGS_TABLE, POSTGRES_SCHEMA } from './schema.ts';

/** Both databases of an installation, with their tables and nothing in them. */
export interface Services {
  postgres: PostgresServer;
  clickhouse: ClickhouseServer;
}

/** A step that has ended: for people, with how long it took. */
export type OnStep = (what: string, ms: number) => void;

/** The database of ClickHouse that holds the logs. */
export const LOGS_DATABASE = 'logs';

/** Starts both servers at the same time, with passwords of their own, and makes their tables. */
export async function startServices(keeper: Keeper, onStep: OnStep = () => {}): Promise<Services> {
  const began = Date.now();
  const [postgres, clickhouse] = await Promise.all([
    startPostgres(keeper, newSecret()).then(async (server) => {
      await queryPostgres(server, POSTGRES_SCHEMA);
      onStep(`PostgreSQL ${server.version}`, Date.now() - began);
      return server;
    }),
    startClickhouse(keeper, newSecret()).then(async (server) => {
      await makeLogsDatabase(server, LOGS_DATABASE);
      const version = await queryClickhouse(server, LOGS_DATABASE, 'SELECT version()');
      onStep(`ClickHouse ${version.trim()}`, Date.now() - began);
      return server;
    }),
  ]);
  return { postgres, clickhouse };
}

/** Makes a database with an empty table `logs`. */
export async function makeLogsDatabase(server: ClickhouseServer, name: string): Promise<void> {
  await queryClickhouse(server, 'default', `CREATE DATABASE ${name}`);
  await queryClickhouse(server, name, LOGS_TABLE);
}

function newSecret(): string {
  return randomBytes(18).toString('base64url');
}
