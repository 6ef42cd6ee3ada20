import { BifractError } from '../errors.ts';
import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { JobNote } from '../ports/state.ts';
import type { Storage, Storages } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { ARCHIVES_PREFIX } from './plan-adopt.ts';
import { storagesOf } from './record-file.ts';
import { namesOf } from './target.ts';

export interface FinishDeleteDeps extends Storages {
  catalog(): Promise<Catalog>;
}

/**
 * Ends the deletion of an archive that was cut short. The file goes within the transaction that removes the record: so
 * the record is gone, or both are there, or only the file is gone, and then the record goes too. Returns a sentence.
 */
export async function finishDelete(
  deps: FinishDeleteDeps,
  { deleting }: JobNote,
  options: CallOptions,
): Promise<string[]> {
  if (!deleting) return [];
  const catalog = await deps.catalog();
  const [record] = await catalog.archives({ ids: [deleting.archive_id] }, options);
  if (!record) return [`Archive ${deleting.archive_id} was being deleted: it is gone`];
  const storages = await storagesOf(deps, record);
  if (await isThere(storages, record, options))
    return [`${record.storage_path} was being deleted: file and record are both still there`];
  await mustBeMounted(catalog, storages, record, options);
  await catalog.deleteArchive(record.id, async () => undefined);
  return [`${record.storage_path} was being deleted: its record is gone now too`];
}

async function isThere(storages: Storage[], record: ArchiveRecord, options: CallOptions): Promise<boolean> {
  for (const storage of storages) {
    for (const name of namesOf(record)) if (await storage.stat(name, options)) return true;
  }
  return false;
}

/** A storage that shows no archive at all while records tell of some is not mounted, rather than empty. */
async function mustBeMounted(
  catalog: Catalog,
  storages: Storage[],
  { id, storage_type }: ArchiveRecord,
  options: CallOptions,
): Promise<void> {
  const others = (await catalog.archives({}, options)).filter(
    (one) => one.id !== id && one.status === 'completed' && one.storage_type === storage_type,
  );
  if (others.length === 0) return;
  for (const storage of storages) {
    for await (const _ of storage.list(ARCHIVES_PREFIX, options)) return;
  }
  throw new BifractError(
    'STORAGE_UNREACHABLE',
    'The storage of archives shows none, though there are records',
  );
}
