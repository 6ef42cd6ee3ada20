import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import type { State } from '../../ports/state.ts';
import type { Storage } from '../../ports/storage.ts';
import type { PruneItem, PrunePlan, PruneSummary } from './contract.ts';

export interface PruneDeps {
  storage: Storage;
  state: State;
}

/** Deletes what the plan says, oldest first, with an event each. `PARTLY_DONE` names the failures. */
export async function prune(
  { storage, state }: PruneDeps,
  plan: PrunePlan,
  context: JobContext,
): Promise<PruneSummary> {
  const { id, now, emit, signal } = context;
  const to_delete = plan.items.filter(({ action }) => action === 'delete').reverse();
  if (to_delete.length === plan.items.length && to_delete.length > 0) {
    throw new BifractError('INTERNAL', 'The plan would delete every backup');
  }
  await state.save({ id, kind: 'prune', started_at: now().toISOString() });
  try {
    const failures: Failure[] = [];
    for (const item of to_delete) {
      signal.throwIfAborted();
      const failure = await deleteOne(storage, item, context);
      if (failure) failures.push(failure);
    }
    const error = combine(failures, to_delete.length, 'backups could not be deleted');
    if (error) throw error;
    emit('job:progress', {});
    return {
      deleted: to_delete.length,
      kept: plan.items.length - to_delete.length,
      freed_bytes: plan.freed_bytes,
    };
  } finally {
    await state.remove(id);
  }
}

async function deleteOne(
  storage: Storage,
  { name, size_bytes }: PruneItem,
  { emit, signal }: JobContext,
): Promise<Failure | undefined> {
  try {
    const object = await storage.stat(name, { signal });
    // The name may belong to another file by now.
    if (object && object.size_bytes !== size_bytes)
      throw new BifractError('BUSY', 'The file changed after the plan was made', {
        hint: 'Run it again.',
      });
    await storage.delete(name, { signal });
    emit('job:item', { item: name, ok: true, message: object ? 'deleted' : 'already deleted' });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown).report();
    emit('job:item', { item: name, ok: false, message: error.message, error });
    return { item: name, error };
  }
}
