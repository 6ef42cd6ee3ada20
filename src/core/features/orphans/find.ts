import { asBifractError } from '../../contract/errors.ts';
import { backupTime, isBifractName, isProbeName } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { Storage, Storages, StoredObject, UnfinishedObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isResumable } from '../archive/resume.ts';
import { ARCHIVES_PREFIX, byName, isArchive } from '../files/archive-files.ts';
import { belongsTo } from '../files/in-use.ts';
import { type ListingOptions, untilIncomplete } from '../files/listing.ts';
import { isSame, storagesOf } from '../files/record-file.ts';
import { namesOf, pathOf } from '../files/target.ts';
import type { Orphan } from './contract.ts';

/** Files looked for in parallel. */
const CONCURRENCY = 16;
/** Longer than any archive or upload may take, by the limit of the server. */
const MAX_JOB_AGE_MS = 24 * 3_600_000;

export type OrphanServices = Pick<Services, keyof Storages | 'catalog' | 'state' | 'archive_limits' | 'now'>;

/** Files without record, records without file, and unfinished objects; see `OrphanQueries`. Reads no file. */
export async function findOrphans(services: OrphanServices, options: ListingOptions = {}): Promise<Orphan[]> {
  const inventory = await takeInventory(services, options);
  return [
    ...filesWithoutRecord(inventory),
    ...recordsWithoutFile(inventory),
    ...(await unlistedBackups(inventory, options)),
    ...(await unfinishedObjects(inventory, options)),
  ];
}

interface Inventory {
  backups: Storage;
  archives: Storage;
  /** Archive files by name. */
  files: Map<string, StoredObject>;
  /**
   * Records before and after listing the files. An orphan must be one in both: jobs may have added or removed
   * records in between.
   */
  before: ArchiveRecord[];
  records: ArchiveRecord[];
  /** Completed records whose file is not listed, and what a request for the file itself tells. */
  unlisted: Map<string, Whereabouts>;
  running: JobRecord[];
  interrupted: JobRecord[];
  now: Date;
  /** Maximum age of a resumable archive, milliseconds. */
  max_duration_ms: number;
}

/**
 * `here`: in the storage of archives. `unknown`: whether the file exists cannot be determined, because access to it is denied
 * or its storage is not set up.
 */
type Whereabouts = 'here' | 'elsewhere' | 'missing' | 'unknown';

async function takeInventory(services: OrphanServices, options: ListingOptions): Promise<Inventory> {
  const [catalog, archives, backups] = await Promise.all([
    services.catalog(),
    services.archives(),
    services.backups(),
  ]);
  const before = await catalog.archives({}, options);
  const files = new Map<string, StoredObject>();
  for await (const object of untilIncomplete(archives.list(ARCHIVES_PREFIX, options), options))
    if (isArchive(object.name)) files.set(object.name, object);
  const [records, running, interrupted] = await Promise.all([
    catalog.archives({}, options),
    services.state.running(),
    services.state.interrupted(),
  ]);
  const unlisted = await findUnlisted(
    services,
    records.filter((one) => isUnlisted(one, files)),
    options,
  );
  const { max_duration_ms } = services.archive_limits;
  const now = services.now();
  return { backups, archives, files, before, records, unlisted, running, interrupted, now, max_duration_ms };
}

function isUnlisted(record: ArchiveRecord, files: Inventory['files']): boolean {
  return record.status === 'completed' && !namesOf(record).some((name) => files.has(name));
}

/** A listing may leave out files, so only a request for the file itself tells that it is missing. */
async function findUnlisted(
  services: OrphanServices,
  records: readonly ArchiveRecord[],
  options: CallOptions,
): Promise<Inventory['unlisted']> {
  const found: Inventory['unlisted'] = new Map();
  for (let at = 0; at < records.length; at += CONCURRENCY) {
    const some = records.slice(at, at + CONCURRENCY).map(async (record) => {
      found.set(record.id, await lookFor(services, record, options));
    });
    await Promise.all(some);
  }
  return found;
}

/**
 * Looks for the file of a record in every storage that may have it: the configuration may have changed, or a copy was
 * made. A storage that is not set up may hold any file.
 */
export async function lookFor(
  services: Storages,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<Whereabouts> {
  const storages = await storagesOf(services, record);
  if (!storages.some(({ kind }) => kind === record.storage_type)) return 'unknown';
  const here = await services.archives();
  let result: Whereabouts = 'missing';
  for (const storage of storages) {
    for (const name of namesOf(record)) {
      try {
        if (await storage.stat(name, options)) return isSame(storage, here) ? 'here' : 'elsewhere';
      } catch (error) {
        options.signal?.throwIfAborted();
        const { code } = asBifractError(error);
        // One file that cannot be looked for says nothing of the others; a storage that is gone does.
        if (code === 'STORAGE_DENIED' || code === 'STORAGE_FAILED') result = 'unknown';
        // No storage has a file of an invalid name.
        else if (code !== 'USAGE') throw error;
      }
    }
  }
  return result;
}

function filesWithoutRecord({ archives, files, before, records, running }: Inventory): Orphan[] {
  const [earlier, known] = [byName(before), byName(records)];
  const busy = new Set(running.map(({ object }) => object));
  return [...files.values()]
    .filter(({ name }) => !busy.has(name) && isLost(earlier.get(name)) && isLost(known.get(name)))
    .map(({ name, size_bytes, modified_at }) => ({
      kind: 'file',
      place: 'archives',
      id: name,
      title: known.has(name) ? 'Archive file with a failed record' : 'Archive file without a record',
      path: pathOf(archives, name),
      size_bytes,
      since: modified_at,
      fractal_name: known.get(name)?.fractal_name ?? null,
      actions: ['adopt'],
    }));
}

function isLost(record: ArchiveRecord | undefined): boolean {
  return record === undefined || record.status === 'failed';
}

function recordsWithoutFile(inventory: Inventory): Orphan[] {
  const { archives, files, before, records, unlisted, running } = inventory;
  const complete = new Set(before.filter(({ status }) => status === 'completed').map(({ id }) => id));
  const completed = records.filter(({ id, status }) => status === 'completed' && complete.has(id));
  const missing = completed.filter(({ id }) => unlisted.get(id) === 'missing');
  // If all are missing, the storage is more likely unmounted.
  const allGone = files.size === 0 && ![...unlisted.values()].includes('here');
  const active = new Set(running.map(({ archive_id }) => archive_id));
  const stale = records.filter(
    (record) => record.status === 'in_progress' && !active.has(record.id) && isStale(record, inventory),
  );
  return [
    ...missing.map((record) => recordOrphan(archives, record, missingTitle(allGone), !allGone)),
    ...stale.map((record) =>
      recordOrphan(archives, record, 'Record in progress without a running job', true),
    ),
  ];
}

function missingTitle(allGone: boolean): string {
  return allGone
    ? 'All archive files are missing. Check that the storage is mounted.'
    : 'Record whose file is missing';
}

/** A record in progress of another program may be active until the time limit of the server has passed. */
function isStale({ id, created_at }: ArchiveRecord, { interrupted, now }: Inventory): boolean {
  return interrupted.some(({ archive_id }) => archive_id === id) || isTooOld(created_at, now);
}

function isTooOld(since: string, now: Date): boolean {
  return now.getTime() - Date.parse(since) > MAX_JOB_AGE_MS;
}

function recordOrphan(archives: Storage, record: ArchiveRecord, title: string, act: boolean): Orphan {
  return {
    kind: 'record',
    place: 'archives',
    id: record.id,
    title,
    path: pathOf(archives, record.storage_path),
    size_bytes: record.size_bytes,
    since: record.created_at,
    fractal_name: record.fractal_name,
    actions: act ? ['fail_record'] : [],
  };
}

/**
 * Backup files with nonstandard names, unknown to lists and retention: renamed files, copies. In a bucket,
 * only names with the standard prefix: it may be shared and large.
 */
async function unlistedBackups({ backups }: Inventory, options: ListingOptions): Promise<Orphan[]> {
  const found: Orphan[] = [];
  const prefix = backups.kind === 's3' ? 'bifract-backup-' : '';
  const objects = untilIncomplete(backups.list(prefix, options), options);
  for await (const { name, size_bytes, modified_at } of objects) {
    if (!name.endsWith('.bifract-backup') || backupTime(name)) continue;
    found.push({
      kind: 'file',
      place: 'backups',
      id: name,
      title: 'Backup with a nonstandard name',
      path: pathOf(backups, name),
      size_bytes,
      since: modified_at,
      fractal_name: null,
      actions: [],
    });
  }
  return found;
}

async function unfinishedObjects(inventory: Inventory, options: ListingOptions): Promise<Orphan[]> {
  const { backups, archives, running } = inventory;
  const found: Orphan[] = [];
  for (const place of ['backups', 'archives'] as const) {
    if (place === 'archives' && isSame(archives, backups)) continue;
    const storage = inventory[place];
    for await (const unfinished of untilIncomplete(storage.listUnfinished(options), options)) {
      if (!isBifractName(unfinished.name) || running.some((record) => belongsTo(record, unfinished)))
        continue;
      const interrupted = isInterrupted(unfinished, inventory);
      // May belong to a health check that is running now.
      if (!interrupted && isProbeName(unfinished.name)) continue;
      const goes_on = interrupted && canResume(unfinished, storage, inventory);
      found.push({
        ...unfinishedOrphan(storage, place, unfinished, interrupted),
        ...(goes_on ? { goes_on } : {}),
      });
    }
  }
  return found;
}

/** An object of an unknown job may belong to another machine or to the server. */
function isInterrupted(unfinished: UnfinishedObject, { interrupted, now }: Inventory): boolean {
  return interrupted.some((record) => belongsTo(record, unfinished)) || isTooOld(unfinished.started_at, now);
}

/** Whether the same archive request would resume from it. */
function canResume(
  { id, job, name }: UnfinishedObject,
  storage: Storage,
  { interrupted, max_duration_ms, now }: Inventory,
): boolean {
  if (storage.readUnfinished === undefined) return false;
  return interrupted.some(({ id: own, object, archive }) => {
    if (!archive || !isResumable(archive, max_duration_ms, now)) return false;
    return (own === job && object === name) || archive.leftovers.includes(id);
  });
}

function unfinishedOrphan(
  storage: Storage,
  place: Orphan['place'],
  { id, name, size_bytes, started_at }: UnfinishedObject,
  interrupted: boolean,
): Orphan {
  return {
    kind: 'leftover',
    place,
    id,
    title: interrupted
      ? 'Unfinished file of an interrupted job'
      : 'Unfinished file, possibly of a job on another machine',
    path: pathOf(storage, name),
    size_bytes,
    since: started_at,
    fractal_name: null,
    actions: interrupted ? ['discard'] : [],
  };
}
