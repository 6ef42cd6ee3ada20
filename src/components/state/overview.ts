import { bodyHeight } from '../text/layout.ts';
import { overviewCursor, overviewLines } from '../view/overview/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { Snapshot } from '../view/types.ts';
import type { Session } from './session.ts';

/** Moves the cursor to another line that leads somewhere. */
export function moveInOverview(
  session: Session,
  by: { rows?: number; pages?: number; to?: 'first' | 'last' },
): void {
  const snapshot = session.snapshot();
  const { ids, at } = overviewCursor(snapshot, overviewLines(snapshot));
  const height = bodyHeight(snapshot);
  const steps = (by.rows ?? 0) + (by.pages ?? 0) * height;
  const index = by.to === undefined ? at + steps : by.to === 'first' ? 0 : ids.length - 1;
  session.dispatch({ type: 'cursor', key: listKey(currentScreen(snapshot)), ids, index, height });
}

/** Opens the screen that the line under the cursor leads to. */
export function openFromOverview(session: Session): void {
  const snapshot = session.snapshot();
  const target = targetUnderCursor(snapshot);
  if (!target) return;
  // Stores the cursor so that going back returns to this line.
  moveInOverview(session, { rows: 0 });
  session.dispatch({ type: 'open', screen: target });
}

function targetUnderCursor(snapshot: Snapshot) {
  const lines = overviewLines(snapshot);
  return lines[overviewCursor(snapshot, lines).line]?.target;
}
