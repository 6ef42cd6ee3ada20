import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type { JobRecord, RestoringRecord, State } from '../../ports/state.ts';
import type { UnfinishedObject } from '../../ports/storage.ts';

/** Throws `BUSY` if a running job other than `self` uses the file. */
export async function mustNotBeInUse(state: State, name: string, self?: string): Promise<void> {
  const user = (await state.running()).find((record) => record.id !== self && isUsedBy(record, name));
  if (!user) return;
  throw new BifractError('BUSY', `In use by job ${user.id}`, {
    hint: 'Try again when the job has ended.',
  });
}

/**
 * Whether an unfinished object belongs to the job: by its stored job id or, if storage cannot keep that, by
 * the name in the job record.
 */
export function belongsTo({ id, object, copying }: JobRecord, unfinished: UnfinishedObject): boolean {
  if (unfinished.job !== undefined) return unfinished.job === id;
  return unfinished.name === object || unfinished.name === copying?.name;
}

/** A job record of a restore does not name the backup: assume any. */
function isUsedBy({ kind, object, copying, restoring, rekey = [] }: JobRecord, name: string): boolean {
  if ((kind === 'restore' || kind === 'drill') && !name.includes('/')) return true;
  if (restoring && restoring.phase !== 'ended' && isRead(restoring.plan, name)) return true;
  return object === name || copying?.name === name || rekey.some((one) => one.name === name);
}

/** A restore needs all its files to the end, not only the one whose record is marked as restoring. */
function isRead({ files }: RestoringRecord['plan'], name: string): boolean {
  return files.some((file) => file.name === posix.basename(name));
}
