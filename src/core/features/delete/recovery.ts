import { BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX } from '../files/archive-files.ts';
import { findFile, storagesOf } from '../files/record-file.ts';

export interface RecoverDeleteDeps extends Storages {
  catalog(): Promise<Catalog>;
}

/**
 * Recovers interrupted deletions of archives. The file is deleted within the transaction that removes the
 * record, so either the record is gone, or both exist, or only the file is gone: then the record is deleted
 * too. Returns one sentence each.
 */
export async function recoverDelete(
  deps: RecoverDeleteDeps,
  { deleting = [] }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const { archive_id } of deleting) {
    const [record] = await (await deps.catalog()).archives({ ids: [archive_id] }, options);
    done.push(record ? await finishOne(deps, record, options) : `Archive ${archive_id} was deleted`);
  }
  return done;
}

async function finishOne(
  deps: RecoverDeleteDeps,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<string> {
  if (await findFile(deps, record, options))
    return `Deletion of ${record.storage_path} was interrupted: file and record still exist`;
  const catalog = await deps.catalog();
  await mustBeMounted(deps, catalog, record, options);
  await catalog.deleteArchive(record.id, async () => undefined);
  return `Completed the deletion of ${record.storage_path}: record deleted`;
}

/** An empty storage with completed records is more likely unmounted than empty. */
async function mustBeMounted(
  deps: RecoverDeleteDeps,
  catalog: Catalog,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<void> {
  const others = (await catalog.archives({}, options)).filter(
    ({ id, status, storage_type }) =>
      id !== record.id && status === 'completed' && storage_type === record.storage_type,
  );
  if (others.length === 0) return;
  for (const storage of await storagesOf(deps, record)) {
    for await (const _ of storage.list(ARCHIVES_PREFIX, options)) return;
  }
  throw new BifractError('STORAGE_UNREACHABLE', 'Archive storage is empty, but the database lists archives', {
    hint: 'Check that the volume is mounted.',
  });
}
