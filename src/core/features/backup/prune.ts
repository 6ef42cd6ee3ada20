import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage } from '../../ports/storage.ts';
import { changed, deleteFile, plannedFile } from '../files/delete-file.ts';
import type { PruneItem, PruneRequest, PruneSummary } from './contract.ts';
import { type BackupServices, LastBackupGuard } from './last-backup.ts';

/**
 * Deletes what the plan says, oldest first, with an event each. What changed since the plan was made is kept; if a
 * backup is gone that the rule relies on, everything is. `PARTLY_DONE` names the failures.
 */
export async function prune(
  services: BackupServices & Pick<Services, 'state'>,
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
    await mustStillKeep(storage, plan.items, signal);
    const guard = new LastBackupGuard(services, {
      signal,
      isDoomed: ({ object }) => to_delete.some(({ name }) => name === object.name),
    });
    const [newest] = plan.items.filter(({ reasons }) => reasons.includes('newest'));
    const object = newest && (await plannedFile(storage, newest, { signal }));
    // Planning has read it in full.
    if (object) guard.proven({ storage, object });
    const work = async (item: PruneItem): Promise<ItemOutcome> => {
      const deleted = await deleteFile(storage, item, async (file) => {
        const known = await guard.mustNotBeLast({ storage, object: file });
        const same = known.created_at === item.created_at;
        if (!same || known.error || known.reason !== undefined) throw changed();
      });
      return { message: deleted ? 'deleted' : 'already deleted' };
    };
    const text = { name: ({ name }: PruneItem) => name, failed: 'backups could not be deleted' };
    await forEachItem(to_delete, text, work, context);
    emit('job:progress', {});
    const kept = plan.items.length - to_delete.length;
    return { deleted: to_delete.length, kept, freed_bytes: plan.freed_bytes };
  } finally {
    await services.state.remove(id);
  }
}

/** The backups that the rule keeps are the reason why the others may go. */
async function mustStillKeep(
  storage: Storage,
  items: readonly PruneItem[],
  signal: AbortSignal,
): Promise<void> {
  for (const item of items) {
    if (item.action === 'delete' || item.error) continue;
    const object = await plannedFile(storage, item, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    if (object) continue;
    throw new BifractError(
      'BUSY',
      `${item.name}, which the rule keeps, changed or was deleted after the plan was made`,
      {
        hint: 'Nothing was deleted. Run it again.',
      },
    );
  }
}
