import type { DeleteItem, DeletePlan } from '../deletion.ts';
import { BifractError } from '../errors.ts';
import { backupTime } from '../policy/names.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { fileOf, idleOrRefused, nothing, refused } from './delete-item.ts';
import type { PlanDeleteDeps, PlanDeleteOptions } from './plan-delete.ts';
import { fixedReason, isWhole } from './plan-prune.ts';
import { otherStorage } from './record-file.ts';
import { pathOf } from './target.ts';

interface Backup {
  storage: Storage;
  object: StoredObject;
}

/** A backup, in the installation's own storage or else in the other. */
export async function backupItem(
  deps: PlanDeleteDeps,
  name: string,
  options: CallOptions,
): Promise<DeleteItem> {
  const created = backupTime(name);
  if (!created) {
    throw new BifractError('USAGE', `${name} is not the name of a backup`, {
      hint: 'See `bifract list backups`: a backup is named without its folder.',
    });
  }
  const found: Backup[] = [];
  for (const storage of await backupStorages(deps)) {
    const object = await storage.stat(name, options);
    if (object) found.push({ storage, object });
  }
  const [first, second] = found;
  if (!first) {
    throw new BifractError('NOT_FOUND', `There is no backup ${name}`, {
      hint: 'See `bifract list backups`.',
    });
  }
  const why = await fixedReason(first.storage, first.object, await deps.keys(), options);
  return idleOrRefused(deps, {
    ...nothing({ kind: 'backup', id: name }),
    title: 'Backup',
    ...fileOf(first),
    created_at: created.toISOString(),
    notes: [
      ...(why === 'safety' ? ['It was made before a restore, so that the restore can be undone.'] : []),
      ...(why === 'unreadable' ? ['It is damaged, or of a key that .env does not hold.'] : []),
      ...(second ? [`Another copy stays: ${pathOf(second.storage, name)}.`] : []),
    ],
  });
}

/**
 * Keeps the newest of the named backups that can be read where no other that can be is left, unless the user consented;
 * and tells what is left.
 */
export async function keepLast(
  deps: PlanDeleteDeps,
  items: DeleteItem[],
  options: PlanDeleteOptions,
): Promise<DeletePlan['backups_left']> {
  const all = await newestFirst(deps, options);
  const itemOf = ({ storage, object }: Backup) =>
    items.find(
      ({ action, kind, path }) =>
        action === 'delete' && kind === 'backup' && path === pathOf(storage, object.name),
    );
  const staying = all.filter((one) => !itemOf(one));
  const whole = await newestWhole(deps, staying, options);
  if (whole) return { count: staying.length, newest_whole: whole.object.name };
  const going = all.filter(itemOf);
  const last = (await newestWhole(deps, going, options)) ?? (staying.length === 0 ? going[0] : undefined);
  const item = last && itemOf(last);
  if (!item) return { count: staying.length, newest_whole: null };
  if (options.last_backup) {
    item.notes.push('It is the last backup that can be read: nothing will be left to restore from.');
    return { count: staying.length, newest_whole: null };
  }
  items[items.indexOf(item)] = refused(item, lastBackup(item.id));
  return { count: staying.length + 1, newest_whole: item.id };
}

function lastBackup(name: string): BifractError {
  return new BifractError('LAST_BACKUP', `${name} is the last backup that can be read`, {
    hint: 'Make another one first; or give --last-backup, and nothing is left to restore from.',
  });
}

async function newestWhole(
  deps: PlanDeleteDeps,
  backups: Backup[],
  options: CallOptions,
): Promise<Backup | undefined> {
  const keys = await deps.keys();
  for (const one of backups) {
    const { storage, object } = one;
    // Its ends alone tell much sooner that it is none.
    if ((await fixedReason(storage, object, keys, options)) === 'unreadable') continue;
    if (await isWhole(storage, object, keys, options)) return one;
  }
  return undefined;
}

async function newestFirst(deps: PlanDeleteDeps, options: CallOptions): Promise<Backup[]> {
  const all: Backup[] = [];
  for (const storage of await backupStorages(deps)) {
    for await (const object of storage.list('bifract-backup-', options))
      if (backupTime(object.name)) all.push({ storage, object });
  }
  return all.sort((a, b) => (a.object.name < b.object.name ? 1 : -1));
}

async function backupStorages({ storages }: PlanDeleteDeps): Promise<Storage[]> {
  const other = await otherStorage(storages, 'backups');
  return [await storages.backups(), ...(other ? [other] : [])];
}
