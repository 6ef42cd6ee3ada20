import { NEW_LIST, type RowView } from '../rows.ts';
import type { ListState, Place, PlaceName, Resource, Snapshot } from '../types.ts';
import { verdictOf } from '../verdict.ts';
import { groupOf } from './archive-rows.ts';
import { archivesList, fractalArchivesList, groupList } from './archives.ts';
import { backupsList } from './backups.ts';
import { fractalsList } from './fractals.ts';
import { jobRows, jobsList, troubleOf } from './jobs.ts';
import { logList } from './log.ts';
import { orphanName, orphansList } from './orphans.ts';

type ListFunction = (snapshot: Snapshot, place: Place, list: ListState) => RowView;

interface ListPlace {
  list: ListFunction;
  /** What must have been loaded for the list to be complete. */
  needs?: Resource;
  noun: string;
}

const LISTS: Readonly<Partial<Record<PlaceName, ListPlace>>> = {
  fractals: { list: fractalsList, needs: 'fractals', noun: 'fractal' },
  'fractal-archives': { list: fractalArchivesList, needs: 'archives', noun: 'archive' },
  group: { list: groupList, needs: 'archives', noun: 'archive' },
  archives: { list: archivesList, needs: 'archives', noun: 'archive' },
  backups: { list: backupsList, needs: 'backups', noun: 'backup' },
  jobs: { list: jobsList, noun: 'job' },
  log: { list: logList, noun: 'message' },
  orphans: { list: orphansList, needs: 'orphans', noun: 'orphan' },
};

/** The list that a place shows, if it is one. */
export function listAt(place: Place): ListPlace | undefined {
  return LISTS[place.name];
}

/** The place the user is at. */
export function placeOf(snapshot: Snapshot): Place {
  return snapshot.ui.stack.at(-1) ?? snapshot.ui.stack[0];
}

/** Under what name a place keeps its list state. */
export function listKey(place: Place): string {
  return place.subject === undefined ? place.name : `${place.name}:${place.subject}`;
}

export function listStateAt(snapshot: Snapshot, place: Place): ListState {
  return snapshot.ui.lists[listKey(place)] ?? NEW_LIST;
}

/** The rows at the place the user is at; undefined where it is no list. */
export function rowsAt(snapshot: Snapshot, place: Place = placeOf(snapshot)): RowView | undefined {
  return listAt(place)?.list(snapshot, place, listStateAt(snapshot, place));
}

/** Id of the row under the cursor. */
export function rowUnderCursor(snapshot: Snapshot): string | undefined {
  const view = rowsAt(snapshot);
  return view?.rows[view.index]?.id;
}

function failedVerdict(snapshot: Snapshot, ...names: string[]): string {
  const verdict = verdictOf(snapshot, ...names);
  return verdict && !verdict.ok ? `Verification failed: ${verdict.message}` : '';
}

/** What is wrong with the row under the cursor, in full; empty where nothing is. */
export function troubleUnderCursor(snapshot: Snapshot): string {
  const id = rowUnderCursor(snapshot);
  switch (placeOf(snapshot).name) {
    case 'archives':
    case 'fractal-archives':
    case 'group': {
      const group = groupOf(snapshot, id);
      if (group) return group.error_message ?? '';
      const record = snapshot.data.archives.value?.find((one) => one.id === id);
      return record ? (record.error_message ?? failedVerdict(snapshot, record.filename, record.id)) : '';
    }
    case 'backups':
      return id === undefined ? '' : failedVerdict(snapshot, id);
    case 'orphans': {
      const orphan = snapshot.data.orphans.value?.find((one) => one.id === id);
      if (!orphan) return '';
      const failed = failedVerdict(snapshot, orphanName(orphan), orphan.id);
      // Where nothing can be done, the whole title says why.
      return failed || (orphan.actions.length === 0 ? orphan.title : '');
    }
    case 'jobs': {
      const job = jobRows(snapshot).find((candidate) => candidate.id === id);
      return job ? troubleOf(job) : '';
    }
    default:
      return '';
  }
}
