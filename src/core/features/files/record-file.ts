import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Storage, StorageKind, Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { findIn, type Located } from './target.ts';

/**
 * Storages that may hold the file of a record, the recorded one first: the configuration may have changed, or
 * the file was moved by hand.
 */
export async function storagesOf(
  storages: Storages,
  { storage_type }: Pick<ArchiveRecord, 'storage_type'>,
): Promise<Storage[]> {
  const own = await storages.archives();
  if (own.kind === storage_type) return [own];
  const named = await storages.storageOf('archives', storage_type);
  return named ? [named, own] : [own];
}

/** The other storage: the folders, if files are kept in S3. Undefined if there is none. */
export async function otherStorage(storages: Storages, kind: StorageKind): Promise<Storage | undefined> {
  const own = await storages[kind]();
  return storages.storageOf(kind, own.kind === 's3' ? 'disk' : 's3');
}

/** All storages of the installation, without duplicates. */
export async function allStorages(storages: Storages): Promise<Storage[]> {
  const kinds = ['backups', 'archives'] as const;
  const own = await Promise.all(kinds.map((kind) => storages[kind]()));
  const others = await Promise.all(kinds.map((kind) => otherStorage(storages, kind)));
  return [...own, ...others].filter(
    (one, index, all): one is Storage =>
      one !== undefined && all.findIndex((other) => isSame(one, other)) === index,
  );
}

/** On S3, backups and archives share one bucket. */
export function isSame(one: Storage, other: Storage | undefined): boolean {
  return one === other || (one.kind === other?.kind && one.location === other.location);
}

/** The file of a record and its storage; undefined if missing. */
export async function findFile(
  storages: Storages,
  record: ArchiveRecord,
  options: CallOptions = {},
): Promise<Located | undefined> {
  return findIn(await storagesOf(storages, record), record, options);
}
