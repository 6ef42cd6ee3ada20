import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { openIngest } from '../src/core/adapters/bifract-server/ingest.ts';
import { connectClickHouse } from '../src/core/adapters/clickhouse/log-database.ts';
import { connectLogRestore } from '../src/core/adapters/clickhouse/log-restore.ts';
import { FolderGuard } from '../src/core/adapters/disk/folder-guard.ts';
import { DiskRoot } from '../src/core/adapters/disk/root.ts';
import { DiskStorage } from '../src/core/adapters/disk/storage.ts';
import { findArchiveVolume, findWritingContainers } from '../src/core/adapters/docker/compose.ts';
import { resolveClickHouse, resolvePostgres } from '../src/core/adapters/docker/resolve-address.ts';
import { OpenFolder } from '../src/core/adapters/files/open-folder.ts';
import { FolderJobBus } from '../src/core/adapters/job-bus/job-bus.ts';
import { ProcessLauncher } from '../src/core/adapters/job-bus/launcher.ts';
import { connectCatalog } from '../src/core/adapters/postgres/catalog/catalog.ts';
import { databaseServer } from '../src/core/adapters/postgres/server.ts';
import { postgresDatabase } from '../src/core/adapters/postgres/snapshot.ts';
import { settleTls } from '../src/core/adapters/postgres/tls.ts';
import { findDumpTool } from '../src/core/adapters/postgres/tools/pg-dump.ts';
import { findRestoreTool } from '../src/core/adapters/postgres/tools/pg-restore.ts';
import { openS3Storage } from '../src/core/adapters/s3/storage.ts';
import { AuditLog } from '../src/core/adapters/state/audit-log.ts';
import { replaceEnv } from '../src/core/adapters/state/env-file.ts';
import { withFileLock } from '../src/core/adapters/state/file-lock.ts';
import { jobOwner } from '../src/core/adapters/state/owner.ts';
import { QueueFile } from '../src/core/adapters/state/queue-file.ts';
import { StateFolder } from '../src/core/adapters/state/state-folder.ts';
import { setVariables } from '../src/core/config/env-file.ts';
import { readSettingsFile } from '../src/core/config/read-file.ts';
import { BifractError } from '../src/core/contract/errors.ts';
import type { EngineServices } from '../src/core/engine/contract.ts';
import { resumeHint } from '../src/core/engine/jobs.ts';
import { generateKey, keyId, parseKey } from '../src/core/format/index.ts';
import type { JobEvent, JobOwner } from '../src/core/index.ts';
import type { JobBus } from '../src/core/ports/job-bus.ts';
import type { JobQueue } from '../src/core/ports/job-queue.ts';
import { CurrentKeys, type Installation } from './installation.ts';
import { VERSION } from './version.ts';

export {
  checkReplaceable,
  makePrivateFolder,
  replaceFile,
  writeNewFile,
} from '../src/core/adapters/files/replace-file.ts';
export { removeEmptyLog } from '../src/core/adapters/job-bus/launcher.ts';
export { createEnv, replaceEnv } from '../src/core/adapters/state/env-file.ts';

export const KEY_VARIABLE = 'BIFRACT_BACKUP_ENCRYPTION_KEY';
/** Milliseconds to wait while another process writes a key. */
const ENV_LOCK_MS = 10_000;
const PREVIOUS_VARIABLE = `${KEY_VARIABLE}_PREVIOUS`;

/** The services of an installation. The only module that names adapters. */
export function makeServices(
  installation: Installation,
  {
    read_only,
    by,
  }: {
    read_only: boolean;
    /** Who started the job, if another process did. */
    by?: JobOwner;
  },
): EngineServices {
  const { dir, settings, variables } = installation;
  const currentKeys = new CurrentKeys(installation);
  const readKeys = async () => {
    const { encryption_key, previous_keys } = await currentKeys.read();
    return [requireKey(encryption_key, dir), ...previous_keys] as const;
  };
  const postgresAddress = once(() => resolvePostgres(settings.postgres, dir));
  const postgres = once(async () => {
    const found = await postgresAddress();
    return { ...found, connection: await settleTls(found.connection) };
  });
  const catalog = once(async () => connectCatalog((await postgres()).connection));
  const clickhouse = once(() => resolveClickHouse(settings.clickhouse, dir));
  const logs = once(async () => connectClickHouse((await clickhouse()).connection));
  const logRestore = once(async () => connectLogRestore((await clickhouse()).connection));
  const state = new StateFolder(dir, { read_only });
  const guard = (folder: string) => new FolderGuard(new DiskRoot(folder), state);
  const disk = {
    backups: once(async () => {
      const folder = join(dir, 'backups');
      return new DiskStorage(folder, guard(folder));
    }),
    archives: once(async () => {
      const folder = settings.archive.dir ?? (await findArchiveVolume(dir)) ?? dir;
      return new DiskStorage(folder, guard(join(folder, 'archives')));
    }),
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
    state,
    queue: new QueueFile(dir),
    jobBus: new FolderJobBus(dir, resumeHint),
    launcher: new ProcessLauncher(dir, [process.execPath, ...process.execArgv, process.argv[1] ?? '']),
    owner: () => (by ? { ...by, pid: process.pid } : jobOwner()),
    audit: new AuditLog(dir),
    now: () => new Date(),
    key: async () => parseKey((await readKeys())[0]),
    keys: async () => (await readKeys()).map((hex) => parseKey(hex)),
    replaceKey: () =>
      withEnvLock(dir, async () => {
        const [key, ...earlier] = await readKeys();
        await replaceKey(dir, key, earlier);
      }),
    database_name: settings.postgres.database,
    server: once(async () => {
      const { connection, in_container } = await postgres();
      return databaseServer(connection, in_container ? dir : undefined);
    }),
    restoreTool: once(async () => {
      const { connection, in_container } = await postgres();
      const { version } = await databaseServer(connection).info();
      const compose_dir = in_container ? dir : undefined;
      return findRestoreTool({ connection, server_version: version, compose_dir });
    }),
    containers: once(() => findWritingContainers(dir)),
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
    postgresLocation: async () => (await postgresAddress()).description,
    clickhouseLocation: async () => (await clickhouse()).description,
    backups: s3 ?? disk.backups,
    archives: s3 ?? disk.archives,
    storageOf: async (place, type) => (type === 's3' ? s3?.() : disk[place]()),
    localFile: async (path) => {
      // The user names this path: a link in it is meant, unlike one in a storage.
      const real = await realpath(path).catch(() => resolve(path));
      return { storage: new DiskStorage(dirname(real)), name: basename(real) };
    },
    close: () => closeAll(catalog, logs, logRestore),
  };
}

/** Runs work that reads `.env` and then writes a key to it: one process at a time. */
export async function withEnvLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  await using folder = await OpenFolder.open(dir);
  return await withFileLock(folder, '.env.lock', work, { job: 'key', limit_ms: ENV_LOCK_MS });
}

/** Writes a new key to `.env`. Throws `ENV_INVALID` if the environment sets the key, which takes precedence. */
async function replaceKey(dir: string, current: string, earlier: readonly string[]): Promise<void> {
  const overriding = [KEY_VARIABLE, PREVIOUS_VARIABLE].find((name) => process.env[name]);
  if (overriding) {
    throw new BifractError(
      'ENV_INVALID',
      `${overriding} is set in the environment, which takes precedence over .env`,
      {
        hint: 'Change the key where the variable is set, or unset it.',
      },
    );
  }
  const path = join(dir, '.env');
  const content = readSettingsFile(path);
  const variables = {
    [KEY_VARIABLE]: generateKey(),
    [PREVIOUS_VARIABLE]: [...new Set([current, ...earlier])].join(','),
  };
  await replaceEnv(path, content, setVariables(content, variables));
}

/** The jobs of an installation. Needs no settings. */
export function openJobs(dir: string): { jobBus: JobBus<JobEvent>; queue: JobQueue } {
  return { jobBus: new FolderJobBus(dir, resumeHint), queue: new QueueFile(dir) };
}

/** `STORAGE_UNREACHABLE` if the folder of backups is not the one that held some before. */
export function checkBackupsFolder(dir: string): Promise<void> {
  return new FolderGuard(new DiskRoot(join(dir, 'backups')), new StateFolder(dir)).check();
}

/** Forgets where files were: folders that are missing or empty now may be used. */
export async function forgetFolders(dir: string): Promise<void> {
  const state = new StateFolder(dir);
  if ((await state.folders()).length > 0) await state.changeFolders(() => []);
}

type Once<T> = (() => Promise<T>) & { created(): Promise<T> | undefined };

/** Creates a value at its first use and keeps it. After a failure, the next use tries again. */
function once<T>(create: () => Promise<T>): Once<T> {
  let created: Promise<T> | undefined;
  const get = () => {
    created ??= create().catch((error: unknown) => {
      created = undefined;
      throw error;
    });
    return created;
  };
  return Object.assign(get, { created: () => created });
}

async function closeAll(...services: Once<{ close(): Promise<void> }>[]): Promise<void> {
  const open = services.map((one) => one.created());
  await Promise.allSettled(open.map(async (one) => (await one)?.close()));
}

function requireKey(hex: string | undefined, dir: string): string {
  if (hex !== undefined) return hex;
  throw new BifractError('KEY_MISSING', `${KEY_VARIABLE} is not set in ${join(dir, '.env')}`, {
    hint: 'Set it to the key that the installation was created with: nothing can be encrypted or decrypted without it.',
  });
}

/** For the header, which must not fail: null for a malformed key, which `status` reports. */
function keyIdOf(hex: string | undefined): string | null {
  try {
    return hex === undefined ? null : keyId(parseKey(hex));
  } catch {
    return null;
  }
}
