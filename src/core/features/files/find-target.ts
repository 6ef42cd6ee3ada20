import { posix } from 'node:path';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import { archivePath, parseArchiveName } from '../../policy/names.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, Storages, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { otherStorage, storagesOf } from './record-file.ts';
import { type Located, pathOf, RECORD_ID, type Target, targetOfRecord } from './target.ts';

/** Where files are looked for. */
export type FileServices = Pick<Services, 'localFile' | keyof Storages>;

interface FindOptions extends CallOptions {
  /** The only kind of file that the hint names; by default it names both. */
  kind?: 'archives';
}

/** Finds a target by archive record id, or by file as `locate` does, with its record. */
export async function findTarget(
  services: FileServices & Pick<Services, 'catalog'>,
  label: string,
  options: FindOptions = {},
): Promise<Target> {
  if (RECORD_ID.test(label)) {
    const [record] = await (await services.catalog()).archives({ ids: [label] }, options);
    if (record) return targetOfRecord(await storagesOf(services, record), record, label, options);
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

/** The record of an archive file. A database outage must not prevent reading a file. */
async function recordOf(
  services: Pick<Services, 'catalog'>,
  { name }: StoredObject,
  options: CallOptions,
): Promise<Pick<Target, 'record' | 'record_unknown'>> {
  const filename = posix.basename(name);
  const parsed = parseArchiveName(filename);
  if (!parsed) return { record: null, record_unknown: null };
  try {
    const catalog = await services.catalog();
    const records = await catalog.archives({ fractal_id: parsed.fractal_id }, options);
    return { record: records.find((one) => one.filename === filename) ?? null, record_unknown: null };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { record: null, record_unknown: asBifractError(error).message };
  }
}

/**
 * Finds a file by what the user typed: a local path, a name in backup storage, a name in archive storage
 * (with or without folder), or a name in the storage that is no longer written to. `NOT_FOUND` lists the
 * searched locations.
 */
export async function locate(
  services: FileServices,
  file: string,
  options: FindOptions = {},
): Promise<Located> {
  // A bare archive name: the fractal id in the name gives the folder.
  const fractal = parseArchiveName(file)?.fractal_id;
  const archive = fractal === undefined ? file : archivePath(fractal, file);
  const places = [
    () => services.localFile(file),
    () => inStorage(services.backups(), file),
    () => inStorage(services.archives(), archive),
    () => inStorage(otherStorage(services, 'backups'), file),
    () => inStorage(otherStorage(services, 'archives'), archive),
  ];
  async function inStorage(opening: Promise<Storage | undefined>, name: string) {
    const storage = await opening;
    return storage && { storage, name };
  }
  const looked: string[] = [];
  for (const place of places) {
    const found = await place();
    if (!found) continue;
    const { storage, name } = found;
    const object = isName(name) ? await storage.stat(name, options) : undefined;
    if (object) return { storage, object };
    looked.push(storage.location);
  }
  const lists = `${options.kind ? '' : '`bifract list backups` and '}\`bifract list archives\``;
  throw new BifractError('NOT_FOUND', `File not found: ${file}`, {
    hint: `Searched ${[...new Set(looked)].join(', ')}. See ${lists}.`,
  });
}

/** `/etc/passwd` or `../x` cannot be object names, only paths. */
function isName(name: string): boolean {
  return !name.startsWith('/') && !name.split('/').includes('..');
}
