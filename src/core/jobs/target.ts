import { BifractError } from '../errors.ts';
import { archivePath } from '../policy/names.ts';
import type { ArchiveRecord } from '../ports/catalog.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';

/** What the ids of records look like. */
export const RECORD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A file that a user named, by itself or by its record. */
export interface Target {
  /** What the user called it. */
  label: string;
  storage: Storage;
  object: StoredObject;
  /** Full path, or S3 key with its bucket. */
  path: string;
  /** The archive's record; null where there is none. */
  record: ArchiveRecord | null;
  /** Why a record could not be looked for. */
  record_unknown: string | null;
}

/** A target that is yet to be found. */
export interface TargetRef {
  label: string;
  find(options?: CallOptions): Promise<Target>;
}

/** The file of a record, in the first of the storages that has it. `NOT_FOUND` says what the record holds and where was looked. */
export async function targetOfRecord(
  storages: readonly Storage[],
  record: ArchiveRecord,
  label: string,
  options: CallOptions = {},
): Promise<Target> {
  for (const storage of storages) {
    for (const name of namesOf(record)) {
      const object = await storage.stat(name, options);
      if (object)
        return { label, storage, object, path: pathOf(storage, name), record, record_unknown: null };
    }
  }
  const places = storages.map(({ location }) => location).join(', ');
  throw new BifractError('NOT_FOUND', `The file of archive ${record.id} is missing: ${record.storage_path}`, {
    hint: `Looked in ${places}; the record (${record.status}) says that it is on ${record.storage_type}.`,
  });
}

/** Where the file of a record can be: at the path that it says, below the archive root, or at the usual place. */
export function namesOf({ storage_path, fractal_id, filename }: ArchiveRecord): string[] {
  const said = storage_path.replace(/^\/+/, '');
  const below = said.indexOf('archives/', 1);
  const names = [said, ...(below > 0 ? [said.slice(below)] : []), archivePath(fractal_id, filename)];
  return [...new Set(names)].filter((name) => name !== '' && !name.split('/').includes('..'));
}

/** Full path, or S3 key with its bucket. */
export function pathOf(storage: Storage, name: string): string {
  const [place] = storage.location.split(' at ');
  return `${storage.kind === 's3' ? place : storage.location}/${name}`;
}
