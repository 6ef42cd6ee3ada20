import { posix } from 'node:path';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import { archivePath, backupTime, parseArchiveName } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StorageKind, Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { mustNotBeInUse } from '../files/in-use.ts';
import { mustNameOwnFile, namesOf, pathOf, RECORD_ID } from '../files/target.ts';
import { unreadable } from '../files/unreadable.ts';
import type { CopyItem, CopyPlan } from './contract.ts';

/** The catalog is used only for archives. */
export type PlanCopyServices = Pick<Services, keyof Storages | 'catalog' | 'state' | 'now'>;

/** Reasons to keep one file where it is. */
const REFUSALS = new Set<string>(['NOT_FOUND', 'USAGE', 'BUSY', 'EXISTS']);

export interface StoragePair {
  from: Storage;
  to: Storage;
}

/** Plans a copy; see `CopyQueries`. */
export async function planCopy(
  services: PlanCopyServices,
  targets: readonly string[],
  { to, move = false, ...options }: CallOptions & { to: 'disk' | 's3'; move?: boolean },
): Promise<CopyPlan> {
  if (targets.length === 0)
    throw new BifractError('USAGE', 'No files given', {
      hint: 'Name backups, archive files or archive IDs.',
    });
  const items = new Map<string, CopyItem>();
  for (const target of targets) {
    const item = await itemOf(services, target, to, options);
    items.set(`${item.place} ${item.name}`, Object.freeze(item));
  }
  const all = [...items.values()];
  const to_copy = all.filter(({ action }) => action === 'copy');
  return Object.freeze({
    planned_at: services.now().toISOString(),
    to,
    move,
    items: Object.freeze(all) as CopyItem[],
    size_bytes: to_copy.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
  });
}

async function itemOf(
  services: PlanCopyServices,
  target: string,
  to: 'disk' | 's3',
  options: CallOptions,
): Promise<CopyItem> {
  const place: StorageKind = backupTime(posix.basename(target)) ? 'backups' : 'archives';
  const pair = await storagePair(services, place, to);
  const blank: CopyItem = {
    target,
    place,
    name: target,
    from: pair.from.kind,
    from_path: target,
    to_path: pathOf(pair.to, target),
    size_bytes: 0,
    modified_at: null,
    archive_id: null,
    action: 'copy',
    refusal: null,
  };
  try {
    if (place === 'backups')
      return { ...blank, ...(await described(services, [posix.basename(target)], pair, options)) };
    return { ...blank, ...(await archiveOf(services, target, pair, options)) };
  } catch (thrown) {
    options.signal?.throwIfAborted();
    const own = asBifractError(thrown);
    const error = REFUSALS.has(own.code) ? own : unreadable(thrown);
    return { ...blank, action: 'keep', refusal: error.report() };
  }
}

/** Source and destination. `USAGE` if one of them is not configured. */
export async function storagePair(
  storages: Storages,
  kind: StorageKind,
  type: 'disk' | 's3',
): Promise<StoragePair> {
  const to = await storages.storageOf(kind, type);
  const from = await storages.storageOf(kind, type === 's3' ? 'disk' : 's3');
  if (to && from) return { from, to };
  throw new BifractError('USAGE', 'Only one storage is configured: S3 is not set up', {
    hint: 'Set BIFRACT_S3_BUCKET in .env; see docs/guide/storage.md.',
  });
}

async function archiveOf(
  services: PlanCopyServices,
  target: string,
  pair: StoragePair,
  options: CallOptions,
) {
  const { record, names } = RECORD_ID.test(target)
    ? await byId(services, target, options)
    : await byFile(services, target, options);
  if (record) mustBeCompleted(record);
  if (record) mustNameOwnFile(record);
  return { ...(await described(services, names, pair, options)), archive_id: record?.id ?? null };
}

async function byId(services: PlanCopyServices, id: string, options: CallOptions) {
  const [record] = await (await services.catalog()).archives({ ids: [id] }, options);
  if (record) return { record, names: namesOf(record) };
  throw new BifractError('NOT_FOUND', `Archive not found: ${id}`, { hint: 'See `bifract list archives`.' });
}

async function byFile(services: PlanCopyServices, file: string, options: CallOptions) {
  const filename = posix.basename(file);
  const parsed = parseArchiveName(filename);
  if (!parsed)
    throw new BifractError('USAGE', `Not a backup, archive file or archive ID: ${file}`, {
      hint: 'See `bifract list backups` and `bifract list archives`.',
    });
  const records = await (await services.catalog()).archives({ fractal_id: parsed.fractal_id }, options);
  const record = records.find((one) => one.filename === filename);
  return { record, names: record ? namesOf(record) : [archivePath(parsed.fractal_id, filename)] };
}

/** The file of an archive being written does not exist yet; one being restored is needed where it is. */
export function mustBeCompleted({ status }: ArchiveRecord): void {
  if (status !== 'completed')
    throw new BifractError('BUSY', `The archive is not completed (status: ${status})`, {
      hint: 'Only completed archives can be copied.',
    });
}

async function described(
  { state }: PlanCopyServices,
  names: readonly string[],
  { from, to }: StoragePair,
  options: CallOptions,
) {
  for (const name of names) {
    const object = await from.stat(name, options);
    if (!object) continue;
    await mustNotBeInUse(state, name);
    const { size_bytes, modified_at } = object;
    return { name, from_path: pathOf(from, name), to_path: pathOf(to, name), size_bytes, modified_at };
  }
  for (const name of names) {
    if (await to.stat(name, options))
      throw new BifractError('EXISTS', `${name} is already in ${to.location}, and not in ${from.location}`, {
        hint: 'There is nothing to copy.',
      });
  }
  throw new BifractError('NOT_FOUND', `${names[0]} not found in ${from.location}`, {
    hint: 'See `bifract list backups` and `bifract list archives`.',
  });
}
