import { posix } from 'node:path';
import type { ArchiveRestorePlan } from '../archive-restore.ts';
import { BifractError } from '../errors.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { Leftover } from '../ports/storage.ts';

/** Throws `BUSY` where a live job, other than `self`, works on the file of that name. */
export async function mustBeIdle(state: State, name: string, self?: string): Promise<void> {
  const user = (await state.live()).find((note) => note.id !== self && uses(note, name));
  if (!user) return;
  throw new BifractError('BUSY', `The job ${user.id} works on it`, {
    hint: 'Try again when that has ended.',
  });
}

/** Whether an unfinished object is that job's: by its own word, or, where storage could not keep that, by the name that the job noted. */
export function isOf({ id, object, copying }: JobNote, leftover: Leftover): boolean {
  if (leftover.job !== undefined) return leftover.job === id;
  return leftover.name === object || leftover.name === copying?.name;
}

/** A restore does not note which backup it reads: any may be it. */
function uses({ kind, object, copying, restoring, rekey = [] }: JobNote, name: string): boolean {
  if ((kind === 'restore' || kind === 'drill') && !name.includes('/')) return true;
  if (restoring && restoring.phase !== 'ended' && isRead(restoring.plan, name)) return true;
  return object === name || copying?.name === name || rekey.some((one) => one.name === name);
}

/** All files of a restore are needed until its end, and not only the one whose record says that it is being restored. */
function isRead({ files }: ArchiveRestorePlan, name: string): boolean {
  return files.some((file) => file.name === posix.basename(name));
}
