import { BifractError } from '../../contract/errors.ts';
import { backupTime } from '../../policy/names.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { fixedReason, isIntact } from '../backup/plan-prune.ts';
import { listBackups } from '../files/backup-files.ts';
import { otherStorage } from '../files/record-file.ts';
import { type Located, pathOf } from '../files/target.ts';
import type { DeleteItem, DeletePlan, DeleteQuery } from './contract.ts';
import { blankItem, fileOf, idleOrRefused, type PlanDeleteServices, refused } from './item.ts';

/** A backup in the installation's own storage, else in the other one. */
export async function backupItem(
  services: PlanDeleteServices,
  name: string,
  options: CallOptions,
): Promise<DeleteItem> {
  const created = backupTime(name);
  if (!created) {
    throw new BifractError('USAGE', `Not a backup name: ${name}`, {
      hint: 'Give the name without folder, as in `bifract list backups`.',
    });
  }
  const found: Located[] = [];
  for (const storage of await backupStorages(services)) {
    const object = await storage.stat(name, options);
    if (object) found.push({ storage, object });
  }
  const [first, second] = found;
  if (!first) {
    throw new BifractError('NOT_FOUND', `Backup not found: ${name}`, {
      hint: 'See `bifract list backups`.',
    });
  }
  const why = await fixedReason(first.storage, first.object, await services.keys(), options);
  return idleOrRefused(services, {
    ...blankItem({ kind: 'backup', id: name }),
    title: 'Backup',
    ...fileOf(first),
    created_at: created.toISOString(),
    notes: [
      ...(why === 'safety' ? ['Safety backup, made before a restore.'] : []),
      ...(why === 'unreadable' ? ['Damaged, or encrypted with a key that is not in .env.'] : []),
      ...(second ? [`Another copy is kept: ${pathOf(second.storage, name)}.`] : []),
    ],
  });
}

/**
 * Keeps the newest of the named backups if no other readable backup would be left and the user has not
 * consented to that. Returns what is left.
 */
export async function keepLast(
  services: PlanDeleteServices,
  items: DeleteItem[],
  options: DeleteQuery,
): Promise<DeletePlan['backups_left']> {
  const all = await newestFirst(services, options);
  const itemOf = ({ storage, object }: Located) =>
    items.find(
      ({ action, kind, path }) =>
        action === 'delete' && kind === 'backup' && path === pathOf(storage, object.name),
    );
  const remaining = all.filter((one) => !itemOf(one));
  const intact = await newestIntact(services, remaining, options);
  if (intact) return { count: remaining.length, newest_whole: intact.object.name };
  const to_delete = all.filter(itemOf);
  const last =
    (await newestIntact(services, to_delete, options)) ?? (remaining.length === 0 ? to_delete[0] : undefined);
  const item = last && itemOf(last);
  if (!item) return { count: remaining.length, newest_whole: null };
  if (options.last_backup) {
    item.notes.push('Last readable backup: nothing will be left to restore from.');
    return { count: remaining.length, newest_whole: null };
  }
  items[items.indexOf(item)] = refused(item, lastBackup(item.id));
  return { count: remaining.length + 1, newest_whole: item.id };
}

function lastBackup(name: string): BifractError {
  return new BifractError('LAST_BACKUP', `${name} is the last readable backup`, {
    hint: `Make another backup first. To delete this one anyway, run "bifract delete backup --last-backup ${name}".`,
  });
}

async function newestIntact(
  services: PlanDeleteServices,
  backups: Located[],
  options: CallOptions,
): Promise<Located | undefined> {
  const keys = await services.keys();
  for (const one of backups) {
    const { storage, object } = one;
    // Header and trailer alone reveal an unreadable file much sooner.
    if ((await fixedReason(storage, object, keys, options)) === 'unreadable') continue;
    if (await isIntact(storage, object, keys, options)) return one;
  }
  return undefined;
}

async function newestFirst(services: PlanDeleteServices, options: CallOptions): Promise<Located[]> {
  const all: Located[] = [];
  for (const storage of await backupStorages(services)) {
    for await (const { name } of listBackups(storage, options)) {
      // A listing may have the wrong size, or a file that no longer exists.
      const object = await storage.stat(name, options);
      if (object) all.push({ storage, object });
    }
  }
  return all.sort((a, b) => (a.object.name < b.object.name ? 1 : -1));
}

async function backupStorages(services: PlanDeleteServices): Promise<Storage[]> {
  const other = await otherStorage(services, 'backups');
  return [await services.backups(), ...(other ? [other] : [])];
}
