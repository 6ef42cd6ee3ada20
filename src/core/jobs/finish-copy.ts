import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { JobNote } from '../ports/state.ts';
import type { Storage, Storages, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';

/** What is compared of both ends of two files: the first bytes of a sealed file are of no other. */
const END_BYTES = 65_536;

export interface FinishCopyDeps extends Storages {
  catalog(): Promise<Catalog>;
}

/**
 * Ends a copy that was cut short. A copy is whole or not there at all: where it is there, the record that may still name the original
 * gets the new place, as the job would have done. The original stays, a move or not. Returns a sentence, where there is one to say.
 */
export async function finishCopy(
  deps: FinishCopyDeps,
  { copying }: JobNote,
  options: CallOptions,
): Promise<string[]> {
  if (!copying) return [];
  const { place, name, to: type, archive_id } = copying;
  const to = await deps.stored(place, type);
  const from = await deps.stored(place, type === 's3' ? 'disk' : 's3');
  // The settings may name one storage only by now.
  if (!to || !from) return [];
  const [original, copied] = [await from.stat(name, options), await to.stat(name, options)];
  if (!copied)
    return [`${name} was being copied to ${to.location}: it is not there, and can be copied again`];
  if (!original) return [`${name} was being moved to ${to.location}: it is there`];
  if (!(await isCopy(from, to, original, copied, options)))
    return [`${name} was being copied to ${to.location}, which has another file of that name`];
  const catalog = archive_id === null ? undefined : await deps.catalog();
  const record =
    archive_id === null ? undefined : (await catalog?.archives({ ids: [archive_id] }, options))?.[0];
  if (record && isElsewhere(record, type)) {
    await catalog?.moveArchive(record.id, { storage_type: type, storage_path: name }, options);
  }
  return [`${name} was copied to ${to.location}; the original is kept`];
}

function isElsewhere({ status, storage_type }: ArchiveRecord, type: 'disk' | 's3'): boolean {
  return status === 'completed' && storage_type !== type;
}

async function isCopy(
  from: Storage,
  to: Storage,
  { name, size_bytes }: StoredObject,
  copied: StoredObject,
  options: CallOptions,
): Promise<boolean> {
  if (copied.size_bytes !== size_bytes) return false;
  for (const offset of [0, Math.max(0, size_bytes - END_BYTES)]) {
    const one = await from.read(name, offset, END_BYTES, options);
    if (!one.equals(await to.read(name, offset, END_BYTES, options))) return false;
  }
  return true;
}
