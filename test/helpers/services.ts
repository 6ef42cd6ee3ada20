import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { QueryResultRow } from 'pg';
import type { ClickhouseServer } from '../../bin/demo/clickhouse.ts';
import { type Generation, migratePostgres } from '../../bin/demo/generations.ts';
import { createInstallDir, type InstallDir } from '../../bin/demo/install-dir.ts';
import type { PostgresServer } from '../../bin/demo/postgres.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { createLogsDatabase, type Services, startServices } from '../../bin/demo/services.ts';
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { BROKER_VARIABLE } from './broker-variable.ts';

/** Both databases of one test file, with empty tables. */
export interface TestServices {
  /** Connection to the file's own database. */
  postgres: PostgresServer;
  /** Connection to the file's own database, which has the table `logs`. */
  clickhouse: ClickhouseServer & { database: string };
  /** Runs a statement in PostgreSQL. All values are text. */
  sql<Row extends QueryResultRow = Record<string, string | null>>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** Runs a statement in ClickHouse with bound parameters. Returns the response body. */
  ch(text: string, params?: Record<string, string | number>): Promise<string>;
  /** Creates an installation directory for both, removed after the file's tests. `extra` is added to its `.env`. */
  installation(extra?: Record<string, string>): Promise<InstallDir>;
}

let own: Promise<Services> | undefined;

/**
 * The databases of this test file: `const services = await testServices();` at the top of the file, or in a
 * `before`. Uses the servers of the test run; a file run by itself starts its own (about two seconds). The databases
 * are dropped after the file's tests. They have the tables of a release, by default of the first.
 */
export async function testServices(generation: Generation = 'A'): Promise<TestServices> {
  const broker = process.env[BROKER_VARIABLE];
  own ??= broker === undefined ? startOwn() : askBroker(broker);
  const shared = await own;
  const name = `t_${randomBytes(6).toString('hex')}`;
  await Promise.all([
    createPostgresDatabase(shared.postgres, name, generation),
    createLogsDatabase(shared.clickhouse, name, generation),
  ]);
  after(() => drop(shared, name));
  return onDatabases(shared, name);
}

function onDatabases(shared: Services, database: string): TestServices {
  const postgres = { ...shared.postgres, database };
  const clickhouse = { ...shared.clickhouse, database };
  return {
    postgres,
    clickhouse,
    sql: (text, values) => queryPostgres(postgres, text, values),
    ch: (text, params) => queryClickhouse(clickhouse, database, text, params),
    installation: async (extra) => {
      const dir = await mkdtemp(join(tmpdir(), 'bifract-test-'));
      after(() => rm(dir, { recursive: true, force: true }));
      return createInstallDir(dir, postgres, clickhouse, extra);
    },
  };
}

/** The databases to copy have the tables of `A`. */
async function createPostgresDatabase(server: PostgresServer, name: string, generation: Generation) {
  await queryPostgres({ ...server, database: 'postgres' }, `CREATE DATABASE ${name} TEMPLATE bifract`);
  await migratePostgres({ ...server, database: name }, 'A', generation);
}

async function startOwn(): Promise<Services> {
  return startServices(await startDemoSupervisor(), 'A');
}

async function askBroker(url: string): Promise<Services> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Services;
}

async function drop({ postgres, clickhouse }: Services, name: string): Promise<void> {
  await queryPostgres({ ...postgres, database: 'postgres' }, `DROP DATABASE ${name} WITH (FORCE)`);
  await queryClickhouse(clickhouse, 'default', `DROP DATABASE ${name} SYNC`);
}
