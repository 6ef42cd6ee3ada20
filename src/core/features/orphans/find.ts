import { isBifractName, isProbeName } from '../../policy/names.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { JobRecord, State } from '../../ports/state.ts';
import type { Storage, StoredObject, UnfinishedObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isResumable } from '../archive/resume.ts';
import { ARCHIVES_PREFIX, byName, isArchive } from '../files/archive-files.ts';
import { belongsTo } from '../files/in-use.ts';
import { isSame } from '../files/record-file.ts';
import { namesOf, pathOf } from '../files/target.ts';
import type { Orphan } from './contract.ts';
import { unlistedBackups } from './unlisted-backups.ts';

/** Longer than any archive or upload may take, by the limit of the server. */
const MAX_JOB_AGE_MS = 24 * 3_600_000;

export interface OrphanDeps {
  catalog: Catalog;
  archives: Storage;
  backups: Storage;
  /** Whether the file of a record exists that is not in the storage of `archives`. */
  fileExists?(record: ArchiveRecord, options?: CallOptions): Promise<boolean>;
  state: State;
  /** Maximum age of a resumable archive, milliseconds; 0 if omitted. */
  max_duration_ms?: number;
  now(): Date;
}

/** Files without record, records without file, and unfinished objects. Reads no file. */
export async function orphans(deps: OrphanDeps, options: CallOptions = {}): Promise<Orphan[]> {
  const before = await deps.catalog.archives({}, options);
  const files = new Map<string, StoredObject>();
  for await (const object of deps.archives.list(ARCHIVES_PREFIX, options)) {
    if (isArchive(object.name)) files.set(object.name, object);
  }
  const [records, running, interrupted] = await Promise.all([
    deps.catalog.archives({}, options),
    deps.state.running(),
    deps.state.interrupted(),
  ]);
  const elsewhere = await keptElsewhere(deps, files, records, options);
  return [
    ...filesWithoutRecord(deps, files, { before, records }, running),
    ...recordsWithoutFile(deps, { files, elsewhere }, { before, records }, running, interrupted),
    ...(await unlistedBackups(deps.backups, options)),
    ...(await unfinishedObjects(deps, running, interrupted, options)),
  ];
}

/** Records whose files are in the other storage: the configuration may have changed, or a copy was made. */
async function keptElsewhere(
  { archives, fileExists }: OrphanDeps,
  files: Map<string, StoredObject>,
  records: ArchiveRecord[],
  options: CallOptions,
): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const record of records) {
    const { id, status, storage_type } = record;
    if (status !== 'completed' || storage_type === archives.kind) continue;
    if (namesOf(record).some((name) => files.has(name))) continue;
    if (await fileExists?.(record, options)) ids.add(id);
  }
  return ids;
}

/**
 * Records before and after listing the files. An orphan must be one in both: jobs may have added or removed
 * records meanwhile.
 */
interface Records {
  before: ArchiveRecord[];
  records: ArchiveRecord[];
}

function filesWithoutRecord(
  { archives }: OrphanDeps,
  files: Map<string, StoredObject>,
  { before, records }: Records,
  running: JobRecord[],
): Orphan[] {
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

function recordsWithoutFile(
  deps: OrphanDeps,
  { files, elsewhere }: { files: Map<string, StoredObject>; elsewhere: Set<string> },
  { before, records }: Records,
  running: JobRecord[],
  interrupted: JobRecord[],
): Orphan[] {
  const missing = (record: ArchiveRecord) => !namesOf(record).some((name) => files.has(name));
  const complete = new Set(before.filter(({ status }) => status === 'completed').map(({ id }) => id));
  const completed = records.filter(
    ({ id, status }) => status === 'completed' && complete.has(id) && !elsewhere.has(id),
  );
  // If all are missing, the storage is more likely unmounted.
  const allGone = completed.length > 0 && completed.every(missing) && files.size === 0;
  const alive = new Set(running.map(({ archive_id }) => archive_id));
  const stale = records.filter(
    (record) =>
      record.status === 'in_progress' && !alive.has(record.id) && isStale(deps, record, interrupted),
  );
  return [
    ...completed
      .filter(missing)
      .map((record) => recordOrphan(deps, record, completedTitle(allGone), !allGone)),
    ...stale.map((record) => recordOrphan(deps, record, 'Record in progress without a running job', true)),
  ];
}

function completedTitle(allGone: boolean): string {
  return allGone
    ? 'Record with missing file, like all others: check that archive storage is configured and mounted'
    : 'Record with missing file';
}

/** A record in progress of another program may be active until the time limit of the server has passed. */
function isStale({ now }: OrphanDeps, { id, created_at }: ArchiveRecord, interrupted: JobRecord[]): boolean {
  return (
    interrupted.some(({ archive_id }) => archive_id === id) ||
    now().getTime() - Date.parse(created_at) > MAX_JOB_AGE_MS
  );
}

function recordOrphan({ archives }: OrphanDeps, record: ArchiveRecord, title: string, act: boolean): Orphan {
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

async function unfinishedObjects(
  deps: OrphanDeps,
  running: JobRecord[],
  records: JobRecord[],
  options: CallOptions,
): Promise<Orphan[]> {
  const found: Orphan[] = [];
  for (const place of ['backups', 'archives'] as const) {
    const storage = deps[place];
    if (place === 'archives' && isSame(storage, deps.backups)) continue;
    for await (const unfinished of storage.listUnfinished(options)) {
      if (!isBifractName(unfinished.name) || running.some((record) => belongsTo(record, unfinished)))
        continue;
      const interrupted = isInterrupted(deps, unfinished, records);
      // May belong to a health check that is running now.
      if (!interrupted && isProbeName(unfinished.name)) continue;
      const orphan = unfinishedOrphan(storage, place, unfinished, interrupted);
      found.push(
        interrupted && canResume(deps, storage, unfinished, records) ? { ...orphan, goes_on: true } : orphan,
      );
    }
  }
  return found;
}

/** An object of an unknown job may belong to another machine or to the server. */
function isInterrupted({ now }: OrphanDeps, unfinished: UnfinishedObject, interrupted: JobRecord[]): boolean {
  if (interrupted.some((record) => belongsTo(record, unfinished))) return true;
  return now().getTime() - Date.parse(unfinished.started_at) > MAX_JOB_AGE_MS;
}

/** Whether the same archive request would resume from it. */
function canResume(
  { now, max_duration_ms = 0 }: OrphanDeps,
  { readUnfinished: unfinished }: Storage,
  { id, job, name }: UnfinishedObject,
  interrupted: JobRecord[],
): boolean {
  const isOfRecord = (record: JobRecord) =>
    (record.id === job && record.object === name) || record.archive?.leftovers.includes(id);
  return interrupted.some(
    (record) =>
      unfinished !== undefined &&
      record.archive !== undefined &&
      isResumable(record.archive, max_duration_ms, now()) &&
      isOfRecord(record),
  );
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
      ? 'Unfinished file of an interrupted run'
      : 'Unfinished file, possibly of a run on another machine',
    path: pathOf(storage, name),
    size_bytes,
    since: started_at,
    fractal_name: null,
    actions: interrupted ? ['discard'] : [],
  };
}
