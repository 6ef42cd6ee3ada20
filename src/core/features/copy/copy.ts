import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combineRefusals } from '../../job/failures.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, Storages, StoredObject } from '../../ports/storage.ts';
import { LastBackupGuard } from '../backup/last-backup.ts';
import { changed, deleteFile, plannedFile } from '../files/delete-file.ts';
import { mustNotBeInUse } from '../files/in-use.ts';
import { mustNameOwnFile } from '../files/target.ts';
import { proveArchive } from '../inspect/prove-archive.ts';
import type { CopyItem, CopyJobRequest, CopyPlan, CopySummary } from './contract.ts';
import { copyFile, mustBeSame, readBack } from './copy-file.ts';
import { mustBeCompleted, type StoragePair, storagePair } from './plan.ts';

type CopyServices = Pick<Services, keyof Storages | 'catalog' | 'keys' | 'state' | 'now'>;

/**
 * Copies files to the other storage one by one, with an event each. A copy becomes visible only after the
 * file was read in full, verified and compared with its record; for a move it is also read back. Then the
 * record is updated, and for a move the original is deleted last. An identical copy that already exists is
 * not copied again.
 */
export async function copy(
  services: CopyServices,
  { plan }: CopyJobRequest,
  context: JobContext,
): Promise<CopySummary> {
  const started = performance.now();
  const { id, emit, now } = context;
  const keys = await services.keys();
  const base = { id, kind: 'copy', started_at: now().toISOString() } as const;
  const kept = plan.items.filter(({ action }) => action === 'keep').length;
  const copied = plan.items.length - kept;
  let done = 0;
  const copyOne = async (item: CopyItem): Promise<ItemOutcome> => {
    const { place, name, archive_id, to_path, refusal } = item;
    if (refusal && copied === 0) return { message: refusal.message, error: refusal };
    if (refusal) return { message: `kept: ${refusal.message}`, skipped: true };
    await services.state.save({ ...base, copying: { place, name, to: plan.to, archive_id } });
    await copyItem(services, plan, item, { keys, done }, context);
    done += item.size_bytes;
    return { message: `${plan.move ? 'moved' : 'copied'} to ${to_path}` };
  };
  emit('job:phase', { phase: plan.move ? 'Moving' : 'Copying' });
  try {
    await forEachItem(plan.items, { name: nameOf, failed: failedText(plan.move) }, copyOne, context);
  } finally {
    await services.state.remove(id);
  }
  const duration_ms = Math.round(performance.now() - started);
  return { copied, kept, size_bytes: done, moved: plan.move, duration_ms };
}

/** The error of the files that a plan does not copy; undefined if there are none. */
export function copyRefusal({ items, move }: CopyPlan): BifractError | undefined {
  return combineRefusals(items, { name: nameOf, failed: failedText(move) });
}

function nameOf({ from_path }: CopyItem): string {
  return from_path;
}

function failedText(move: boolean): string {
  return `could not be ${move ? 'moved' : 'copied'}`;
}

async function copyItem(
  services: CopyServices,
  plan: CopyPlan,
  item: CopyItem,
  { keys, done }: { keys: readonly Key[]; done: number },
  context: JobContext,
): Promise<void> {
  const { signal } = context;
  const pair = await storagePair(services, item.place, plan.to);
  const { from, to } = pair;
  await mustNotBeInUse(services.state, item.name, context.id);
  const object = await mustBePlanned(from, item, signal);
  const record = await recordOf(services, item, signal);
  const existing = await to.stat(item.name, { signal });
  if (existing) {
    await mustBeSame(pair, item.name, signal);
  } else {
    const progress = { done, total: plan.size_bytes };
    const checksum = await copyFile(pair, { object, record, keys }, progress, context);
    if (plan.move) await readBack(pair, object, checksum, signal);
  }
  await mustBePlanned(from, item, signal);
  if (record) {
    const place = { storage_type: plan.to, storage_path: item.name };
    await (await services.catalog()).moveArchive(record.id, place, { signal });
  }
  if (plan.move) await removeOriginal(services, pair, item, { record, keys, copied: !existing });
}

/** Must not be interrupted: the record has the new location. */
async function removeOriginal(
  services: CopyServices,
  { from, to }: StoragePair,
  item: CopyItem,
  { record, keys, copied }: { record: ArchiveRecord | undefined; keys: readonly Key[]; copied: boolean },
): Promise<void> {
  const guard = new LastBackupGuard(services, {});
  const copy = copied ? await to.stat(item.name) : undefined;
  // It was verified while it was written, and read back.
  if (copy) guard.proven({ storage: to, object: copy });
  await deleteFile(from, item, async (object) => {
    const file = { storage: from, object };
    if (item.place === 'backups') await guard.mustNotBeLast(file);
    else await proveArchive(file, { fractal_id: item.name.split('/')[1] ?? '', record }, keys);
  });
}

/** The file, which must still be there as planned. */
async function mustBePlanned(from: Storage, item: CopyItem, signal: AbortSignal): Promise<StoredObject> {
  const object = await plannedFile(from, item, { signal });
  if (object) return object;
  throw changed();
}

async function recordOf(
  services: Pick<Services, 'catalog'>,
  { archive_id }: CopyItem,
  signal: AbortSignal,
): Promise<ArchiveRecord | undefined> {
  if (archive_id === null) return undefined;
  const [record] = await (await services.catalog()).archives({ ids: [archive_id] }, { signal });
  if (!record)
    throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} no longer exists`, {
      hint: 'Run it again.',
    });
  mustBeCompleted(record);
  mustNameOwnFile(record);
  return record;
}
