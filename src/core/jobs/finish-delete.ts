import { BifractError } from '../errors.ts';
import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { JobNote } from '../ports/state.ts';
import type { Storages } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { ARCHIVES_PREFIX } from './plan-adopt.ts';
import { findFile, storagesOf } from './record-file.ts';

export interface FinishDeleteDeps extends Storages {
  catalog(): Promise<Catalog>;
}

/**
 * Ends deletions of archives that were cut short. The file goes within the transaction that removes the record: so the
 * record is gone, or both are there, or only the file is gone, and then the record goes too. Returns a sentence for each.
 */
export async function finishDelete(
  deps: FinishDeleteDeps,
  { deleting = [] }: JobNote,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const { archive_id } of deleting) {
    const [record] = await (await deps.catalog()).archives({ ids: [archive_id] }, options);
    done.push(
      record ? await finishOne(deps, record, options) : `Archive ${archive_id} was being deleted: it is gone`,
    );
  }
  return done;
}

async function finishOne(
  deps: FinishDeleteDeps,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<string> {
  if (await findFile(deps, record, options))
    return `${record.storage_path} was being deleted: file and record are both still there`;
  const catalog = await deps.catalog();
  await mustBeMounted(deps, catalog, record, options);
  await catalog.deleteArchive(record.id, async () => undefined);
  return `${record.storage_path} was being deleted: its record is gone now too`;
}

/** A storage that shows no archive at all while records tell of some is not mounted, rather than empty. */
async function mustBeMounted(
  deps: FinishDeleteDeps,
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
  throw new BifractError(
    'STORAGE_UNREACHABLE',
    'The storage of archives shows none, though there are records',
    { hint: 'Check that it is mounted.' },
  );
}
