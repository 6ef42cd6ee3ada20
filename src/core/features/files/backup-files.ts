import { backupTime } from '../../policy/names.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** Every backup of a storage. A bucket may hold other objects, so only names of backups count. */
export async function* listBackups(storage: Storage, options: CallOptions): AsyncGenerator<StoredObject> {
  for await (const object of storage.list('bifract-backup-', options)) {
    if (backupTime(object.name)) yield object;
  }
}
