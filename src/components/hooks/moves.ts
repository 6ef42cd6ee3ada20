import { bodyHeight, tableHeight } from '../view/layout.ts';
import { groupOf } from '../view/lists/archive-rows.ts';
import { listAt, listKey, listStateAt, placeOf, rowsAt, rowUnderCursor } from '../view/lists/index.ts';
import { lastTop, pageAt } from '../view/pages/index.ts';
import type { Place, PlaceName, Sort } from '../view/types.ts';
import { chosenArchive } from './chosen.ts';
import { moveInCoverage } from './coverage.ts';
import { moveInRows } from './row-deeds.ts';
import type { Session } from './session.ts';
import { moveInWizard } from './wizard-deeds.ts';

const OPENS: Readonly<Partial<Record<PlaceName, PlaceName>>> = {
  fractals: 'fractal-archives',
  'fractal-archives': 'archive',
  group: 'archive',
  archives: 'archive',
  backups: 'backup',
  jobs: 'job',
  log: 'entry',
  orphans: 'orphan',
};

/** Moves the cursor, or scrolls where there is none. `pages` counts in screens. */
export function move(session: Session, by: { rows?: number; pages?: number; to?: 'first' | 'last' }) {
  const snapshot = session.snapshot();
  const place = placeOf(snapshot);
  if (place.name === 'rows') return moveInRows(session, by);
  if (place.name === 'coverage') return moveInCoverage(session, by);
  if (place.name === 'wizard') return moveInWizard(session, by);
  const key = listKey(place);
  const view = rowsAt(snapshot, place);
  const height = view ? tableHeight(snapshot) : bodyHeight(snapshot);
  const last = view ? view.rows.length - 1 : lastTop(pageAt(snapshot, place), snapshot);
  const from = view ? view.index : Math.min(listStateAt(snapshot, place).top, last);
  const steps = (by.rows ?? 0) + (by.pages ?? 0) * Math.max(1, height - 1);
  const wanted = by.to === 'first' ? 0 : by.to === 'last' ? last : from + steps;
  const index = Math.max(0, Math.min(last, wanted));
  if (!view) return session.dispatch({ type: 'scroll', key, top: index });
  session.dispatch({ type: 'cursor', key, ids: view.rows.map((row) => row.id), index, height });
}

/** Opens what is under the cursor. */
export function open(session: Session, as?: PlaceName) {
  const snapshot = session.snapshot();
  const name = as ?? OPENS[placeOf(snapshot).name];
  const subject = rowUnderCursor(snapshot);
  if (!name || subject === undefined) return;
  // So that coming back finds the row, even where the list was never moved in.
  move(session, { rows: 0 });
  const group = name === 'archive' && groupOf(snapshot, subject);
  session.dispatch({ type: 'open', place: { name: group ? 'group' : name, subject } });
}

/** Opens the rows of the archive under the cursor, or on the screen. */
export function openRows(session: Session) {
  const subject = chosenArchive(session.snapshot());
  if (subject === undefined) return;
  if (listAt(placeOf(session.snapshot()))) move(session, { rows: 0 });
  session.dispatch({ type: 'open', place: { name: 'rows', subject } });
}

/** Opens the row under the cursor in full. */
export function openRow(session: Session) {
  const { subject } = placeOf(session.snapshot());
  session.dispatch({ type: 'scroll', key: `row:${subject}`, top: 0 });
  session.dispatch({ type: 'open', place: { name: 'row', subject } });
}

/** One step back: first the filter, then the place, last the overview. */
export function back(session: Session, keepFilter = false) {
  const snapshot = session.snapshot();
  const place = placeOf(snapshot);
  const list = listStateAt(snapshot, place);
  if (!keepFilter && list.filter !== '')
    return session.dispatch({ type: 'filter', key: listKey(place), filter: '' });
  if (!keepFilter && list.marks.size > 0) return session.dispatch({ type: 'unmark', key: listKey(place) });
  if (snapshot.ui.stack.length > 1) return session.dispatch({ type: 'back' });
  if (place.name !== 'overview') session.dispatch({ type: 'go', place: { name: 'overview' } });
}

export function go(session: Session, place: Place) {
  session.dispatch({ type: 'go', place });
}

/** Marks the row under the cursor, or takes its mark away, and goes on to the next. */
export function mark(session: Session) {
  const snapshot = session.snapshot();
  const id = rowUnderCursor(snapshot);
  if (id === undefined) return;
  session.dispatch({ type: 'mark', key: listKey(placeOf(snapshot)), id });
  move(session, { rows: 1 });
}

/** Orders by the next column, or turns the order round. */
export function sort(session: Session, how: 'next' | 'reverse') {
  const snapshot = session.snapshot();
  const place = placeOf(snapshot);
  const view = rowsAt(snapshot, place);
  if (!view || !listAt(place)) return;
  const ids = view.columns.map((column) => column.id);
  const next = ids[(ids.indexOf(view.sort.column) + 1) % ids.length] ?? '';
  const numeric = view.columns.find((column) => column.id === next)?.align === 'right';
  const order: Sort =
    how === 'next'
      ? { column: next, descending: numeric }
      : { ...view.sort, descending: !view.sort.descending };
  session.dispatch({ type: 'sort', key: listKey(place), sort: order });
  session.preferences.set(`sort.${place.name}`, order);
}
