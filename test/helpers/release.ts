import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { QueryResultRow } from 'pg';
import {
  createLogsTables,
  createPostgresTables,
  type Generation,
  migrateLogsTables,
  migratePostgres,
} from '../../bin/demo/generations.ts';
import { createInstallDir, type InstallDir } from '../../bin/demo/install-dir.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import type { TestServices } from './services.ts';

/** An installation whose server is of another release than that of `testServices`. */
export interface ReleaseInstallation extends InstallDir {
  postgres: TestServices['postgres'];
  clickhouse: TestServices['clickhouse'];
  /** Runs a statement in PostgreSQL. */
  sql<Row extends QueryResultRow = Record<string, string | null>>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** Runs a statement in ClickHouse. */
  ch(text: string): Promise<string>;
  /** Upgrades the server in place. */
  upgrade(to: Generation): Promise<void>;
}

/** Creates an installation with the tables of a release, removed after the file's tests. `extra` is added to `.env`. */
export async function releaseInstallation(
  services: TestServices,
  generation: Generation,
  extra: Record<string, string> = {},
): Promise<ReleaseInstallation> {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-test-'));
  const database = `${services.postgres.database}_${dir.slice(-6).toLowerCase()}`;
  const postgres = { ...services.postgres, database };
  const clickhouse = { ...services.clickhouse, database };
  await queryPostgres({ ...postgres, database: 'postgres' }, `CREATE DATABASE "${database}"`);
  await queryClickhouse(clickhouse, 'default', `CREATE DATABASE ${database}`);
  after(async () => {
    await rm(dir, { recursive: true, force: true });
    await queryPostgres({ ...postgres, database: 'postgres' }, `DROP DATABASE "${database}" WITH (FORCE)`);
    await queryClickhouse(clickhouse, 'default', `DROP DATABASE ${database} SYNC`);
  });
  await createPostgresTables(postgres, generation);
  await createLogsTables(clickhouse, database, generation);
  return {
    ...(await createInstallDir(dir, postgres, clickhouse, extra)),
    postgres,
    clickhouse,
    sql: (text, values) => queryPostgres(postgres, text, values),
    ch: (text) => queryClickhouse(clickhouse, database, text),
    async upgrade(to) {
      await migratePostgres(postgres, generation, to);
      await migrateLogsTables(clickhouse, database, generation, to);
    },
  };
}
