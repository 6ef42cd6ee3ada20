import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { PruneItem, PruneRequest, PruneSummary } from './contract.ts';

/** Deletes what the plan says, oldest first, with an event each. `PARTLY_DONE` names the failures. */
export async function prune(
  services: Pick<Services, 'backups' | 'state'>,
  { plan }: PruneRequest,
  context: JobContext,
): Promise<PruneSummary> {
  const { id, now, emit, signal } = context;
  const storage = await services.backups();
  const to_delete = plan.items.filter(({ action }) => action === 'delete').reverse();
  if (to_delete.length === plan.items.length && to_delete.length > 0) {
    throw new BifractError('INTERNAL', 'The plan would delete every backup');
  }
  await services.state.save({ id, kind: 'prune', started_at: now().toISOString() });
  try {
    const text = { name: ({ name }: PruneItem) => name, failed: 'backups could not be deleted' };
    await forEachItem(to_delete, text, (item) => deleteBackup(storage, item, { signal }), context);
    emit('job:progress', {});
    const kept = plan.items.length - to_delete.length;
    return { deleted: to_delete.length, kept, freed_bytes: plan.freed_bytes };
  } finally {
    await services.state.remove(id);
  }
}

async function deleteBackup(
  storage: Storage,
  { name, size_bytes }: PruneItem,
  options: CallOptions,
): Promise<ItemOutcome> {
  const object = await storage.stat(name, options);
  // The name may belong to another file by now.
  if (object && object.size_bytes !== size_bytes) {
    throw new BifractError('BUSY', 'The file changed after the plan was made', { hint: 'Run it again.' });
  }
  await storage.delete(name, options);
  return { message: object ? 'deleted' : 'already deleted' };
}
