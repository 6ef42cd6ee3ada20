import { asBifractError } from '../../contract/errors.ts';
import { backupTime } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX, isArchive } from '../files/archive-files.ts';
import { findTarget } from '../files/find-target.ts';
import { storagesOf } from '../files/record-file.ts';
import { pathOf, RECORD_ID, type TargetRef, targetOfRecord } from '../files/target.ts';

/** Prefix of every backup name: a bucket may hold other objects. */
const BACKUPS_PREFIX = 'bifract-backup-';

/** The named targets; a group stands for all its archives. */
export async function named(
  services: Services,
  labels: readonly string[],
  options: CallOptions,
): Promise<TargetRef[]> {
  const refs: TargetRef[] = [];
  for (const label of labels) {
    // Without the database, the id is looked up like any other target and fails by itself.
    const group = RECORD_ID.test(label) ? await groupOf(services, label, options).catch(() => []) : [];
    options.signal?.throwIfAborted();
    if (group.length > 0) refs.push(...group.map((record) => refOfRecord(services, record)));
    else refs.push({ label, find: (call) => findTarget(services, label, call) });
  }
  return refs;
}

async function groupOf(services: Services, id: string, options: CallOptions): Promise<ArchiveRecord[]> {
  const catalog = await services.catalog();
  const group = (await catalog.groups({}, options)).find((one) => one.id === id);
  if (!group) return [];
  const records = await catalog.archives({ fractal_id: group.fractal_id }, options);
  return records.filter((record) => record.group_id === id && isThere(record));
}

/** Every backup and every completed archive; without the database, the archive files alone. */
export async function everything(
  services: Services,
  warn: (message: string) => void,
  options: CallOptions,
): Promise<TargetRef[]> {
  const refs = await stored(
    await services.backups(),
    BACKUPS_PREFIX,
    (name) => backupTime(name) !== undefined,
    options,
  );
  const archives = await services.archives();
  try {
    const records = await (await services.catalog()).archives({}, options);
    return [...refs, ...records.filter(isThere).map((record) => refOfRecord(services, record))];
  } catch (error) {
    options.signal?.throwIfAborted();
    const { message } = asBifractError(error);
    warn(`Cannot read the archive records (${message}): archive files are verified without comparing them`);
    return [...refs, ...(await stored(archives, ARCHIVES_PREFIX, isArchive, options, message))];
  }
}

function isThere({ status }: ArchiveRecord): boolean {
  return status === 'completed' || status === 'restoring';
}

function refOfRecord(services: Services, record: ArchiveRecord): TargetRef {
  const label = record.storage_path;
  return {
    label,
    find: async (call) => targetOfRecord(await storagesOf(services, record), record, label, call),
  };
}

async function stored(
  storage: Storage,
  prefix: string,
  isWanted: (name: string) => boolean,
  options: CallOptions,
  record_unknown: string | null = null,
): Promise<TargetRef[]> {
  const refs: TargetRef[] = [];
  for await (const object of storage.list(prefix, options)) {
    if (isWanted(object.name)) refs.push(refOfObject(storage, object, record_unknown));
  }
  return refs;
}

function refOfObject(storage: Storage, object: StoredObject, record_unknown: string | null): TargetRef {
  const label = object.name;
  const path = pathOf(storage, label);
  return { label, find: async () => ({ label, storage, object, path, record: null, record_unknown }) };
}
