import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClickhouseServer } from './clickhouse.ts';
import type { PostgresAddress } from './postgres.ts';

/** An installation directory: with it as `--dir`, the program finds all that it needs. */
export interface InstallDir {
  dir: string;
  /** What its `.env` holds. */
  env: Record<string, string>;
}

/** Makes `dir` (0700) with `.env` (0600), a new key, `backups/` and `archives/`; `extra` goes into `.env` as well. */
export async function makeInstallDir(
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
  await writeFile(join(dir, '.env'), `# A throw-away installation\n${lines.join('')}`, { mode: 0o600 });
  return { dir, env };
}
