import { asBifractError } from '../../contract/errors.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX, isArchive } from '../files/archive-files.ts';
import { listBackups } from '../files/backup-files.ts';
import { type FileServices, findTarget } from '../files/find-target.ts';
import { storagesOf } from '../files/record-file.ts';
import { pathOf, RECORD_ID, type Target, targetOfRecord } from '../files/target.ts';

export type TargetServices = FileServices & Pick<Services, 'catalog'>;

/** A target to be resolved. */
export interface TargetRef {
  label: string;
  find(options?: CallOptions): Promise<Target>;
}

/** What to verify: the named targets, or all. `warn` reports restrictions. */
export function targetRefs(
  services: TargetServices,
  targets: string[] | 'all',
  warn: (message: string) => void,
  options: CallOptions,
): Promise<TargetRef[]> {
  return targets === 'all' ? allRefs(services, warn, options) : namedRefs(services, targets, options);
}

/** The named targets; a group stands for all its archives. */
async function namedRefs(
  services: TargetServices,
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

async function groupOf(services: TargetServices, id: string, options: CallOptions): Promise<ArchiveRecord[]> {
  const catalog = await services.catalog();
  const group = (await catalog.groups({}, options)).find((one) => one.id === id);
  if (!group) return [];
  const records = await catalog.archives({ fractal_id: group.fractal_id }, options);
  return records.filter((record) => record.group_id === id && isCompleted(record));
}

/** Every backup and every completed archive; without the database, the archive files alone. */
async function allRefs(
  services: TargetServices,
  warn: (message: string) => void,
  options: CallOptions,
): Promise<TargetRef[]> {
  const backups = await services.backups();
  const archives = await services.archives();
  const onUnreadable = (name: string, reason: string) =>
    warn(`Skipped ${pathOf(backups, name)}, which cannot be read: ${reason}`);
  const refs = (await Array.fromAsync(listBackups(backups, { ...options, onUnreadable }))).map((object) =>
    refOfObject(backups, object, null),
  );
  try {
    const records = await (await services.catalog()).archives({}, options);
    return [...refs, ...records.filter(isCompleted).map((record) => refOfRecord(services, record))];
  } catch (error) {
    options.signal?.throwIfAborted();
    const { message } = asBifractError(error);
    warn(`Cannot read the archive records (${message}): archive files are verified without comparing them`);
    for await (const object of archives.list(ARCHIVES_PREFIX, options))
      if (isArchive(object.name)) refs.push(refOfObject(archives, object, message));
    return refs;
  }
}

function isCompleted({ status }: ArchiveRecord): boolean {
  return status === 'completed' || status === 'restoring';
}

function refOfRecord(services: TargetServices, record: ArchiveRecord): TargetRef {
  const label = record.storage_path;
  return {
    label,
    find: async (call) => targetOfRecord(await storagesOf(services, record), record, label, call),
  };
}

function refOfObject(storage: Storage, object: StoredObject, record_unknown: string | null): TargetRef {
  const label = object.name;
  const path = pathOf(storage, label);
  const find = async (options?: CallOptions) => {
    // A listing may have the wrong size.
    const current = (await storage.stat(label, options)) ?? object;
    return { label, storage, object: current, path, record: null, record_unknown };
  };
  return { label, find };
}
