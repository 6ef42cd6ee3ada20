import type { Coverage, CoveragePeriod } from '../../../core/index.ts';
import { bodyHeight } from '../../text/layout.ts';
import { currentScreen, listKey, listStateAt } from '../lists/index.ts';
import { cursorIndex, NEW_LIST } from '../rows.ts';
import type { Loaded, Snapshot } from '../types.ts';

/** Lines above the calendar: the summary, the legend, the column numbers. */
const HEAD = 3;
/** Lines below it: a heading, the period under the cursor, its archive. */
const FOOT = 4;

export type Unit = Coverage['unit'];

/** Parses the subject of a coverage screen: `fractal_id/unit`. */
export function coverageSubject(subject = ''): { fractal_id: string; unit: Unit } {
  const [fractal_id = '', unit] = subject.split('/');
  return { fractal_id, unit: unit === 'hour' ? 'hour' : 'day' };
}

/** The coverage shown on the current screen. */
export function coverageAt(snapshot: Snapshot): Loaded<Coverage> | undefined {
  return snapshot.coverage.get(currentScreen(snapshot).subject ?? '');
}

/** Index of the period under the cursor; initially the last one. */
export function coverageCursor(snapshot: Snapshot): number {
  const periods = coverageAt(snapshot)?.value?.periods ?? [];
  const list = listStateAt(snapshot, currentScreen(snapshot));
  if (list.cursor === undefined) return periods.length - 1;
  return cursorIndex(
    periods.map(({ from }) => from),
    list,
  );
}

/** A line of the calendar: the days of a month, or the hours of a day. */
export interface CalendarRow {
  label: string;
  /** Index of the period in each column; undefined if there is none. */
  cells: (number | undefined)[];
}

const SHAPES: Record<Unit, { label: number; column: (from: string) => number; columns: number }> = {
  day: { label: 'yyyy-mm'.length, column: (from) => Number(from.slice(8, 10)) - 1, columns: 31 },
  hour: { label: 'yyyy-mm-dd'.length, column: (from) => Number(from.slice(11, 13)), columns: 24 },
};

/** The number of columns of the calendar, and the width of its labels. */
export function shapeOf(unit: Unit): { label: number; columns: number } {
  return SHAPES[unit];
}

let cached: { periods: readonly CoveragePeriod[]; rows: CalendarRow[]; rowOf: number[] } | undefined;

/** The lines of a calendar, and the line number of each period. Caches its last result. */
export function calendarOf({ unit, periods }: Coverage): { rows: CalendarRow[]; rowOf: number[] } {
  if (cached?.periods === periods) return cached;
  const { label: width, column, columns } = SHAPES[unit];
  const rows: CalendarRow[] = [];
  const rowOf = periods.map(({ from }, index) => {
    const label = from.slice(0, width);
    if (rows.at(-1)?.label !== label) rows.push({ label, cells: Array(columns).fill(undefined) });
    const row = rows.at(-1);
    if (row) row.cells[column(from)] = index;
    return rows.length - 1;
  });
  cached = { periods, rows, rowOf };
  return cached;
}

/** The visible lines of the calendar, around the cursor. */
export function visibleCalendar(snapshot: Snapshot): { top: number; height: number; rows: CalendarRow[] } {
  const height = Math.max(1, bodyHeight(snapshot) - HEAD - FOOT);
  const coverage = coverageAt(snapshot)?.value;
  if (!coverage) return { top: 0, height, rows: [] };
  const { rows, rowOf } = calendarOf(coverage);
  const at = rowOf[coverageCursor(snapshot)] ?? 0;
  const top = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height));
  return { top, height, rows: rows.slice(top, top + height) };
}

/** Index of the period `by` lines further, in the same column or the nearest one that has a period. */
export function stepRows(snapshot: Snapshot, index: number, by: number): number {
  const coverage = coverageAt(snapshot)?.value;
  if (!coverage) return index;
  const { rows, rowOf } = calendarOf(coverage);
  const from = rowOf[index] ?? 0;
  const row = rows[Math.max(0, Math.min(from + by, rows.length - 1))];
  const column = rows[from]?.cells.indexOf(index) ?? 0;
  const filled = (row?.cells ?? []).flatMap((cell, at) => (cell === undefined ? [] : [{ cell, at }]));
  const [nearest] = filled.toSorted((a, b) => Math.abs(a.at - column) - Math.abs(b.at - column));
  return nearest?.cell ?? index;
}

/** The key of the list state that stores the selected archive of a period. */
export function selectedArchiveKey(snapshot: Snapshot): string {
  return `${listKey(currentScreen(snapshot))}/archive`;
}

/** Archives of the period under the cursor, newest first, and the index of the selected one. */
export function archivesUnderCursor(snapshot: Snapshot): { ids: readonly string[]; index: number } {
  const covering = coverageAt(snapshot)?.value?.periods[coverageCursor(snapshot)]?.archive_ids ?? [];
  const createdAt = new Map(
    (snapshot.data.archives.value ?? []).map(({ id, created_at }) => [id, created_at]),
  );
  const ids = covering.toSorted((a, b) => ((createdAt.get(a) ?? '') < (createdAt.get(b) ?? '') ? 1 : -1));
  const { index } = snapshot.ui.lists[selectedArchiveKey(snapshot)] ?? NEW_LIST;
  return { ids, index: Math.min(index, Math.max(0, ids.length - 1)) };
}
