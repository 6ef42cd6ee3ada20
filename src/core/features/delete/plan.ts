import { randomUUID } from 'node:crypto';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import { unreadable } from '../files/unreadable.ts';
import type { DeleteItem, DeletePlan, DeleteQuery, DeleteTarget } from './contract.ts';
import { blankItem, type PlanDeleteServices, refused } from './item.ts';
import { addLastArchiveNotes, archiveItem, groupItems, refuseSharedFiles } from './plan-archive.ts';
import { backupItem, keepLast } from './plan-backup.ts';

/** Plans a deletion; see `DeletionQueries`. */
export async function planDelete(
  services: PlanDeleteServices,
  targets: readonly DeleteTarget[],
  options: DeleteQuery = {},
): Promise<DeletePlan> {
  if (targets.length === 0)
    throw new BifractError('USAGE', 'No targets given', {
      hint: 'Name backups, archives or groups.',
    });
  const found = new Map<string, DeleteItem>();
  for (const target of targets) {
    for (const item of await itemsOf(services, target, options)) found.set(`${item.kind} ${item.id}`, item);
  }
  const items = [...found.values()];
  await refuseSharedFiles(services, items, options);
  const backups_left = items.some(({ kind }) => kind === 'backup')
    ? await keepLast(services, items, options)
    : null;
  await addLastArchiveNotes(services, items, options);
  const to_delete = items.filter(({ action }) => action === 'delete');
  const freed_bytes = to_delete.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const planned_at = services.now().toISOString();
  const { last_backup = false } = options;
  return freeze({ id: randomUUID(), planned_at, items, freed_bytes, backups_left, last_backup });
}

/** A target that cannot be found or deleted becomes a kept item, so that the others proceed. */
async function itemsOf(
  services: PlanDeleteServices,
  target: DeleteTarget,
  options: CallOptions,
): Promise<DeleteItem[]> {
  try {
    if (target.kind === 'backup') return [await backupItem(services, target.id, options)];
    if (target.kind === 'group') return await groupItems(services, target.id, options);
    return [await archiveItem(services, target.id, options)];
  } catch (thrown) {
    options.signal?.throwIfAborted();
    const { code } = asBifractError(thrown);
    const error = code === 'USAGE' || code === 'NOT_FOUND' ? asBifractError(thrown) : unreadable(thrown);
    return [refused({ ...blankItem(target), title: target.id }, error)];
  }
}

function freeze(plan: DeletePlan): DeletePlan {
  for (const item of plan.items) {
    Object.freeze(item.notes);
    Object.freeze(item);
  }
  Object.freeze(plan.items);
  return Object.freeze(plan);
}
