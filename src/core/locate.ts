import { BifractError } from './errors.ts';
import { otherStorage } from './jobs/record-file.ts';
import { archivePath, parseArchiveName } from './policy/names.ts';
import type { Storage, StoredObject } from './ports/storage.ts';
import type { CallOptions } from './ports/types.ts';
import type { Services } from './services.ts';

/** A file that was found, and where. */
export interface Located {
  storage: Storage;
  object: StoredObject;
}

/**
 * Finds what a user calls a file: a path on this machine, else a name in the storage of backups, else one in
 * that of archives, with its folder or without, else one in folders that the installation no longer writes to. `NOT_FOUND` names the places looked at.
 */
export async function locate(services: Services, file: string, options: CallOptions = {}): Promise<Located> {
  // What plans and jobs call an archive: its folder is that of the fractal in its name.
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
  throw new BifractError('NOT_FOUND', `There is no file ${file}`, {
    hint: `Looked in ${[...new Set(looked)].join(', ')}. See \`bifract list backups\` and \`bifract list archives\`.`,
  });
}

/** What cannot be the name of an object in storage (`/etc/passwd`, `../x`) is only ever a path. */
function isName(name: string): boolean {
  return !name.startsWith('/') && !name.split('/').includes('..');
}
