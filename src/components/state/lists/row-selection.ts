import { rowsAt } from '../../view/lists/index.ts';
import { currentScreen, listKey, listStateAt } from '../../view/snapshot.ts';
import type { Session } from '../session.ts';

/** The rows that are shown, and which are selected. */
function rowsToSelect(session: Session) {
  const snapshot = session.snapshot();
  const screen = currentScreen(snapshot);
  const list = listStateAt(snapshot, screen);
  return {
    key: listKey(screen),
    list,
    ids: rowsAt(snapshot, screen)?.ids ?? [],
    view: rowsAt(snapshot, screen),
  };
}

/** Selects all rows that are shown; those that the filter hides stay as they are. */
export function selectAll(session: Session) {
  const { key, list, ids } = rowsToSelect(session);
  session.dispatch({ type: 'select', key, selected: new Set([...list.selected, ...ids]) });
}

/** Selects the rows that are shown and not selected, and deselects the others that are shown. */
export function invertSelection(session: Session) {
  const { key, list, ids } = rowsToSelect(session);
  const shown = new Set(ids);
  const selected = new Set([
    ...[...list.selected].filter((id) => !shown.has(id)),
    ...ids.filter((id) => !list.selected.has(id)),
  ]);
  session.dispatch({ type: 'select', key, selected });
}

/** Selects all rows from the one that was selected last to the one under the cursor. */
export function selectRange(session: Session) {
  const { key, list, ids, view } = rowsToSelect(session);
  const anchor = list.anchor === undefined ? -1 : ids.indexOf(list.anchor);
  if (!view || anchor < 0)
    return session.notify('warn', 'Cannot select a range: press Space on its first row');
  const [from, to] = [Math.min(anchor, view.index), Math.max(anchor, view.index)];
  session.dispatch({
    type: 'select',
    key,
    selected: new Set([...list.selected, ...ids.slice(from, to + 1)]),
  });
}
