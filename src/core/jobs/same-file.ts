import { BifractError } from '../errors.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import { storedSum } from './rekey.ts';

interface Ends {
  from: Storage;
  to: Storage;
}

/** Two files of one name: the same to the byte, or `EXISTS`. */
export async function mustBeSame({ from, to }: Ends, name: string, signal: AbortSignal): Promise<void> {
  const one = await storedSum(from, name, { signal });
  const other = await storedSum(to, name, { signal });
  if (one.checksum === other.checksum) return;
  throw new BifractError(
    'EXISTS',
    `${to.location} has another file of that name, and none is ever replaced`,
    {
      hint: 'Compare the two with `bifract show`, and delete the one that is not wanted.',
    },
  );
}

/**
 * Reads a copy that was just made, and compares it with what was written: else `CHECKSUM_DIFFERS`. One that is not good, or that nobody
 * waits for any more, goes again, as long as the original is what it was.
 */
export async function readBack(
  { from, to }: Ends,
  original: StoredObject,
  checksum: string,
  signal: AbortSignal,
): Promise<void> {
  const { name } = original;
  try {
    if ((await storedSum(to, name, { signal })).checksum === checksum) return;
  } catch (error) {
    if (signal.aborted) await takeBack({ from, to }, original);
    throw error;
  }
  await takeBack({ from, to }, original);
  throw new BifractError('CHECKSUM_DIFFERS', `${to.location} does not return of ${name} what was written`, {
    hint: 'The original was kept, the copy removed. Check the storage.',
  });
}

async function takeBack({ from, to }: Ends, { name, size_bytes, modified_at }: StoredObject): Promise<void> {
  const now = await from.stat(name);
  if (now?.size_bytes === size_bytes && now.modified_at === modified_at) await to.delete(name);
}
