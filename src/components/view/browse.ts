import { hardWrap } from '../../core/text/hard-wrap.ts';
import { scrollTop, tableHeight } from '../text/layout.ts';
import { currentScreen, listStateAt } from './snapshot.ts';
import type { BrowseState, RowLine, Screen, Snapshot } from './types.ts';

/** Rows read at a time. */
export const CHUNK_ROWS = 32;

/** Numbers of the chunks that contain the rows from `from` up to, but not including, `to`. */
export function chunksOf(from: number, to: number): number[] {
  const first = Math.floor(Math.max(0, from) / CHUNK_ROWS);
  const count = Math.ceil(Math.max(0, to) / CHUNK_ROWS) - first;
  return Array.from({ length: Math.max(0, count) }, (_, index) => first + index);
}

/** The visible window of rows, and the row under the cursor. */
export interface RowsView {
  index: number;
  top: number;
  /** Rows that fit. */
  height: number;
  /** Rows the cursor can move to. */
  count: number;
  /** Columns of the lines that are scrolled out at the left. */
  left: number;
}

/** The open screen of rows; it stays open below the page of a single row. */
export function rowsScreen({ ui }: Pick<Snapshot, 'ui'>): Screen | undefined {
  return ui.stack.find((screen) => screen.name === 'rows');
}

/** The visible rows of the open archive; undefined if none is open. */
export function rowsView(snapshot: Snapshot): RowsView | undefined {
  const screen = rowsScreen(snapshot);
  if (!screen || !snapshot.browse) return undefined;
  const list = listStateAt(snapshot, screen);
  const height = tableHeight(snapshot);
  const count = snapshot.browse.rows;
  const index = Math.max(0, Math.min(list.index, count - 1));
  if (snapshot.settings.wrap) return { index, count, left: 0, ...wrappedWindow(snapshot, list.top, index) };
  return { index, top: scrollTop(list.top, index, height, count), height, count, left: list.left };
}

/** The rows that fit if their lines are wrapped: scrolled as little as possible to show row `index`. */
function wrappedWindow(snapshot: Snapshot, from: number, index: number): { top: number; height: number } {
  const { browse } = snapshot;
  const room = tableHeight(snapshot);
  const linesOf = (row: number) => wrappedRow(browse && rowAt(browse, row), snapshot).length;
  let top = index;
  for (let lines = linesOf(index); top > Math.min(from, index); top--) {
    lines += linesOf(top - 1);
    if (lines > room) break;
  }
  let height = 0;
  const rows = browse?.rows ?? 0;
  for (let lines = 0; height < room && top + height < Math.max(1, rows); height++) {
    lines += linesOf(top + height);
    if (lines > room) break;
  }
  return { top, height: Math.max(1, height) };
}

const WIDE = 110;
const TIME = 'YYYY-MM-DD HH:MM:SS.mmm'.length;

/** Columns of the time of a row: without the year on a narrow terminal. */
export function timeColumns({ columns }: Pick<Snapshot, 'columns'>): number {
  return columns < WIDE ? TIME - 5 : TIME;
}

/** Columns for the line of a row, next to its time. */
export function lineColumns(snapshot: Pick<Snapshot, 'columns'>): number {
  return snapshot.columns - ROW_MARGIN.length * 2 - timeColumns(snapshot);
}

/** Before the time of a row, and before its line. */
export const ROW_MARGIN = '  ';

const wrapped = new WeakMap<RowLine, { columns: number; pieces: readonly string[] }>();

/** The line of a row in pieces that fit next to its time; at most a screen of them, and one if it is not loaded. */
export function wrappedRow(row: RowAt, snapshot: Pick<Snapshot, 'columns' | 'rows'>): readonly string[] {
  if (!row || !('line' in row)) return [''];
  const columns = lineColumns(snapshot);
  const known = wrapped.get(row);
  const pieces = known?.columns === columns ? known.pieces : hardWrap(row.line, columns);
  wrapped.set(row, { columns, pieces });
  return pieces.slice(0, tableHeight(snapshot));
}

/** A row, or the reason it cannot be read; undefined while it is loading. */
export type RowAt = RowLine | { message: string } | undefined;

/** A row; of the last match, the part of its line that contains it. */
export function rowAt(browse: BrowseState, index: number): RowAt {
  return browse.found?.index === index ? browse.found : rowLine(browse, index);
}

export function rowLine({ chunks }: BrowseState, index: number): RowAt {
  const chunk = chunks.get(Math.floor(index / CHUNK_ROWS));
  if (chunk && 'code' in chunk) return chunk;
  return chunk?.[index % CHUNK_ROWS];
}

/** Index of the row under the cursor, in the list or on its own page. */
export function rowAtCursor(snapshot: Snapshot): number | undefined {
  const view = rowsView(snapshot);
  const { name } = currentScreen(snapshot);
  return view && view.count > 0 && (name === 'rows' || name === 'row') ? view.index : undefined;
}

/** Place of the first of `total` ascending rows that is not before `index`; `total` if there is none. */
export function matchAt(rows: readonly number[], total: number, index: number): number {
  let [low, high] = [0, total];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as number) < index) low = middle + 1;
    else high = middle;
  }
  return low;
}
