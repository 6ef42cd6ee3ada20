import type { Orphan } from '../files.ts';
import { isOwnName, isProbeName } from '../policy/names.ts';
import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { Leftover, Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { isYoung } from './archive-continue.ts';
import { isOf } from './in-use.ts';
import { ARCHIVES_PREFIX, byName, isArchive } from './plan-adopt.ts';
import { isSame } from './record-file.ts';
import { strangers } from './strangers.ts';
import { namesOf, pathOf } from './target.ts';

/** No archive takes longer than this by the server's own limit; nor does an upload of a job that is alive. */
const SURELY_DEAD_MS = 24 * 3_600_000;

export interface OrphanDeps {
  catalog: Catalog;
  archives: Storage;
  backups: Storage;
  /** Whether the file of a record is there whose storage is not the one of `archives`. */
  holds?(record: ArchiveRecord, options?: CallOptions): Promise<boolean>;
  state: State;
  /** How old an archive may be that goes on, milliseconds; none does where it is left out. */
  max_duration_ms?: number;
  now(): Date;
}

/** What has lost its other half, or was left by a dead run: files, records, unfinished objects. Reads no file. */
export async function orphans(deps: OrphanDeps, options: CallOptions = {}): Promise<Orphan[]> {
  const before = await deps.catalog.archives({}, options);
  const files = new Map<string, StoredObject>();
  for await (const object of deps.archives.list(ARCHIVES_PREFIX, options)) {
    if (isArchive(object.name)) files.set(object.name, object);
  }
  const [records, live, dead] = await Promise.all([
    deps.catalog.archives({}, options),
    deps.state.live(),
    deps.state.dead(),
  ]);
  const elsewhere = await keptElsewhere(deps, files, records, options);
  return [
    ...lostFiles(deps, files, { before, records }, live),
    ...lostRecords(deps, { files, elsewhere }, { before, records }, live, dead),
    ...(await strangers(deps.backups, options)),
    ...(await leftovers(deps, live, dead, options)),
  ];
}

/** Records whose files are in the other storage: settings may have changed since, or a copy was made. */
async function keptElsewhere(
  { archives, holds }: OrphanDeps,
  files: Map<string, StoredObject>,
  records: ArchiveRecord[],
  options: CallOptions,
): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const record of records) {
    const { id, status, storage_type } = record;
    if (status !== 'completed' || storage_type === archives.kind) continue;
    if (namesOf(record).some((name) => files.has(name))) continue;
    if (await holds?.(record, options)) ids.add(id);
  }
  return ids;
}

/**
 * Records as they were before the files were listed, and after. While jobs run, only what is amiss with both is: a file may
 * have got its record, or lost it, just then.
 */
interface Records {
  before: ArchiveRecord[];
  records: ArchiveRecord[];
}

function lostFiles(
  { archives }: OrphanDeps,
  files: Map<string, StoredObject>,
  { before, records }: Records,
  live: JobNote[],
): Orphan[] {
  const [earlier, known] = [byName(before), byName(records)];
  const busy = new Set(live.map(({ object }) => object));
  return [...files.values()]
    .filter(({ name }) => !busy.has(name) && isLost(earlier.get(name)) && isLost(known.get(name)))
    .map(({ name, size_bytes, modified_at }) => ({
      kind: 'file',
      place: 'archives',
      id: name,
      title: known.has(name)
        ? 'Archive file whose record says that it failed'
        : 'Archive file without a record',
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

function lostRecords(
  deps: OrphanDeps,
  { files, elsewhere }: { files: Map<string, StoredObject>; elsewhere: Set<string> },
  { before, records }: Records,
  live: JobNote[],
  dead: JobNote[],
): Orphan[] {
  const missing = (record: ArchiveRecord) => !namesOf(record).some((name) => files.has(name));
  const complete = new Set(before.filter(({ status }) => status === 'completed').map(({ id }) => id));
  const completed = records.filter(
    ({ id, status }) => status === 'completed' && complete.has(id) && !elsewhere.has(id),
  );
  // All of them missing at once is a storage that is not mounted, not so many losses.
  const allGone = completed.length > 0 && completed.every(missing) && files.size === 0;
  const alive = new Set(live.map(({ archive_id }) => archive_id));
  const stale = records.filter(
    (record) => record.status === 'in_progress' && !alive.has(record.id) && isStale(deps, record, dead),
  );
  return [
    ...completed.filter(missing).map((record) => lostRecord(deps, record, completedTitle(allGone), !allGone)),
    ...stale.map((record) => lostRecord(deps, record, 'Record in progress that no job works on', true)),
  ];
}

function completedTitle(allGone: boolean): string {
  return allGone
    ? 'Record whose file is missing, as are all others: check that the archive storage is the right one'
    : 'Record whose file is missing';
}

/** A record in progress that is not ours may be the server's own, until that has given up by its own limit. */
function isStale({ now }: OrphanDeps, { id, created_at }: ArchiveRecord, dead: JobNote[]): boolean {
  return (
    dead.some(({ archive_id }) => archive_id === id) ||
    now().getTime() - Date.parse(created_at) > SURELY_DEAD_MS
  );
}

function lostRecord({ archives }: OrphanDeps, record: ArchiveRecord, title: string, act: boolean): Orphan {
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

async function leftovers(
  deps: OrphanDeps,
  live: JobNote[],
  deadNotes: JobNote[],
  options: CallOptions,
): Promise<Orphan[]> {
  const found: Orphan[] = [];
  for (const place of ['backups', 'archives'] as const) {
    const storage = deps[place];
    if (place === 'archives' && isSame(storage, deps.backups)) continue;
    for await (const leftover of storage.leftovers(options)) {
      if (!isOwnName(leftover.name) || live.some((note) => isOf(note, leftover))) continue;
      const dead = isDead(deps, leftover, deadNotes);
      // A health check may be on its way just now.
      if (!dead && isProbeName(leftover.name)) continue;
      const orphan = leftoverOrphan(storage, place, leftover, dead);
      found.push(dead && goesOn(deps, storage, leftover, deadNotes) ? { ...orphan, goes_on: true } : orphan);
    }
  }
  return found;
}

/** What no job of this machine began may be the work of another machine, or of the server. */
function isDead({ now }: OrphanDeps, leftover: Leftover, dead: JobNote[]): boolean {
  if (dead.some((note) => isOf(note, leftover))) return true;
  return now().getTime() - Date.parse(leftover.started_at) > SURELY_DEAD_MS;
}

/** Whether the call that began it would read back what is there. */
function goesOn(
  { now, max_duration_ms = 0 }: OrphanDeps,
  { unfinished }: Storage,
  { id, job, name }: Leftover,
  dead: JobNote[],
): boolean {
  const isOfNote = (note: JobNote) =>
    (note.id === job && note.object === name) || note.archive?.leftovers.includes(id);
  return dead.some(
    (note) =>
      unfinished !== undefined &&
      note.archive !== undefined &&
      isYoung(note.archive, max_duration_ms, now()) &&
      isOfNote(note),
  );
}

function leftoverOrphan(
  storage: Storage,
  place: Orphan['place'],
  { id, name, size_bytes, started_at }: Leftover,
  dead: boolean,
): Orphan {
  return {
    kind: 'leftover',
    place,
    id,
    title: dead
      ? 'Unfinished file of a run that is dead'
      : 'Unfinished file, perhaps of a run on another machine',
    path: pathOf(storage, name),
    size_bytes,
    since: started_at,
    fractal_name: null,
    actions: dead ? ['discard'] : [],
  };
}
