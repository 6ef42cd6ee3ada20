import type { ArchiveRecord, BackupFile, DeleteTarget, Orphan } from '../../core/index.ts';
import { groupIds, groupOf, partIds } from '../view/lists/archive-rows.ts';
import { type FractalRecord, fractalRecords } from '../view/lists/fractals.ts';
import { listAt, rowUnderCursor } from '../view/lists/index.ts';
import { type JobRow, jobRows } from '../view/lists/jobs.ts';
import { currentScreen, listStateAt, memo } from '../view/snapshot.ts';
import type { Snapshot } from '../view/types.ts';

/** Ids of the selected rows, else of the one under the cursor or on the screen. */
function selectedIds(snapshot: Snapshot): ReadonlySet<string> {
  const screen = currentScreen(snapshot);
  const { selected: marks } = listStateAt(snapshot, screen);
  if (listAt(screen) && marks.size > 0) return marks;
  return onlyId(listAt(screen) ? rowUnderCursor(snapshot) : screen.subject);
}

const onlyId = memo((id: string | undefined): ReadonlySet<string> => new Set(id === undefined ? [] : [id]));

const NONE: readonly never[] = [];

type Archives = readonly ArchiveRecord[];
type Backups = readonly BackupFile[];
type Orphans = readonly Orphan[];
type Busy = Snapshot['busy'];

const filesOf = memo(
  (ids: ReadonlySet<string>, archives: Archives, backups: Backups, orphans: Orphans): readonly string[] => [
    ...backups.filter(({ id }) => ids.has(id)).map(({ id }) => id),
    ...archives.filter(({ id, status }) => ids.has(id) && status !== 'in_progress').map(({ id }) => id),
    ...orphans.filter(({ id, kind }) => ids.has(id) && kind === 'file').map(({ id }) => id),
  ],
);

/** Targets of a verification, as the engine takes them; without archives that are still being written. */
export function selectedFiles(snapshot: Snapshot): readonly string[] {
  const { archives, backups, orphans } = snapshot.data;
  const ids = partIds(snapshot, selectedIds(snapshot));
  return filesOf(ids, archives.value ?? NONE, backups.value ?? NONE, orphans.value ?? NONE);
}

/** The archive whose rows can be browsed: id of its record, or of a file without a record. */
export function selectedArchive(snapshot: Snapshot): string | undefined {
  const screen = currentScreen(snapshot);
  const id = listAt(screen) ? rowUnderCursor(snapshot) : screen.subject;
  const record = snapshot.data.archives.value?.find((one) => one.id === id);
  const orphan = snapshot.data.orphans.value?.find(
    (one) => one.id === id && one.kind === 'file' && one.place === 'archives',
  );
  return isReadable(record) ? record?.id : orphan?.id;
}

function isReadable(record: ArchiveRecord | undefined): boolean {
  return record?.status === 'completed' || record?.status === 'restoring';
}

/** The selected orphans that allow one of the actions and are not in use. */
export function selectedOrphans(snapshot: Snapshot, ...actions: Orphan['actions']): readonly Orphan[] {
  const ids = selectedIds(snapshot);
  const { value = [] } = snapshot.data.orphans;
  return value.filter(
    (orphan) =>
      ids.has(orphan.id) &&
      !snapshot.busy.has(orphan.id) &&
      orphan.actions.some((action) => actions.includes(action)),
  );
}

const deleteTargetsOf = memo(
  (
    ids: ReadonlySet<string>,
    archives: Archives,
    groups: readonly string[],
    backups: Backups,
    busy: Busy,
  ): readonly DeleteTarget[] => {
    const targets: DeleteTarget[] = [
      ...backups.map(({ id }) => ({ kind: 'backup', id }) as const),
      ...archives.map(({ id }) => ({ kind: 'archive', id }) as const),
      ...groups.map((id) => ({ kind: 'group', id }) as const),
    ];
    return targets.filter(({ id }) => ids.has(id) && !busy.has(id));
  },
);

/** Targets of a deletion: selected backups, archives and groups that are not in use. */
export function selectedDeleteTargets(snapshot: Snapshot): readonly DeleteTarget[] {
  const { archives, backups } = snapshot.data;
  return deleteTargetsOf(
    selectedIds(snapshot),
    archives.value ?? NONE,
    groupIds(snapshot),
    backups.value ?? NONE,
    snapshot.busy,
  );
}

type StoredFile = Readonly<{ id: string; storage_type: string }>;

const storedFilesOf = memo(
  (ids: ReadonlySet<string>, archives: Archives, backups: Backups, busy: Busy): readonly StoredFile[] =>
    [...backups, ...archives.filter(({ status }) => status === 'completed')].filter(
      ({ id }) => ids.has(id) && !busy.has(id),
    ),
);

/** Selected complete files that are not in use, and their storage. */
export function selectedStoredFiles(snapshot: Snapshot): readonly StoredFile[] {
  const ids = partIds(snapshot, selectedIds(snapshot));
  const { archives, backups } = snapshot.data;
  return storedFilesOf(ids, archives.value ?? NONE, backups.value ?? NONE, snapshot.busy);
}

/** The storage to copy the selected files to; undefined if there are none, or they are in different storages. */
export function otherStorage(snapshot: Snapshot): 'disk' | 's3' | undefined {
  const [first, ...others] = new Set(selectedStoredFiles(snapshot).map(({ storage_type }) => storage_type));
  if (first === undefined || others.length > 0) return undefined;
  return first === 's3' ? 'disk' : 's3';
}

/** The backup, archive or group under the cursor or on the screen, if it can be restored. */
export function selectedRestoreSource(
  snapshot: Snapshot,
): { kind: 'backup' | 'archive'; id: string } | undefined {
  const screen = currentScreen(snapshot);
  const id = listAt(screen) ? rowUnderCursor(snapshot) : screen.subject;
  const { archives, backups, orphans } = snapshot.data;
  if (id === undefined || snapshot.busy.has(id)) return undefined;
  if (backups.value?.some((backup) => backup.id === id)) return { kind: 'backup', id };
  if (archives.value?.some((one) => one.id === id && one.status === 'completed'))
    return { kind: 'archive', id };
  if (groupOf(snapshot, id)?.parts.some(({ status }) => status === 'completed'))
    return { kind: 'archive', id };
  const file = orphans.value?.find((one) => one.id === id && one.kind === 'file');
  return file && { kind: file.place === 'backups' ? 'backup' : 'archive', id };
}

/** The fractals an archive action applies to: the selected ones, else the one under the cursor or on the screen. */
export function selectedFractals(snapshot: Snapshot): readonly FractalRecord[] {
  const screen = currentScreen(snapshot);
  const fractals = fractalRecords(snapshot);
  if (screen.name === 'fractals') {
    const { selected: marks } = listStateAt(snapshot, screen);
    const marked = fractals.filter((fractal) => marks.has(fractal.id));
    if (marked.length > 0) return marked;
  }
  const id = screen.name === 'fractals' ? rowUnderCursor(snapshot) : screen.subject;
  return fractals.filter((fractal) => fractal.id === id);
}

/** The value that all of these fractals have; undefined if they differ. */
export function commonValue<Key extends keyof FractalRecord>(
  [first, ...others]: readonly FractalRecord[],
  key: Key,
): FractalRecord[Key] | undefined {
  return others.every((one) => one[key] === first?.[key]) ? first?.[key] : undefined;
}

/** The job under the cursor or on the screen. */
export function selectedJob(snapshot: Snapshot): JobRow | undefined {
  const screen = currentScreen(snapshot);
  const id =
    screen.name === 'job' ? screen.subject : screen.name === 'jobs' ? rowUnderCursor(snapshot) : undefined;
  return jobRows(snapshot).find((job) => job.id === id);
}
