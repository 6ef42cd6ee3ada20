import { BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX } from '../files/archive-files.ts';
import { findFile, storagesOf } from '../files/record-file.ts';

type RecoverServices = Pick<Services, keyof Storages | 'catalog'>;

/**
 * Recovers interrupted deletions of archives. The file is deleted within the transaction that removes the
 * record, so either the record is gone, or both exist, or only the file is gone: then the record is deleted
 * too. Returns one sentence each.
 */
export async function recoverDelete(
  services: RecoverServices,
  { deleting = [] }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const { archive_id } of deleting) {
    const [record] = await (await services.catalog()).archives({ ids: [archive_id] }, options);
    done.push(record ? await finishOne(services, record, options) : `Archive ${archive_id} was deleted`);
  }
  return done;
}

async function finishOne(
  services: RecoverServices,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<string> {
  if (await findFile(services, record, options))
    return `Deletion of ${record.storage_path} was interrupted: file and record still exist`;
  const catalog = await services.catalog();
  await mustBeMounted(services, catalog, record, options);
  await catalog.deleteArchive(record.id, async () => undefined);
  return `Completed the deletion of ${record.storage_path}: record deleted`;
}

/** An empty storage with completed records is more likely unmounted than empty. */
async function mustBeMounted(
  services: RecoverServices,
  catalog: Catalog,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<void> {
  const others = (await catalog.archives({}, options)).filter(
    ({ id, status, storage_type }) =>
      id !== record.id && status === 'completed' && storage_type === record.storage_type,
  );
  if (others.length === 0) return;
  for (const storage of await storagesOf(services, record)) {
    for await (const _ of storage.list(ARCHIVES_PREFIX, options)) return;
  }
  throw new BifractError('STORAGE_UNREACHABLE', 'Archive storage is empty, but the database lists archives', {
    hint: 'Check that the volume is mounted.',
  });
}
