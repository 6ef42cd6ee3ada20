import { scrollTop } from './columns.ts';
import type { BrowseState, RowLine } from './file-types.ts';
import { tableHeight } from './layout.ts';
import { listStateAt, placeOf } from './lists/index.ts';
import type { Place, Snapshot } from './types.ts';

/** Rows that are read at a time. */
export const CHUNK_ROWS = 32;

/** The chunks that hold rows `from … to`. */
export function chunksOf(from: number, to: number): number[] {
  const first = Math.floor(Math.max(0, from) / CHUNK_ROWS);
  const count = Math.ceil(Math.max(0, to) / CHUNK_ROWS) - first;
  return Array.from({ length: Math.max(0, count) }, (_, index) => first + index);
}

/** The rows on the screen, and the one under the cursor. */
export interface RowsView {
  index: number;
  top: number;
  height: number;
  /** Rows that can be moved to. */
  count: number;
}

/** The place whose rows are shown: below the page of a single row, too. */
export function rowsPlace({ ui }: Pick<Snapshot, 'ui'>): Place | undefined {
  return ui.stack.find((place) => place.name === 'rows');
}

/** What of an archive's rows is to be seen; undefined where no archive is open. */
export function rowsView(snapshot: Snapshot): RowsView | undefined {
  const place = rowsPlace(snapshot);
  if (!place || !snapshot.browse) return undefined;
  const list = listStateAt(snapshot, place);
  const height = tableHeight(snapshot);
  const count = snapshot.browse.rows;
  const index = Math.max(0, Math.min(list.index, count - 1));
  return { index, top: scrollTop(list.top, index, height, count), height, count };
}

/** A row, or why it cannot be read; undefined while it is being read. */
export function rowLine({ chunks }: BrowseState, index: number): RowLine | { message: string } | undefined {
  const chunk = chunks.get(Math.floor(index / CHUNK_ROWS));
  if (chunk && 'code' in chunk) return chunk;
  return chunk?.[index % CHUNK_ROWS];
}

/** Number of the row under the cursor, on the list or on the row's own page. */
export function rowAtCursor(snapshot: Snapshot): number | undefined {
  const view = rowsView(snapshot);
  const { name } = placeOf(snapshot);
  return view && view.count > 0 && (name === 'rows' || name === 'row') ? view.index : undefined;
}
