import { describeFile, keyId } from '../../format/index.ts';
import { isBifractName } from '../../policy/names.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { ListOptions, Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX, isArchive } from '../files/archive-files.ts';
import { listBackups } from '../files/backup-files.ts';
import { confirmed } from '../files/listing.ts';
import { isIntegrityError, unreadable } from '../files/unreadable.ts';
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
  for (const [place, storage] of [
    ['backups', backups],
    ['archives', archives],
  ] as const) {
    const onUnreadable = (name: string, reason: string) => {
      if (isBifractName(name)) found.push(unlistedItem(place, name, reason));
    };
    for await (const listed of files(place, storage, { ...options, onUnreadable })) {
      const object = await confirmed(storage, listed, options);
      if (object)
        found.push({ place, ...object, ...(await keyOf(storage, object, keys, options)), note: null });
    }
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

async function* files(
  place: RotateItem['place'],
  storage: Storage,
  options: ListOptions,
): AsyncGenerator<StoredObject> {
  if (place === 'backups') return yield* listBackups(storage, options);
  for await (const object of storage.list(ARCHIVES_PREFIX, options)) if (isArchive(object.name)) yield object;
}

/** An entry that has the name of a file of Bifract but cannot even be examined. */
function unlistedItem(place: RotateItem['place'], name: string, reason: string): Omit<RotateItem, 'action'> {
  return { place, name, size_bytes: 0, modified_at: null, key_id: null, error: null, note: reason };
}

/** No key if none opens the file, or if it is damaged or unreadable: it is skipped. */
async function keyOf(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  options: CallOptions,
): Promise<Pick<RotateItem, 'key_id' | 'error'>> {
  try {
    const { key_id } = await describeFile(sourceOf(storage, object, options), keys, options);
    return { key_id, error: null };
  } catch (thrown) {
    const error = unreadable(thrown, options.signal);
    return { key_id: null, error: isIntegrityError(error) ? null : error.report() };
  }
}
