import {
  archivesUnderCursor,
  coverageAt,
  coverageCursor,
  coverageSubject,
  selectedArchiveKey,
  stepRows,
  visibleCalendar,
} from '../view/pages/coverage.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { Snapshot } from '../view/types.ts';
import type { Session } from './session.ts';

/** Opens the timeline of a fractal. */
export function openCoverage(session: Session, fractal_id: string): void {
  session.dispatch({ type: 'open', screen: { name: 'coverage', subject: `${fractal_id}/day` } });
}

/** Switches between hours and days. */
export function toggleUnit(session: Session): void {
  const { fractal_id, unit } = coverageSubject(currentScreen(session.snapshot()).subject);
  session.dispatch({ type: 'back' });
  const subject = `${fractal_id}/${unit === 'day' ? 'hour' : 'day'}`;
  session.dispatch({ type: 'open', screen: { name: 'coverage', subject } });
}

/** Moves the cursor by periods, calendar lines or pages, or to the first or last period. */
export function moveInCoverage(
  session: Session,
  by: { periods?: number; rows?: number; pages?: number; to?: 'first' | 'last' },
): void {
  const snapshot = session.snapshot();
  const periods = coverageAt(snapshot)?.value?.periods ?? [];
  if (periods.length === 0) return;
  const ids = periods.map(({ from }) => from);
  const index = by.to === undefined ? target(snapshot, by) : by.to === 'first' ? 0 : ids.length - 1;
  const key = listKey(currentScreen(snapshot));
  session.dispatch({ type: 'cursor', key, ids, index, height: ids.length });
  session.dispatch({ type: 'position', key: selectedArchiveKey(snapshot), index: 0, top: 0 });
}

function target(snapshot: Snapshot, by: { periods?: number; rows?: number; pages?: number }): number {
  const index = coverageCursor(snapshot);
  if (by.periods !== undefined) return index + by.periods;
  const rows = (by.rows ?? 0) + Math.round((by.pages ?? 0) * visibleCalendar(snapshot).height);
  return stepRows(snapshot, index, rows);
}

/** Selects the next archive of the period under the cursor. */
export function nextArchive(session: Session): void {
  const { ids, index } = archivesUnderCursor(session.snapshot());
  if (ids.length === 0) return;
  session.dispatch({
    type: 'position',
    key: selectedArchiveKey(session.snapshot()),
    index: (index + 1) % ids.length,
    top: 0,
  });
}

/** Opens the archive named below the calendar. */
export function openCovering(session: Session): void {
  const { ids, index } = archivesUnderCursor(session.snapshot());
  const subject = ids[index];
  if (subject !== undefined) session.dispatch({ type: 'open', screen: { name: 'archive', subject } });
}
