import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { backupTime } from '../../policy/names.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type KnownBackup, knownBackup } from '../backup/known-backups.ts';
import { allBackups, backupStorages, isGood, lastBackup, refusalOfBackup } from '../backup/last-backup.ts';
import { type Located, pathOf } from '../files/target.ts';
import type { DeleteItem, DeletePlan, DeleteQuery } from './contract.ts';
import { blankItem, fileOf, idleOrRefused, type PlanDeleteServices, refused } from './item.ts';

/** A backup in the installation's own storage, else in the other one; in the one that a full path names. */
export async function backupItem(
  services: PlanDeleteServices,
  id: string,
  options: CallOptions,
): Promise<DeleteItem> {
  const name = posix.basename(id);
  if (!backupTime(name)) throw notABackup(id);
  const found: Located[] = [];
  for (const storage of await backupStorages(services)) {
    const object = await storage.stat(name, options);
    if (object) found.push({ storage, object });
  }
  const isNamed = (one: Located) => id === name || pathOf(one.storage, name) === id;
  const first = found.find(isNamed);
  const second = found.find((one) => one !== first);
  if (!first) {
    if (found.length > 0) throw notABackup(id);
    throw new BifractError('NOT_FOUND', `Backup not found: ${id}`, {
      hint: 'See `bifract list backups`.',
    });
  }
  const reader = { keys: await services.keys(), now: services.now() };
  const known = await knownBackup(first, reader, options);
  const item: DeleteItem = {
    ...blankItem({ kind: 'backup', id }),
    title: 'Backup',
    ...fileOf(first),
    created_at: known.created_at,
    notes: [
      ...(known.reason === undefined ? [] : ['Safety backup, made before a restore.']),
      ...(known.error ? ['Damaged, or encrypted with a key that is not in .env.'] : []),
      ...known.notes,
      ...(second ? [`Another copy is kept: ${pathOf(second.storage, name)}.`] : []),
    ],
  };
  const unusable = refusalOfBackup(known);
  return unusable ? refused({ ...item, notes: known.notes }, unusable) : idleOrRefused(services, item);
}

function notABackup(id: string): BifractError {
  return new BifractError('USAGE', `Not a backup of this installation: ${id}`, {
    hint: 'Give its name or its full path, as in `bifract list backups`.',
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
  const all = await allBackups(services, options);
  const itemOf = ({ storage, object }: Located) =>
    items.find(
      ({ action, kind, path }) =>
        action === 'delete' && kind === 'backup' && path === pathOf(storage, object.name),
    );
  const remaining = all.filter((one) => !itemOf(one));
  const intact = await newestIntact(services, remaining, options);
  if (intact) return { count: remaining.length, newest_whole: intact.object.name, proven: fileOf(intact) };
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

async function newestIntact(
  services: PlanDeleteServices,
  backups: readonly KnownBackup[],
  options: CallOptions,
): Promise<KnownBackup | undefined> {
  const keys = await services.keys();
  for (const one of backups) if (await isGood(one, keys, options)) return one;
  return undefined;
}
