import { bodyHeight, tableHeight } from '../text/layout.ts';
import { groupOf } from '../view/lists/archive-rows.ts';
import { rowsAt, rowUnderCursor } from '../view/lists/index.ts';
import { DETAILS } from '../view/lists/shown.ts';
import { lastTop, pageAt } from '../view/pages/index.ts';
import { currentScreen, listKey, listStateAt } from '../view/snapshot.ts';
import type { Screen, ScreenName } from '../view/types.ts';
import { moveInCoverage } from './coverage.ts';
import { moveInOverview } from './overview.ts';
import { moveInRows } from './rows/actions.ts';
import { selectedArchive } from './selection.ts';
import type { Session } from './session.ts';
import { moveInWizard } from './wizard/actions.ts';

const OPENS: Readonly<Partial<Record<ScreenName, ScreenName>>> = { ...DETAILS, fractals: 'fractal-archives' };

/** Moves the cursor, or scrolls a page without one. */
export function move(session: Session, by: { rows?: number; pages?: number; to?: 'first' | 'last' }) {
  const snapshot = session.snapshot();
  const screen = currentScreen(snapshot);
  if (screen.name === 'rows') return moveInRows(session, by);
  if (screen.name === 'coverage') return moveInCoverage(session, by);
  if (screen.name === 'wizard') return moveInWizard(session, by);
  if (screen.name === 'overview') return moveInOverview(session, by);
  const key = listKey(screen);
  const view = rowsAt(snapshot, screen);
  const height = view ? tableHeight(snapshot) : bodyHeight(snapshot);
  const last = view ? view.rows.length - 1 : lastTop(pageAt(snapshot, screen), snapshot);
  const from = view ? view.index : Math.min(listStateAt(snapshot, screen).top, last);
  const steps = (by.rows ?? 0) + Math.round((by.pages ?? 0) * Math.max(1, height - 1));
  const wanted = by.to === 'first' ? 0 : by.to === 'last' ? last : from + steps;
  const index = Math.max(0, Math.min(last, wanted));
  if (!view) return session.dispatch({ type: 'scroll', key, top: index });
  session.dispatch({ type: 'cursor', key, ids: view.ids, index, height });
}

/** Opens the row under the cursor. */
export function open(session: Session, as?: ScreenName) {
  const snapshot = session.snapshot();
  const name = as ?? OPENS[currentScreen(snapshot).name];
  const subject = rowUnderCursor(snapshot);
  if (!name || subject === undefined) return;
  const group = name === 'archive' && groupOf(snapshot, subject);
  session.dispatch({ type: 'open', screen: { name: group ? 'group' : name, subject } });
}

/** Opens the rows of the archive under the cursor, or on the screen. */
export function openRows(session: Session) {
  const subject = selectedArchive(session.snapshot());
  if (subject === undefined) return;
  session.dispatch({ type: 'open', screen: { name: 'rows', subject } });
}

/** Opens the row under the cursor in full. */
export function openRow(session: Session) {
  const { subject } = currentScreen(session.snapshot());
  session.dispatch({ type: 'scroll', key: `row:${subject}`, top: 0 });
  session.dispatch({ type: 'open', screen: { name: 'row', subject } });
}

/** One step back: clears the filter, then the selection, then leaves the screen; a top-level screen goes to the overview. */
export function back(session: Session, keepFilter = false) {
  const snapshot = session.snapshot();
  const screen = currentScreen(snapshot);
  const list = listStateAt(snapshot, screen);
  if (!keepFilter && list.filter !== '')
    return session.dispatch({ type: 'filter', key: listKey(screen), filter: '' });
  if (!keepFilter && list.selected.size > 0)
    return session.dispatch({ type: 'clearSelection', key: listKey(screen) });
  if (snapshot.ui.stack.length > 1) return session.dispatch({ type: 'back' });
  if (screen.name !== 'overview') session.dispatch({ type: 'go', screen: { name: 'overview' } });
}

/** Leaves a page, whatever is filtered, selected or planned on it. A restore that is being prepared is kept. */
export function leavePage(session: Session) {
  const { name } = currentScreen(session.snapshot());
  session.dispatch({ type: 'back' });
  if (name === 'wizard' && session.wizard.state())
    session.notify('info', 'This restore is kept; press R to continue it');
}

/** Screens that belong to no other one. They open above the current screen, but not above each other. */
const ASIDE: ReadonlySet<ScreenName> = new Set(['settings', 'contexts', 'setup']);

export function openAside(session: Session, name: 'settings' | 'contexts' | 'setup') {
  if (ASIDE.has(currentScreen(session.snapshot()).name)) session.dispatch({ type: 'back' });
  session.dispatch({ type: 'open', screen: { name } });
}

export function go(session: Session, screen: Screen) {
  session.dispatch({ type: 'go', screen });
}

/** Selects or deselects the row under the cursor and moves to the next. */
export function toggleSelected(session: Session) {
  const snapshot = session.snapshot();
  const id = rowUnderCursor(snapshot);
  if (id === undefined) return;
  session.dispatch({ type: 'toggleSelected', key: listKey(currentScreen(snapshot)), id });
  move(session, { rows: 1 });
}

/** Sets the columns of the current list; none stands for all. */
export function chooseColumns(session: Session, ids: readonly string[]) {
  const list = currentScreen(session.snapshot()).name;
  session.dispatch({ type: 'columns', list, ids });
  session.preferences.set(`columns.${list}`, ids);
}
