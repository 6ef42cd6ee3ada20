import type { ArchiveRecord } from '../ports/catalog.ts';
import type { Place, Storage, Storages, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { namesOf } from './target.ts';

/**
 * Storages that can hold the file of a record, the one that it names first: the settings may have changed since it was
 * written, and a file may have been carried over by hand.
 */
export async function storagesOf(
  storages: Storages,
  { storage_type }: Pick<ArchiveRecord, 'storage_type'>,
): Promise<Storage[]> {
  const own = await storages.archives();
  if (own.kind === storage_type || own.kind === 'memory') return [own];
  const named = await storages.stored('archives', storage_type);
  return named ? [named, own] : [own];
}

/** The storage that is not the installation's own: the folders, where it keeps its files in S3. Undefined where there is none. */
export async function otherStorage(storages: Storages, place: Place): Promise<Storage | undefined> {
  const own = await storages[place]();
  return own.kind === 'memory' ? undefined : storages.stored(place, own.kind === 's3' ? 'disk' : 's3');
}

/** Every storage of the installation, each once. */
export async function allStorages(storages: Storages): Promise<Storage[]> {
  const places = ['backups', 'archives'] as const;
  const own = await Promise.all(places.map((place) => storages[place]()));
  const others = await Promise.all(places.map((place) => otherStorage(storages, place)));
  return [...own, ...others].filter(
    (one, index, all): one is Storage =>
      one !== undefined && all.findIndex((other) => isSame(one, other)) === index,
  );
}

/** On S3, backups and archives are in one bucket. */
export function isSame(one: Storage, other: Storage | undefined): boolean {
  return (
    one === other || (one.kind === other?.kind && one.location === other.location && one.kind !== 'memory')
  );
}

/** The file of a record and where it is; undefined where it is missing. */
export async function findFile(
  storages: Storages,
  record: ArchiveRecord,
  options: CallOptions = {},
): Promise<{ storage: Storage; object: StoredObject } | undefined> {
  for (const storage of await storagesOf(storages, record)) {
    for (const name of namesOf(record)) {
      const object = await storage.stat(name, options);
      if (object) return { storage, object };
    }
  }
  return undefined;
}
