import { asBifractError } from '../../contract/errors.ts';
import { describe, keyId } from '../../format/index.ts';
import { backupTime, parseArchiveName } from '../../policy/names.ts';
import type { Key } from '../../ports/key.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { sourceOf } from '../inspect/object-source.ts';
import type { RotateItem, RotatePlan } from './contract.ts';

interface PlanRotateDeps {
  backups: Storage;
  archives: Storage;
  /** The current key, then older ones. */
  keys: readonly Key[];
  now: Date;
}

/** Plans a key rotation; see `UpkeepQueries.planRotate`. */
export async function planRotate(
  { backups, archives, keys, now }: PlanRotateDeps,
  options: CallOptions = {},
): Promise<RotatePlan> {
  const current = keyId(keys[0] as Key);
  const found: { item: Omit<RotateItem, 'action'>; known: boolean }[] = [];
  for await (const { place, storage, object } of files(backups, archives, options)) {
    const key_id = await keyOf(storage, object, keys, options);
    const { name, size_bytes } = object;
    found.push({ item: { place, name, size_bytes, key_id }, known: key_id !== null });
  }
  const resumes = found.some(({ item }) => item.key_id !== null && item.key_id !== current);
  const items = found.map(({ item }) => ({ ...item, action: actionOf(item.key_id, current, resumes) }));
  const plan: RotatePlan = { planned_at: now.toISOString(), resumes, current_key_id: current, items };
  for (const item of items) Object.freeze(item);
  Object.freeze(items);
  return Object.freeze(plan);
}

function actionOf(key_id: string | null, current: string, resumes: boolean): RotateItem['action'] {
  if (key_id === null) return 'skip';
  return resumes && key_id === current ? 'keep' : 'reencrypt';
}

async function* files(backups: Storage, archives: Storage, options: CallOptions) {
  for await (const object of backups.list('bifract-backup-', options))
    if (backupTime(object.name)) yield { place: 'backups' as const, storage: backups, object };
  for await (const object of archives.list('archives/', options)) {
    if (parseArchiveName(object.name.split('/').at(-1) ?? ''))
      yield { place: 'archives' as const, storage: archives, object };
  }
}

/** Null if no key opens the file or it is damaged: it is skipped. */
async function keyOf(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  options: CallOptions,
): Promise<string | null> {
  try {
    return (await describe(sourceOf(storage, object, options), keys, options)).key_id;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (asBifractError(error).exitCode === 5) return null;
    throw error;
  }
}
