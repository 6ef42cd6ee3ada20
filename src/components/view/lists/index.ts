import { currentScreen, listStateAt } from '../snapshot.ts';
import type { Resource, Screen, ScreenName, Snapshot } from '../types.ts';
import { archivesList, fractalArchivesList, groupList } from './archives.ts';
import { backupsList } from './backups.ts';
import { contextsList } from './contexts.ts';
import { fractalsList } from './fractals.ts';
import { jobsList } from './jobs.ts';
import type { List, RowView } from './list.ts';
import { logList } from './log.ts';
import { orphansList } from './orphans.ts';
import { settingsList } from './settings.ts';

interface ScreenList {
  list: List;
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
  settings: { list: settingsList, noun: 'setting' },
  contexts: { list: contextsList, noun: 'installation' },
};

/** The list of a screen, if it has one. */
export function listAt(screen: Screen): ScreenList | undefined {
  return LISTS[screen.name];
}

/** The rows of a screen, by default the current one; undefined if it has no list. */
export function rowsAt(snapshot: Snapshot, screen: Screen = currentScreen(snapshot)): RowView | undefined {
  return listAt(screen)?.list.rows(snapshot, screen, listStateAt(snapshot, screen));
}

/** Id of the row under the cursor. */
export function rowUnderCursor(snapshot: Snapshot): string | undefined {
  const view = rowsAt(snapshot);
  return view?.rows[view.index]?.id;
}
