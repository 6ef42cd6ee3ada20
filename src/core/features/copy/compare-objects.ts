import { BifractError } from '../../contract/errors.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import { storedSum } from '../keys/rekey.ts';

interface StoragePair {
  from: Storage;
  to: Storage;
}

/** Throws `EXISTS` unless both files are identical. */
export async function mustBeSame(
  { from, to }: StoragePair,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const one = await storedSum(from, name, { signal });
  const other = await storedSum(to, name, { signal });
  if (one.checksum === other.checksum) return;
  throw new BifractError('EXISTS', `${to.location} has a different file of that name`, {
    hint: 'Compare both with `bifract show`, and delete the one you do not need.',
  });
}

/**
 * Reads a new copy back and compares it: `CHECKSUM_DIFFERS`. A bad copy, or the copy of a cancelled job, is
 * deleted as long as the original is unchanged.
 */
export async function readBack(
  { from, to }: StoragePair,
  original: StoredObject,
  checksum: string,
  signal: AbortSignal,
): Promise<void> {
  const { name } = original;
  try {
    if ((await storedSum(to, name, { signal })).checksum === checksum) return;
  } catch (error) {
    if (signal.aborted) await removeCopy({ from, to }, original);
    throw error;
  }
  await removeCopy({ from, to }, original);
  throw new BifractError(
    'CHECKSUM_DIFFERS',
    `${to.location} returned other data for ${name} than was written`,
    {
      hint: 'The original was kept, the copy removed. Check the storage.',
    },
  );
}

async function removeCopy(
  { from, to }: StoragePair,
  { name, size_bytes, modified_at }: StoredObject,
): Promise<void> {
  const now = await from.stat(name);
  if (now?.size_bytes === size_bytes && now.modified_at === modified_at) await to.delete(name);
}
