import { tableHeight } from '../text/layout.ts';
import { rowsAt } from '../view/lists/index.ts';
import { coverageAt, coverageCursor } from '../view/pages/coverage.ts';
import { currentScreen, listKey, listStateAt } from '../view/snapshot.ts';
import type { Snapshot } from '../view/types.ts';
import type { Action } from './reducer.ts';

/**
 * The action that gives the cursor of the screen to the row it is drawn on, if it has no row yet or its row is gone: what
 * is loaded next then never moves it to another row. Undefined if the cursor has its row.
 */
export function keepCursor(snapshot: Snapshot): Action | undefined {
  const screen = currentScreen(snapshot);
  const { cursor } = listStateAt(snapshot, screen);
  const key = listKey(screen);
  const view = rowsAt(snapshot, screen);
  if (view) {
    const current = view.rows[view.index]?.id;
    if (current === undefined || current === cursor) return undefined;
    const ids = view.rows.map(({ id }) => id);
    return { type: 'cursor', key, ids, index: view.index, height: tableHeight(snapshot) };
  }
  const periods = screen.name === 'coverage' ? (coverageAt(snapshot)?.value?.periods ?? []) : [];
  if (periods.length === 0 || cursor !== undefined) return undefined;
  const ids = periods.map(({ from }) => from);
  return { type: 'cursor', key, ids, index: coverageCursor(snapshot), height: ids.length };
}
