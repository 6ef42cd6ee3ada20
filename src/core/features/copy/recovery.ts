import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { Storage, Storages, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** Bytes compared at both ends of the files; the first bytes of an encrypted file are unique. */
const END_BYTES = 65_536;

/**
 * Recovers an interrupted copy. A copy is complete or absent: if it is there, the record is updated to it, as
 * the job would have done. The original is kept, even for a move. Returns one sentence per action.
 */
export async function recoverCopy(
  services: Pick<Services, keyof Storages | 'catalog'>,
  { copying }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  if (!copying) return [];
  const { place, name, to: type, archive_id } = copying;
  const to = await services.storageOf(place, type);
  const from = await services.storageOf(place, type === 's3' ? 'disk' : 's3');
  // S3 may no longer be configured.
  if (!to || !from) return [];
  const [original, copied] = [await from.stat(name, options), await to.stat(name, options)];
  if (!copied) return [`Copy of ${name} to ${to.location} was interrupted: copy it again`];
  if (!original) return [`${name} was moved to ${to.location}`];
  if (!(await isCopy(from, to, original, copied, options)))
    return [`Copy of ${name} was interrupted: ${to.location} has a different file of that name`];
  if (archive_id !== null) {
    const catalog = await services.catalog();
    const [record] = await catalog.archives({ ids: [archive_id] }, options);
    if (record && isElsewhere(record, type))
      await catalog.moveArchive(archive_id, { storage_type: type, storage_path: name }, options);
  }
  return [`Completed the copy of ${name} to ${to.location}; the original is kept`];
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
