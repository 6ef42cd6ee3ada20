import { bodyHeight, scrollTop, tableHeight } from '../text/layout.ts';
import { rowsView } from './browse.ts';
import { rowsAt } from './lists/index.ts';
import { panesAt } from './panes.ts';
import { currentScreen, listStateAt } from './snapshot.ts';
import { tabAt } from './tabs.ts';
import type { ScreenName, Snapshot } from './types.ts';

/** What is at a place of the screen. */
export type Hit =
  | { what: 'tab'; name: ScreenName }
  | { what: 'footer' }
  /** A row of a list, by its id. */
  | { what: 'row'; id: string }
  /** A row of an archive, by its index. */
  | { what: 'line'; index: number };

/** Lines of the screen, from 0: the tabs, and the first one of the body. */
const TABS_LINE = 1;
const BODY_LINE = 3;
/** Tables and rows have a line of column titles. */
const TITLES = 1;

/** What a frame shows at a place, from 0. */
export function hitAt(snapshot: Snapshot, column: number, line: number): Hit | undefined {
  if (line === snapshot.rows - 1) return { what: 'footer' };
  if (line === TABS_LINE) {
    const name = tabAt(snapshot, column);
    return name && { what: 'tab', name };
  }
  const row = line - BODY_LINE - TITLES;
  if (row < 0 || line >= BODY_LINE + bodyHeight(snapshot)) return undefined;
  return currentScreen(snapshot).name === 'rows' ? lineAt(snapshot, row) : rowAt(snapshot, column, row);
}

function rowAt(snapshot: Snapshot, column: number, row: number): Hit | undefined {
  const screen = currentScreen(snapshot);
  const view = rowsAt(snapshot, screen);
  if (!view || column >= panesAt(snapshot, screen).list) return undefined;
  const top = scrollTop(
    listStateAt(snapshot, screen).top,
    view.index,
    tableHeight(snapshot),
    view.rows.length,
  );
  const id = view.rows[top + row]?.id;
  return id === undefined ? undefined : { what: 'row', id };
}

function lineAt(snapshot: Snapshot, row: number): Hit | undefined {
  const view = rowsView(snapshot);
  // A wrapped row takes several lines.
  if (!view || snapshot.settings.wrap || view.top + row >= view.count) return undefined;
  return { what: 'line', index: view.top + row };
}
