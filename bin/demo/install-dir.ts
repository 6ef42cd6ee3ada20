import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClickhouseServer } from './clickhouse.ts';
import type { PostgresAddress } from './query.ts';

/** An installation directory, for `--dir`. */
export interface InstallDir {
  dir: string;
  /** The variables of its `.env`. */
  env: Record<string, string>;
}

/** Creates `dir` (0700) with `.env` (0600), a new key and `backups/`; `extra` is added to `.env`. */
export async function createInstallDir(
  dir: string,
  postgres: PostgresAddress,
  clickhouse: Pick<ClickhouseServer, 'url' | 'user' | 'password'> & { database: string },
  extra: Record<string, string> = {},
): Promise<InstallDir> {
  for (const folder of [dir, join(dir, 'backups')]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const env = {
    BIFRACT_BACKUP_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    POSTGRES_HOST: postgres.host,
    POSTGRES_PORT: String(postgres.port),
    POSTGRES_DB: postgres.database,
    POSTGRES_USER: postgres.user,
    POSTGRES_PASSWORD: postgres.password,
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_DB: clickhouse.database,
    CLICKHOUSE_USER: clickhouse.user,
    CLICKHOUSE_PASSWORD: clickhouse.password,
    ...extra,
  };
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(dir, '.env'), `# A throwaway installation\n${lines.join('')}`, { mode: 0o600 });
  return { dir, env };
}
