import type { ColumnShape } from '../../text/layout.ts';
import { currentScreen, listStateAt } from '../snapshot.ts';
import type { ListState, Resource, Screen, ScreenName, Snapshot } from '../types.ts';
import { archivesList, fractalArchivesList, groupList } from './archives.ts';
import { backupsList } from './backups.ts';
import { contextsList } from './contexts.ts';
import { fractalsList } from './fractals.ts';
import { jobsList } from './jobs.ts';
import type { RowView } from './list.ts';
import { logList } from './log.ts';
import { orphansList } from './orphans.ts';
import { settingsList } from './settings.ts';

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
  settings: { list: settingsList, noun: 'setting' },
  contexts: { list: contextsList, noun: 'installation' },
};

/** The list of a screen, if it has one. */
export function listAt(screen: Screen): ScreenList | undefined {
  return LISTS[screen.name];
}

/** The rows of a screen, by default the current one; undefined if it has no list. */
export function rowsAt(snapshot: Snapshot, screen: Screen = currentScreen(snapshot)): RowView | undefined {
  const view = listAt(screen)?.list(snapshot, screen, listStateAt(snapshot, screen));
  return view && { ...view, columns: chosenColumns(view.columns, snapshot, screen) };
}

/** All columns of a list, and those that were chosen. */
export function listColumns(
  snapshot: Snapshot,
  screen: Screen,
): { all: readonly ColumnShape[]; chosen: readonly ColumnShape[] } {
  const all = listAt(screen)?.list(snapshot, screen, listStateAt(snapshot, screen)).columns ?? [];
  return { all, chosen: chosenColumns(all, snapshot, screen) };
}

/** A choice without any column of the list counts as none: it may be that of another version. */
function chosenColumns(
  all: readonly ColumnShape[],
  { ui }: Snapshot,
  { name }: Screen,
): readonly ColumnShape[] {
  const ids = ui.columns[name];
  const chosen = ids ? all.filter(({ id }) => ids.includes(id)) : all;
  return chosen.length > 0 ? chosen : all;
}

/** Id of the row under the cursor. */
export function rowUnderCursor(snapshot: Snapshot): string | undefined {
  const view = rowsAt(snapshot);
  return view?.rows[view.index]?.id;
}
