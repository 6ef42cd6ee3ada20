import { BifractError } from '../../contract/errors.ts';
import { archivePath, parseArchiveName } from '../../policy/names.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { otherStorage } from './record-file.ts';

/** A file and the storage that holds it. */
export interface Located {
  storage: Storage;
  object: StoredObject;
}

/**
 * Finds a file by what the user typed: a local path, a name in backup storage, a name in archive storage
 * (with or without folder), or a name in the storage that is no longer written to. `NOT_FOUND` lists the
 * searched locations.
 */
export async function locate(services: Services, file: string, options: CallOptions = {}): Promise<Located> {
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
  throw new BifractError('NOT_FOUND', `File not found: ${file}`, {
    hint: `Searched ${[...new Set(looked)].join(', ')}. See \`bifract list backups\` and \`bifract list archives\`.`,
  });
}

/** `/etc/passwd` or `../x` cannot be object names, only paths. */
function isName(name: string): boolean {
  return !name.startsWith('/') && !name.split('/').includes('..');
}
