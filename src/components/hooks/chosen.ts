import type { ArchiveRecord, DeleteTarget, Orphan } from '../../core/index.ts';
import { groupOf, partIds } from '../view/lists/archive-rows.ts';
import { listAt, listStateAt, placeOf, rowUnderCursor } from '../view/lists/index.ts';
import type { Snapshot } from '../view/types.ts';

/** Ids of the marked rows, else of the one under the cursor or on the screen. */
function chosenIds(snapshot: Snapshot): ReadonlySet<string> {
  const place = placeOf(snapshot);
  const { marks } = listStateAt(snapshot, place);
  if (listAt(place) && marks.size > 0) return marks;
  const id = listAt(place) ? rowUnderCursor(snapshot) : place.subject;
  return new Set(id === undefined ? [] : [id]);
}

/** What can be verified: how the engine is to find it. Archives that are still being written are left out. */
export function chosenFiles(snapshot: Snapshot): readonly string[] {
  const ids = partIds(snapshot, chosenIds(snapshot));
  const { archives, backups, orphans } = snapshot.data;
  return [
    ...(backups.value ?? []).filter(({ name }) => ids.has(name)).map(({ name }) => name),
    ...(archives.value ?? [])
      .filter(({ id, status }) => ids.has(id) && status !== 'in_progress')
      .map(({ id }) => id),
    ...(orphans.value ?? []).filter(({ id, kind }) => ids.has(id) && kind === 'file').map(({ id }) => id),
  ];
}

/** The one archive whose rows can be read: by its record, or as a file without one. */
export function chosenArchive(snapshot: Snapshot): string | undefined {
  const place = placeOf(snapshot);
  const id = listAt(place) ? rowUnderCursor(snapshot) : place.subject;
  const record = snapshot.data.archives.value?.find((one) => one.id === id);
  const orphan = snapshot.data.orphans.value?.find(
    (one) => one.id === id && one.kind === 'file' && one.place === 'archives',
  );
  return isReadable(record) ? record?.id : orphan?.id;
}

function isReadable(record: ArchiveRecord | undefined): boolean {
  return record?.status === 'completed' || record?.status === 'restoring';
}

/** The orphans that are meant, marked ones first, which something can be done about. */
export function chosenOrphans(snapshot: Snapshot, ...actions: Orphan['actions']): readonly Orphan[] {
  const ids = chosenIds(snapshot);
  const { value = [] } = snapshot.data.orphans;
  return value.filter(
    (orphan) =>
      ids.has(orphan.id) &&
      !snapshot.busy.has(orphan.id) &&
      orphan.actions.some((action) => actions.includes(action)),
  );
}

/** What a deletion is about: backups, archives and groups that nothing is being done with. */
export function chosenTargets(snapshot: Snapshot): readonly DeleteTarget[] {
  const ids = chosenIds(snapshot);
  const { archives, backups } = snapshot.data;
  const groups = new Set([...ids].filter((id) => groupOf(snapshot, id)));
  const targets: DeleteTarget[] = [
    ...(backups.value ?? []).map(({ name }) => ({ kind: 'backup', id: name }) as const),
    ...(archives.value ?? []).map(({ id }) => ({ kind: 'archive', id }) as const),
    ...[...groups].map((id) => ({ kind: 'group', id }) as const),
  ];
  return targets.filter(({ id }) => ids.has(id) && !snapshot.busy.has(id));
}

/** Chosen files that are whole, and where they are. */
export function chosenStored(snapshot: Snapshot): readonly { id: string; storage_type: string }[] {
  const ids = partIds(snapshot, chosenIds(snapshot));
  const { archives, backups } = snapshot.data;
  const free = (id: string) => ids.has(id) && !snapshot.busy.has(id);
  return [
    ...(backups.value ?? []).map(({ name, storage_type }) => ({ id: name, storage_type })),
    ...(archives.value ?? []).filter(({ status }) => status === 'completed'),
  ].filter(({ id }) => free(id));
}

/** Where the chosen files are not; undefined where they are in different storages, or there are none. */
export function otherStorage(snapshot: Snapshot): 'disk' | 's3' | undefined {
  const [first, ...others] = new Set(chosenStored(snapshot).map(({ storage_type }) => storage_type));
  if (first === undefined || others.length > 0) return undefined;
  return first === 's3' ? 'disk' : 's3';
}

/** The one backup or archive that can be brought back: under the cursor, or on the screen. */
export function chosenRestore(snapshot: Snapshot): { kind: 'backup' | 'archive'; id: string } | undefined {
  const place = placeOf(snapshot);
  const id = listAt(place) ? rowUnderCursor(snapshot) : place.subject;
  const { archives, backups, orphans } = snapshot.data;
  if (id === undefined || snapshot.busy.has(id)) return undefined;
  if (backups.value?.some(({ name }) => name === id)) return { kind: 'backup', id };
  if (archives.value?.some((one) => one.id === id && one.status === 'completed'))
    return { kind: 'archive', id };
  if (groupOf(snapshot, id)?.parts.some(({ status }) => status === 'completed'))
    return { kind: 'archive', id };
  const file = orphans.value?.find((one) => one.id === id && one.kind === 'file');
  return file && { kind: file.place === 'backups' ? 'backup' : 'archive', id };
}
