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
  height: number;
  /** Rows the cursor can move to. */
  count: number;
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
  return { index, top: scrollTop(list.top, index, height, count), height, count };
}

/** A row, or the reason it cannot be read; undefined while it is loading. */
export function rowLine({ chunks }: BrowseState, index: number): RowLine | { message: string } | undefined {
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
