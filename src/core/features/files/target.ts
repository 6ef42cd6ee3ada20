import { BifractError } from '../../contract/errors.ts';
import { archivePath, isArchivePath } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** Pattern of record ids. */
export const RECORD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Longest part of a recorded path in a message, characters. */
const SHOWN_PATH = 120;

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

/**
 * The name that the file of a record has: below the folder of its fractal, whatever path is recorded. None if its file
 * name is not that of an archive of the fractal. Records are not trusted: an application writes them too.
 */
export function namesOf({ fractal_id, filename }: ArchiveRecord): string[] {
  const name = archivePath(fractal_id, filename);
  return isArchivePath(name) ? [name] : [];
}

/** Whether the recorded path is that of the record's own file. */
export function namesOwnFile(record: ArchiveRecord): boolean {
  return namesOf(record)[0] === record.storage_path;
}

/** Throws `RECORD_DIFFERS` if a record names anything but its own file: nothing is written or deleted for it. */
export function mustNameOwnFile(record: ArchiveRecord): void {
  if (!namesOwnFile(record)) throw foreignFile(record);
}

/** The error of a record that names anything but its own file. */
export function foreignFile(record: ArchiveRecord): BifractError {
  const [name] = namesOf(record);
  const recorded = JSON.stringify(record.storage_path.slice(0, SHOWN_PATH));
  return new BifractError(
    'RECORD_DIFFERS',
    name === undefined
      ? `The record has the file name ${JSON.stringify(record.filename.slice(0, SHOWN_PATH))}, which no archive of its fractal can have`
      : `The record names the file ${recorded} instead of ${name}`,
    { hint: 'Find out who changed the record in the table archives of the database, and correct it there.' },
  );
}

/** Full path, or S3 key with its bucket. */
export function pathOf(storage: Storage, name: string): string {
  const [place] = storage.location.split(' at ');
  return `${storage.kind === 's3' ? place : storage.location}/${name}`;
}
