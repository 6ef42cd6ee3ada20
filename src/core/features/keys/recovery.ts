import { BifractError } from '../../contract/errors.ts';
import { describeFile } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { storedSum } from '../files/stored-sum.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { recoverRekey, updateRecord } from './rekey.ts';

type RotationServices = Pick<Services, 'backups' | 'archives' | 'catalog' | 'keys'>;

/**
 * Recovers an interrupted rotation: a file being re-encrypted is intact under the old or the new key; its record is
 * updated accordingly. Returns one sentence per file.
 */
export async function recoverRotation(
  services: RotationServices,
  { rekey = [] }: JobRecord,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  for (const file of rekey) done.push(await recoverFile(services, file, options));
  return done;
}

async function recoverFile(
  services: RotationServices,
  { place, name }: NonNullable<JobRecord['rekey']>[number],
  options: CallOptions,
): Promise<string> {
  const storage = await services[place]();
  await recoverRekey(storage, name, options);
  const object = await storage.stat(name, options);
  if (place === 'archives' && object) {
    const keys = await services.keys();
    if (await isUnder(keys.slice(0, 1), storage, object, options))
      await updateRecord(await services.catalog(), name, await storedSum(storage, name, options), options);
    // Still under the old key, the record is correct. Under neither, it is unknown.
    else if (!(await isUnder(keys, storage, object, options))) throw replacedByHand(name);
  }
  return `Re-encryption of ${name} was interrupted; the file is intact`;
}

function replacedByHand(name: string): BifractError {
  return new BifractError(
    'WRONG_KEY',
    `${name} was being re-encrypted, and is under a key that is no longer in .env`,
    {
      hint: 'Add that key to .env as BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS.',
    },
  );
}

/** Whether the file is encrypted with one of the keys. */
async function isUnder(
  keys: readonly Key[],
  storage: Storage,
  object: StoredObject,
  options: CallOptions,
): Promise<boolean> {
  try {
    await describeFile(sourceOf(storage, object, options), keys, options);
    return true;
  } catch (error) {
    if (error instanceof BifractError && error.code === 'WRONG_KEY') return false;
    throw error;
  }
}
