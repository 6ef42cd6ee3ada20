import { BifractError } from '../../contract/errors.ts';
import { archivePath } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** Pattern of record ids. */
export const RECORD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A file and the storage that holds it. */
export interface Located {
  storage: Storage;
  object: StoredObject;
}

/** A file given by the user, directly or through its record. */
export interface Target extends Located {
  /** The target as the user gave it. */
  label: string;
  /** Full path, or S3 key with its bucket. */
  path: string;
  /** Record of the archive; null if there is none. */
  record: ArchiveRecord | null;
  /** Why the record could not be looked up. */
  record_unknown: string | null;
}

/** The file of a record, from the first storage that has it. `NOT_FOUND` lists the searched locations. */
export async function targetOfRecord(
  storages: readonly Storage[],
  record: ArchiveRecord,
  label: string,
  options: CallOptions = {},
): Promise<Target> {
  const found = await findIn(storages, record, options);
  if (found) {
    const path = pathOf(found.storage, found.object.name);
    return { label, ...found, path, record, record_unknown: null };
  }
  const places = storages.map(({ location }) => location).join(', ');
  throw new BifractError('NOT_FOUND', `The file of archive ${record.id} is missing: ${record.storage_path}`, {
    hint: `Searched ${places}. According to the record (${record.status}) it is on ${record.storage_type}. Put the file back, or mark its record as failed with \`bifract clean\`.`,
  });
}

/** The file of a record in the first of these storages that has it. */
export async function findIn(
  storages: readonly Storage[],
  record: ArchiveRecord,
  options: CallOptions,
): Promise<Located | undefined> {
  for (const storage of storages) {
    for (const name of namesOf(record)) {
      const object = await storage.stat(name, options);
      if (object) return { storage, object };
    }
  }
  return undefined;
}

/** Possible names of the file of a record: as recorded, below the archive root, and the default. */
export function namesOf({ storage_path, fractal_id, filename }: ArchiveRecord): string[] {
  const recorded = storage_path.replace(/^\/+/, '');
  const below = recorded.indexOf('archives/', 1);
  const names = [recorded, ...(below > 0 ? [recorded.slice(below)] : []), archivePath(fractal_id, filename)];
  return [...new Set(names)].filter((name) => name !== '' && !name.split('/').includes('..'));
}

/** Full path, or S3 key with its bucket. */
export function pathOf(storage: Storage, name: string): string {
  const [place] = storage.location.split(' at ');
  return `${storage.kind === 's3' ? place : storage.location}/${name}`;
}
