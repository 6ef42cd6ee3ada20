import { asBifractError } from '../../contract/errors.ts';
import { describeFile, keyId } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX, isArchive } from '../files/archive-files.ts';
import { listBackups } from '../files/backup-files.ts';
import { sourceOf } from '../inspect/object-source.ts';
import type { RotateItem, RotatePlan } from './contract.ts';

/** Plans a key rotation; see `KeyQueries`. */
export async function planRotate(
  services: Pick<Services, 'backups' | 'archives' | 'keys' | 'now'>,
  options: CallOptions = {},
): Promise<RotatePlan> {
  const [backups, archives, keys] = await Promise.all([
    services.backups(),
    services.archives(),
    services.keys(),
  ]);
  const current = keyId(keys[0] as Key);
  const found: Omit<RotateItem, 'action'>[] = [];
  for await (const { place, storage, object: listed } of files(backups, archives, options)) {
    // A listing may have the wrong size, or a file that no longer exists.
    const object = await storage.stat(listed.name, options);
    if (!object) continue;
    const { name, size_bytes } = object;
    found.push({ place, name, size_bytes, key_id: await keyOf(storage, object, keys, options) });
  }
  const resumes = found.some(({ key_id }) => key_id !== null && key_id !== current);
  const items = found.map((item) =>
    Object.freeze({ ...item, action: actionOf(item.key_id, current, resumes) }),
  );
  return Object.freeze({
    planned_at: services.now().toISOString(),
    resumes,
    current_key_id: current,
    items: Object.freeze(items) as RotateItem[],
  });
}

function actionOf(key_id: string | null, current: string, resumes: boolean): RotateItem['action'] {
  if (key_id === null) return 'skip';
  return resumes && key_id === current ? 'keep' : 'reencrypt';
}

async function* files(backups: Storage, archives: Storage, options: CallOptions) {
  for await (const object of listBackups(backups, options))
    yield { place: 'backups' as const, storage: backups, object };
  for await (const object of archives.list(ARCHIVES_PREFIX, options))
    if (isArchive(object.name)) yield { place: 'archives' as const, storage: archives, object };
}

/** Null if no key opens the file or it is damaged: it is skipped. */
async function keyOf(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  options: CallOptions,
): Promise<string | null> {
  try {
    return (await describeFile(sourceOf(storage, object, options), keys, options)).key_id;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (asBifractError(error).exitCode === 5) return null;
    throw error;
  }
}
