import { lstat, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { findApp } from '../src/core/adapters/app-container.ts';
import { findArchiveVolume } from '../src/core/adapters/archive-volume.ts';
import { AuditLog } from '../src/core/adapters/audit-log.ts';
import { connectCatalog } from '../src/core/adapters/catalog.ts';
import { connectClickHouse } from '../src/core/adapters/clickhouse.ts';
import { connectLogRestore } from '../src/core/adapters/clickhouse-restore.ts';
import { postgresDatabase } from '../src/core/adapters/database.ts';
import { databaseServer } from '../src/core/adapters/database-server.ts';
import { exists } from '../src/core/adapters/disk-file.ts';
import { DiskStorage } from '../src/core/adapters/disk-storage.ts';
import { findDumpTool } from '../src/core/adapters/dump-tool.ts';
import { replaceEnv } from '../src/core/adapters/env-writer.ts';
import { FolderBoard } from '../src/core/adapters/folder-board.ts';
import { openIngest } from '../src/core/adapters/ingest.ts';
import { resolveClickHouse, resolvePostgres } from '../src/core/adapters/resolve-address.ts';
import { findRestoreTool } from '../src/core/adapters/restore-tool.ts';
import { RunnerProcess } from '../src/core/adapters/runner-process.ts';
import { openS3Storage } from '../src/core/adapters/s3-storage.ts';
import { serverSpace } from '../src/core/adapters/server-space.ts';
import { StateFolder } from '../src/core/adapters/state-folder.ts';
import { jobOwner } from '../src/core/adapters/who.ts';
import { setVariables } from '../src/core/config/edit-env.ts';
import { BifractError } from '../src/core/errors.ts';
import { generateKey, keyId, parseKey } from '../src/core/format/index.ts';
import type { JobOwner } from '../src/core/index.ts';
import type { JobBoard } from '../src/core/ports/job-board.ts';
import type { Storage } from '../src/core/ports/storage.ts';
import type { Services } from '../src/core/services.ts';
import { CurrentKeys } from './current-keys.ts';
import type { Installation } from './installation.ts';
import { VERSION } from './version.ts';

export { createEnv, makePrivateFolder, replaceEnv } from '../src/core/adapters/env-writer.ts';
export { runnerLog } from '../src/core/adapters/runner-process.ts';

export const KEY_VARIABLE = 'BIFRACT_BACKUP_ENCRYPTION_KEY';
const PREVIOUS_VARIABLE = `${KEY_VARIABLE}_PREVIOUS`;

/** The services of an installation: the one place where ports meet their adapters. */
export function makeServices(
  installation: Installation,
  {
    read_only,
    by,
  }: {
    read_only: boolean /** Who started what this process does, where another process did. */;
    by?: JobOwner;
  },
): Services {
  const { dir, settings, variables } = installation;
  const current = new CurrentKeys(installation);
  const keysNow = async () => {
    const { encryption_key, previous_keys } = await current.read();
    return [requireKey(encryption_key, dir), ...previous_keys] as const;
  };
  const postgres = once(() => resolvePostgres(settings.postgres, dir));
  const catalog = once(async () => connectCatalog((await postgres()).connection));
  const clickhouse = once(() => resolveClickHouse(settings.clickhouse, dir));
  const logs = once(async () => connectClickHouse((await clickhouse()).connection));
  const logRestore = once(async () => connectLogRestore((await clickhouse()).connection));
  const disk = {
    backups: once(async () => new DiskStorage(join(dir, 'backups'))),
    archives: once(
      async () => new DiskStorage(settings.archive.dir ?? (await findArchiveVolume(dir)) ?? dir),
    ),
  };
  const s3 = settings.s3 && once(async () => openS3Storage(settings.s3 as NonNullable<typeof settings.s3>));
  return {
    installation: {
      dir,
      key_id: keyIdOf(settings.encryption_key),
      storage: settings.s3 ? `s3://${settings.s3.bucket}` : join(dir, 'backups'),
      read_only,
      version: VERSION,
    },
    archive_limits: settings.archive,
    variables: Object.fromEntries(
      Object.entries(variables).filter(([name]) => !name.startsWith(KEY_VARIABLE)),
    ),
    state: new StateFolder(dir),
    board: new FolderBoard(dir),
    starter: new RunnerProcess(dir, [process.execPath, ...process.execArgv, process.argv[1] ?? '']),
    owner: () => (by ? { ...by, pid: process.pid } : jobOwner()),
    audit: new AuditLog(dir),
    now: () => new Date(),
    key: async () => parseKey((await keysNow())[0]),
    keys: async () => (await keysNow()).map((hex) => parseKey(hex)),
    replaceKey: async () => {
      const [key, ...earlier] = await keysNow();
      await replaceKey(dir, key, earlier);
    },
    database_name: settings.postgres.database,
    server: once(async () => {
      const { connection, in_container } = await postgres();
      const place = { host: connection.host, compose_dir: in_container ? dir : undefined };
      return databaseServer(connection, (folder, options) => serverSpace(place, folder, options));
    }),
    restoreTool: once(async () => {
      const { connection, in_container } = await postgres();
      const { version } = await databaseServer(connection, async () => null).about();
      const compose_dir = in_container ? dir : undefined;
      return findRestoreTool({ connection, server_version: version, compose_dir });
    }),
    app: once(() => findApp(dir)),
    catalog,
    database: once(async () => postgresDatabase((await postgres()).connection)),
    dumpTool: once(async () => {
      const { connection, in_container } = await postgres();
      const server_version = await (await catalog()).serverVersion();
      return findDumpTool({ connection, server_version, compose_dir: in_container ? dir : undefined });
    }),
    logs,
    logRestore,
    ingest: once(async () =>
      openIngest(settings.server.base_url ?? `http://localhost:${settings.server.port}`),
    ),
    postgresPlace: async () => (await postgres()).how,
    clickhousePlace: async () => (await clickhouse()).how,
    backups: s3 ?? disk.backups,
    archives: s3 ?? disk.archives,
    stored: async (place, type) => (type === 's3' ? s3?.() : disk[place]()),
    localFile: async (path) => ({ storage: openFolder(dirname(resolve(path))), name: basename(path) }),
    close: () => closeAll(catalog, logs, logRestore),
  };
}

/** Writes a new key to the installation's `.env`. What the environment says would win over it: then it is refused. */
async function replaceKey(dir: string, before: string, earlier: readonly string[]): Promise<void> {
  const foreign = [KEY_VARIABLE, PREVIOUS_VARIABLE].find((name) => process.env[name]);
  if (foreign) {
    throw new BifractError('ENV_INVALID', `${foreign} is set in the environment, which wins over .env`, {
      hint: 'Rotate the key where it is kept, or unset the variable.',
    });
  }
  const path = join(dir, '.env');
  const text = await readFile(path, 'utf8');
  const variables = {
    [KEY_VARIABLE]: generateKey(),
    [PREVIOUS_VARIABLE]: [...new Set([before, ...earlier])].join(','),
  };
  await replaceEnv(path, text, setVariables(text, variables));
}

/** The jobs of an installation, whatever its settings. */
export function openBoard(dir: string): JobBoard {
  return new FolderBoard(dir);
}

/** A folder of this machine as storage. */
export function openFolder(folder: string): Storage {
  return new DiskStorage(folder);
}

/** Throws `EXISTS` where a file is there, a hidden one (`.env`) too, which no storage would know of. */
export async function mustBeNew(path: string): Promise<void> {
  if (await lstat(path).catch(() => undefined)) throw exists(path);
}

type Once<T> = (() => Promise<T>) & { made(): Promise<T> | undefined };

/** Makes a thing at its first use and keeps it; one that could not be made is tried again at the next use. */
function once<T>(make: () => Promise<T>): Once<T> {
  let made: Promise<T> | undefined;
  const get = () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return Object.assign(get, { made: () => made });
}

async function closeAll(...services: Once<{ close(): Promise<void> }>[]): Promise<void> {
  const open = services.map((one) => one.made());
  await Promise.allSettled(open.map(async (one) => (await one)?.close()));
}

function requireKey(hex: string | undefined, dir: string): string {
  if (hex !== undefined) return hex;
  throw new BifractError('KEY_MISSING', `${KEY_VARIABLE} is not set in ${join(dir, '.env')}`, {
    hint: 'Nothing can be encrypted or decrypted without it. Use the key that the installation was made with.',
  });
}

/** For the header, which must not fail: a key that is none has no fingerprint, and `status` says why. */
function keyIdOf(hex: string | undefined): string | null {
  try {
    return hex === undefined ? null : keyId(parseKey(hex));
  } catch {
    return null;
  }
}
