import { asBifractError, BifractError, type ErrorReport } from '../contract/errors.ts';
import { type BackupCache, type KnownBackup, knownBackups } from '../features/backup/known-backups.ts';
import { backupStorages } from '../features/backup/last-backup.ts';
import { listBackups } from '../features/files/backup-files.ts';
import { type ListingOptions, untilIncomplete } from '../features/files/listing.ts';
import { pathOf } from '../features/files/target.ts';
import { byFileName, type ChecksByName, lastChecks } from '../policy/file-checks.ts';
import { backupTime } from '../policy/names.ts';
import type { Key } from '../ports/key.ts';
import type { Services } from '../ports/services.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { BackupFile } from './contract.ts';

type BackupFileServices = Pick<Services, 'backups' | 'archives' | 'storageOf' | 'keys' | 'now' | 'state'>;

interface Reader {
  /** Or why there is none. */
  keys: readonly Key[] | BifractError;
  now: Date;
  cache: BackupCache;
  checks: ChecksByName;
}

/**
 * The backups of both storages, newest first; those dated in the future come last, then what cannot be examined. What is
 * known of a file is kept in `cache` as long as the file does not change: consoles ask often.
 */
export async function backupFiles(
  services: BackupFileServices,
  cache: BackupCache,
  options: ListingOptions = {},
): Promise<BackupFile[]> {
  const [own, other] = await backupStorages(services);
  const reader: Reader = {
    keys: await services.keys().catch(asBifractError),
    now: services.now(),
    cache,
    checks: byFileName(await services.state.checks().catch(() => [])),
  };
  const files = own ? await filesIn(own, reader, options) : [];
  if (!other) return files.map(({ file }) => file);
  // What was stored before the settings changed is worth knowing, but no reason to fail.
  const others = await filesIn(other, reader, options).catch(() => {
    options.signal?.throwIfAborted();
    return [];
  });
  const moved = others.map(({ file, known }) => ({ file: { ...file, id: file.path }, known }));
  return [...files, ...moved].sort(newestFirst).map(({ file }) => file);
}

interface Listed {
  file: BackupFile;
  /** Undefined if it cannot be examined. */
  known: Pick<KnownBackup, 'future'> | undefined;
}

async function filesIn(storage: Storage, reader: Reader, options: ListingOptions): Promise<Listed[]> {
  const { keys, now, cache } = reader;
  // Without a key, names are still worth listing.
  if (keys instanceof BifractError) return namedBackups(storage, keys.report(), options);
  const unlisted: Listed[] = [];
  const onUnreadable = (name: string, reason: string) => {
    const error: ErrorReport = { code: 'STORAGE_FAILED', message: `Cannot be read: ${reason}` };
    const notes = [`${error.message}.`];
    const file = { ...fileOf(storage, { name, size_bytes: 0 }), error, notes };
    unlisted.push({ file, known: undefined });
  };
  const known = await knownBackups(storage, { keys, now, cache }, { ...options, onUnreadable });
  return [...known.map((one) => ({ file: describe(one, reader.checks), known: one })), ...unlisted];
}

function describe(known: KnownBackup, checks: ChecksByName): BackupFile {
  const { storage, object, created_at, sealed, uuid, error, notes } = known;
  const file = fileOf(storage, object);
  return {
    ...file,
    created_at,
    sealed,
    error: error?.report() ?? null,
    notes: error ? [`${error.message}.`, ...notes] : notes,
    ...lastChecks(checks, { ...object, path: file.path, uuid }),
  };
}

async function namedBackups(
  storage: Storage,
  error: ErrorReport,
  options: ListingOptions,
): Promise<Listed[]> {
  const objects = await Array.fromAsync(untilIncomplete(listBackups(storage, options), options));
  return objects
    .map((object) => ({ file: { ...fileOf(storage, object), error }, known: { future: false } }))
    .sort(newestFirst);
}

function newestFirst(one: Listed, other: Listed): number {
  const rank = ({ known }: Listed) => (known ? Number(known.future) : 2);
  return (
    rank(one) - rank(other) ||
    Date.parse(other.file.created_at) - Date.parse(one.file.created_at) ||
    (one.file.name < other.file.name ? 1 : -1)
  );
}

/** A file of which nothing but the listing is known. */
function fileOf(
  storage: Storage,
  { name, size_bytes }: Pick<StoredObject, 'name' | 'size_bytes'>,
): BackupFile {
  return {
    name,
    id: name,
    size_bytes,
    created_at: (backupTime(name) as Date).toISOString(),
    sealed: false,
    error: null,
    notes: [],
    verified: null,
    restored: null,
    storage_type: storage.kind,
    path: pathOf(storage, name),
  };
}
