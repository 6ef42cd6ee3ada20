import { BifractError } from '../errors.ts';
import type { FileSummary } from '../format/index.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';

/** The summary of a file just written, once storage agrees on its size; else the file goes and `DAMAGED` is thrown. */
export async function storedWhole<Summary extends Pick<FileSummary, 'size_bytes'>>(
  storage: Storage,
  object: StoredObject,
  summary: Summary,
): Promise<Summary> {
  if (object.size_bytes === summary.size_bytes) return summary;
  await storage.delete(object.name);
  throw new BifractError(
    'DAMAGED',
    `${storage.location} holds ${object.size_bytes} bytes of ${object.name}, ${summary.size_bytes} were written`,
    { hint: 'The file was removed. Check the storage, then try again.' },
  );
}
