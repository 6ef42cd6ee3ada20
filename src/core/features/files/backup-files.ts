import { backupTime } from '../../policy/names.ts';
import type { ListOptions, Storage, StoredObject } from '../../ports/storage.ts';

/**
 * Every backup of a storage. A bucket may hold other objects, so only names of backups count; also for `onUnreadable`.
 */
export async function* listBackups(
  storage: Storage,
  { onUnreadable, ...options }: ListOptions,
): AsyncGenerator<StoredObject> {
  const report = (name: string, reason: string) => {
    if (backupTime(name)) onUnreadable?.(name, reason);
  };
  for await (const object of storage.list('bifract-backup-', { ...options, onUnreadable: report })) {
    if (backupTime(object.name)) yield object;
  }
}
