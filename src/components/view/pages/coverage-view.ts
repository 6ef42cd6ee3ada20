import type { Coverage, CoveragePeriod } from '../../../core/index.ts';
import { bodyHeight } from '../layout.ts';
import { listKey, listStateAt, placeOf } from '../lists/index.ts';
import { cursorIndex, NEW_LIST } from '../rows.ts';
import type { Loaded, Snapshot } from '../types.ts';

/** Lines above the calendar: what it comes to, the legend, the numbers of its columns. */
const HEAD = 3;
/** Lines below it: a rule, the period under the cursor, its archive. */
const FOOT = 4;

export type Unit = Coverage['unit'];

/** What the subject of a timeline's place names. */
export function coverageSubject(subject = ''): { fractal_id: string; unit: Unit } {
  const [fractal_id = '', unit] = subject.split('/');
  return { fractal_id, unit: unit === 'hour' ? 'hour' : 'day' };
}

/** What is known for the place the user is at. */
export function coverageAt(snapshot: Snapshot): Loaded<Coverage> | undefined {
  return snapshot.coverage.get(placeOf(snapshot).subject ?? '');
}

/** Index of the period under the cursor: the last one as long as nobody moved. */
export function coverageCursor(snapshot: Snapshot): number {
  const periods = coverageAt(snapshot)?.value?.periods ?? [];
  const list = listStateAt(snapshot, placeOf(snapshot));
  if (list.cursor === undefined) return periods.length - 1;
  return cursorIndex(
    periods.map(({ from }) => from),
    list,
  );
}

/** A line of the calendar: a month of days, or a day of hours. */
export interface CalendarRow {
  label: string;
  /** Index of the period of each column; undefined where there is none. */
  cells: (number | undefined)[];
}

const SHAPES: Record<Unit, { label: number; column: (from: string) => number; columns: number }> = {
  day: { label: 'yyyy-mm'.length, column: (from) => Number(from.slice(8, 10)) - 1, columns: 31 },
  hour: { label: 'yyyy-mm-dd'.length, column: (from) => Number(from.slice(11, 13)), columns: 24 },
};

/** How many columns the calendar has, and how its lines are called. */
export function shapeOf(unit: Unit): { label: number; columns: number } {
  return SHAPES[unit];
}

let known: { periods: readonly CoveragePeriod[]; rows: CalendarRow[]; rowOf: number[] } | undefined;

/** The lines of a calendar, and which of them each period is on. The last answer is kept. */
export function calendarOf({ unit, periods }: Coverage): { rows: CalendarRow[]; rowOf: number[] } {
  if (known?.periods === periods) return known;
  const { label: width, column, columns } = SHAPES[unit];
  const rows: CalendarRow[] = [];
  const rowOf = periods.map(({ from }, index) => {
    const label = from.slice(0, width);
    if (rows.at(-1)?.label !== label) rows.push({ label, cells: Array(columns).fill(undefined) });
    const row = rows.at(-1);
    if (row) row.cells[column(from)] = index;
    return rows.length - 1;
  });
  known = { periods, rows, rowOf };
  return known;
}

/** The window of the calendar that fits, with the line of the cursor in it. */
export function gridOf(snapshot: Snapshot): { top: number; height: number; rows: CalendarRow[] } {
  const height = Math.max(1, bodyHeight(snapshot) - HEAD - FOOT);
  const coverage = coverageAt(snapshot)?.value;
  if (!coverage) return { top: 0, height, rows: [] };
  const { rows, rowOf } = calendarOf(coverage);
  const at = rowOf[coverageCursor(snapshot)] ?? 0;
  const top = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height));
  return { top, height, rows: rows.slice(top, top + height) };
}

/** Index of the period so many lines further, in the same column or the next to it that has one. */
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

/** Under what name it is kept which archive of a period is chosen. */
export function pickKey(snapshot: Snapshot): string {
  return `${listKey(placeOf(snapshot))}/archive`;
}

/** Archives of the period under the cursor, the newest first, and the chosen one. */
export function archivesUnderCursor(snapshot: Snapshot): { ids: readonly string[]; index: number } {
  const held = coverageAt(snapshot)?.value?.periods[coverageCursor(snapshot)]?.archive_ids ?? [];
  const made = new Map((snapshot.data.archives.value ?? []).map(({ id, created_at }) => [id, created_at]));
  const ids = held.toSorted((a, b) => ((made.get(a) ?? '') < (made.get(b) ?? '') ? 1 : -1));
  const { index } = snapshot.ui.lists[pickKey(snapshot)] ?? NEW_LIST;
  return { ids, index: Math.min(index, Math.max(0, ids.length - 1)) };
}
