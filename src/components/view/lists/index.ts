import { NEW_LIST, type RowView } from '../rows.ts';
import type { ListState, Resource, Screen, ScreenName, Snapshot } from '../types.ts';
import { verificationOf } from '../verification.ts';
import { groupOf } from './archive-rows.ts';
import { archivesList, fractalArchivesList, groupList } from './archives.ts';
import { backupsList } from './backups.ts';
import { fractalsList } from './fractals.ts';
import { jobProblem, jobRows, jobsList } from './jobs.ts';
import { logList } from './log.ts';
import { orphanName, orphansList } from './orphans.ts';

type ListFunction = (snapshot: Snapshot, screen: Screen, list: ListState) => RowView;

interface ScreenList {
  list: ListFunction;
  /** The data that the list shows. */
  needs?: Resource;
  noun: string;
}

const LISTS: Readonly<Partial<Record<ScreenName, ScreenList>>> = {
  fractals: { list: fractalsList, needs: 'fractals', noun: 'fractal' },
  'fractal-archives': { list: fractalArchivesList, needs: 'archives', noun: 'archive' },
  group: { list: groupList, needs: 'archives', noun: 'archive' },
  archives: { list: archivesList, needs: 'archives', noun: 'archive' },
  backups: { list: backupsList, needs: 'backups', noun: 'backup' },
  jobs: { list: jobsList, noun: 'job' },
  log: { list: logList, noun: 'message' },
  orphans: { list: orphansList, needs: 'orphans', noun: 'orphan' },
};

/** The list of a screen, if it has one. */
export function listAt(screen: Screen): ScreenList | undefined {
  return LISTS[screen.name];
}

/** The screen the user is on. */
export function currentScreen(snapshot: Snapshot): Screen {
  return snapshot.ui.stack.at(-1) ?? snapshot.ui.stack[0];
}

/** The key of a screen's list state. */
export function listKey(screen: Screen): string {
  return screen.subject === undefined ? screen.name : `${screen.name}:${screen.subject}`;
}

export function listStateAt(snapshot: Snapshot, screen: Screen): ListState {
  return snapshot.ui.lists[listKey(screen)] ?? NEW_LIST;
}

/** The rows of a screen, by default the current one; undefined if it has no list. */
export function rowsAt(snapshot: Snapshot, screen: Screen = currentScreen(snapshot)): RowView | undefined {
  return listAt(screen)?.list(snapshot, screen, listStateAt(snapshot, screen));
}

/** Id of the row under the cursor. */
export function rowUnderCursor(snapshot: Snapshot): string | undefined {
  const view = rowsAt(snapshot);
  return view?.rows[view.index]?.id;
}

function verificationError(snapshot: Snapshot, ...names: string[]): string {
  const verification = verificationOf(snapshot.verifications, ...names);
  return verification && !verification.ok ? `Verification failed: ${verification.message}` : '';
}

/** The full error or warning of the row under the cursor; empty if there is none. */
export function problemUnderCursor(snapshot: Snapshot): string {
  const id = rowUnderCursor(snapshot);
  switch (currentScreen(snapshot).name) {
    case 'archives':
    case 'fractal-archives':
    case 'group': {
      const group = groupOf(snapshot, id);
      if (group) return group.error_message ?? '';
      const record = snapshot.data.archives.value?.find((one) => one.id === id);
      return record ? (record.error_message ?? verificationError(snapshot, record.filename, record.id)) : '';
    }
    case 'backups':
      return id === undefined ? '' : verificationError(snapshot, id);
    case 'orphans': {
      const orphan = snapshot.data.orphans.value?.find((one) => one.id === id);
      if (!orphan) return '';
      const failed = verificationError(snapshot, orphanName(orphan), orphan.id);
      // If there are no actions, the title says why, and the column may cut it.
      return failed || (orphan.actions.length === 0 ? orphan.title : '');
    }
    case 'jobs': {
      const job = jobRows(snapshot).find((candidate) => candidate.id === id);
      return job ? jobProblem(job) : '';
    }
    default:
      return '';
  }
}
