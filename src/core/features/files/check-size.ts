import { BifractError } from '../../contract/errors.ts';
import type { FileSummary } from '../../format/index.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';

/**
 * Returns the summary of a new file if storage reports the same size; else deletes the file and throws
 * `DAMAGED`.
 */
export async function checkStoredSize<Summary extends Pick<FileSummary, 'size_bytes'>>(
  storage: Storage,
  object: StoredObject,
  summary: Summary,
): Promise<Summary> {
  if (object.size_bytes === summary.size_bytes) return summary;
  await storage.delete(object.name);
  throw new BifractError(
    'DAMAGED',
    `${storage.location} has ${object.size_bytes} bytes of ${object.name}, but ${summary.size_bytes} were written`,
    { hint: 'The file was removed. Check the storage, then try again.' },
  );
}
