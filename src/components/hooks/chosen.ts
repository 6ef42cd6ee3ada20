import type { ArchiveRecord, Orphan } from '../../core/index.ts';
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
  const ids = chosenIds(snapshot);
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
  const orphan = snapshot.data.orphans.value?.find((one) => one.id === id && one.kind === 'file');
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
