import { BifractError } from '../../contract/errors.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** A file as a plan found it. */
export type PlannedFile = Pick<StoredObject, 'name' | 'size_bytes'> & { modified_at: string | null };

/** The file, undefined if it is gone. `BUSY` if it is no longer the one that was planned. */
export async function plannedFile(
  storage: Storage,
  planned: PlannedFile,
  options: CallOptions = {},
): Promise<StoredObject | undefined> {
  const object = await storage.stat(planned.name, options);
  if (!object) return undefined;
  if (object.size_bytes === planned.size_bytes && object.modified_at === planned.modified_at) return object;
  throw changed();
}

/**
 * Deletes a file that is still as planned, once `prove` has shown that it may go: the only way in which a job deletes a
 * complete file. False if there is none. Call it under the installation lock.
 */
export async function deleteFile(
  storage: Storage,
  planned: PlannedFile,
  prove: (object: StoredObject) => Promise<void>,
): Promise<boolean> {
  const object = await plannedFile(storage, planned);
  if (!object) return false;
  await prove(object);
  // Proving may take long.
  return (await plannedFile(storage, planned)) !== undefined && storage.delete(planned.name);
}

export function changed(): BifractError {
  return new BifractError('BUSY', 'It changed after the plan was made', { hint: 'Run it again.' });
}
