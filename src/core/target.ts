import { posix } from 'node:path';
import { asBifractError, BifractError } from './errors.ts';
import { locate } from './locate.ts';
import { archivePath, parseArchiveName } from './policy/names.ts';
import type { ArchiveRecord, Catalog } from './ports/catalog.ts';
import type { Storage, StoredObject } from './ports/storage.ts';
import type { CallOptions } from './ports/types.ts';
import type { Services } from './services.ts';

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

const RECORD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Finds what a user named: the id of an archive record, or a file as `locate` knows it, with its record. */
export async function findTarget(
  services: Services,
  label: string,
  options: CallOptions = {},
): Promise<Target> {
  if (RECORD_ID.test(label)) {
    const [record] = await (await services.catalog()).archives({ ids: [label] }, options);
    if (record) return targetOfRecord(await services.archives(), record, label, options);
  }
  const { storage, object } = await locate(services, label, options);
  return {
    label,
    storage,
    object,
    path: pathOf(storage, object.name),
    ...(await recordOf(services, object, options)),
  };
}

/** The file of a record. `NOT_FOUND` says what the record holds and where was looked. */
export async function targetOfRecord(
  storage: Storage,
  record: ArchiveRecord,
  label: string,
  options: CallOptions = {},
): Promise<Target> {
  for (const name of namesOf(record)) {
    const object = await storage.stat(name, options);
    if (object) return { label, storage, object, path: pathOf(storage, name), record, record_unknown: null };
  }
  throw new BifractError('NOT_FOUND', `The file of archive ${record.id} is missing: ${record.storage_path}`, {
    hint: `Looked in ${storage.location}; the record (${record.status}) says that it is on ${record.storage_type}.`,
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

/** Looks for the record of an archive file. A database that is away must not keep anybody from reading a file. */
async function recordOf(
  services: Services,
  { name }: StoredObject,
  options: CallOptions,
): Promise<Pick<Target, 'record' | 'record_unknown'>> {
  const filename = posix.basename(name);
  const parsed = parseArchiveName(filename);
  if (!parsed) return { record: null, record_unknown: null };
  try {
    const catalog: Catalog = await services.catalog();
    const records = await catalog.archives({ fractal_id: parsed.fractal_id }, options);
    return { record: records.find((one) => one.filename === filename) ?? null, record_unknown: null };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { record: null, record_unknown: asBifractError(error).message };
  }
}
