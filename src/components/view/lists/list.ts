import type { ColumnShape } from '../../text/layout.ts';
import type { Span } from '../../text/line.ts';
import { memo } from '../snapshot.ts';
import type { ListState, Screen, Snapshot, Sort } from '../types.ts';
import { applyFilter, type Found, isNarrower } from './filter.ts';
import { type SortValue, sortBy } from './order.ts';
import { chosenColumns, listWidth, shownColumns } from './shown.ts';
import { createTexts, spansOf } from './texts.ts';
import { currentReads, type Reads, trackReads } from './tracked.ts';

/** A column of a list of `T`. */
export interface Column<T> extends ColumnShape {
  /** `columns` is the width of the cell, for a text that has a shorter form. */
  cell(record: T, snapshot: Snapshot, columns: number): Span | readonly Span[];
  value(record: T, snapshot: Snapshot): SortValue;
}

/** Describes a table of records. */
export interface ListDefinition<T> {
  columns: readonly Column<T>[];
  records(snapshot: Snapshot, screen: Screen): readonly T[];
  id(record: T): string;
  sort: Sort;
}

/** A row, independent of the type of its record. */
export interface Row {
  id: string;
  record: object;
  /** The cell of a column that is `columns` wide. */
  cells(column: string, snapshot: Snapshot, columns?: number): readonly Span[];
}

/** A list, filtered and sorted, with the position of its cursor. */
export interface RowView {
  columns: readonly ColumnShape[];
  rows: readonly Row[];
  /** Ids of the rows, in their order. */
  ids: readonly string[];
  /** Number of rows without the filter. */
  total: number;
  index: number;
  sort: Sort;
  /** Number of selected rows, and how many of them the filter hides. */
  selected: number;
  hidden: number;
  /** See `Found`. */
  similar: boolean;
  problem?: string;
}

/** Changing data, such as the progress of jobs, is filtered only this often. */
const FILTER_MS = 1_000;

/** Sorts records; again only if something has changed that their values were made of. */
function createSorting<T extends object>({ columns }: ListDefinition<T>) {
  let last: { records: readonly T[]; sort: Sort; reads: Reads; sorted: readonly T[] } | undefined;
  return (records: readonly T[], sort: Sort, snapshot: Snapshot): readonly T[] => {
    const column = columns.find((candidate) => candidate.id === sort.column);
    if (!column) return records;
    if (last?.records === records && last.sort === sort && currentReads(snapshot)(last.reads))
      return last.sorted;
    const [sorted, reads] = trackReads(snapshot)((tracked) =>
      sortBy(records, (record) => column.value(record, tracked), sort.descending),
    );
    last = { records, sort, reads, sorted };
    return sorted;
  };
}

/** Filters sorted records; a filter that is extended looks only at the rows that the one before has found. */
function createFilter<T extends object>(texts: ReturnType<typeof createTexts<T>>) {
  let last:
    | (Found<T> & { of: readonly T[]; filter: string; columns: string; at: number; snapshot: Snapshot })
    | undefined;
  const sameData = (a: Snapshot, b: Snapshot) =>
    a.jobs === b.jobs && a.busy === b.busy && a.data.checks === b.data.checks;

  return (of: readonly T[], filter: string, shown: readonly Column<T>[], snapshot: Snapshot): Found<T> => {
    if (filter === '') return { records: of, similar: false };
    const columns = shown.map(({ id }) => id).join();
    const same = last?.of === of && last.columns === columns ? last : undefined;
    const limit = same && sameData(same.snapshot, snapshot) ? 60 * FILTER_MS : FILTER_MS;
    const recent = same && snapshot.now - same.at < limit ? same : undefined;
    if (recent?.filter === filter) return recent;
    const from = recent && !recent.similar && isNarrower(recent.filter, filter) ? recent.records : of;
    const textOf = texts(shown, snapshot);
    const narrowed = applyFilter(filter, from, textOf);
    // Rows that are similar are not among those that the filter before has found.
    const again = from !== of && narrowed.records.length === 0;
    const found = again ? applyFilter(filter, of, textOf) : narrowed;
    const { at, snapshot: since } = recent ?? { at: snapshot.now, snapshot };
    last = { ...found, of, filter, columns, at, snapshot: since };
    return last;
  };
}

/** A list: turns records and the state of the list into rows. */
export interface List {
  /** All columns, also those that were not chosen. */
  columns: readonly ColumnShape[];
  rows(snapshot: Snapshot, screen: Screen, list: ListState): RowView;
  /** Prepares the first filter of a long list for up to `limit_ms`; false if there is more to do. */
  prepare(snapshot: Snapshot, screen: Screen, limit_ms: number): boolean;
}

/** Prepares the texts of records, some at a time. */
function createPreparation<T extends object>(texts: ReturnType<typeof createTexts<T>>) {
  let prepared:
    | { records: readonly T[]; columns: readonly Column<T>[]; minute: number; next: number }
    | undefined;
  return (records: readonly T[], columns: readonly Column<T>[], snapshot: Snapshot, limit_ms: number) => {
    const minute = Math.floor(snapshot.now / 60_000);
    const same = prepared?.records === records && prepared.columns === columns && prepared.minute === minute;
    const state = same && prepared ? prepared : { records, columns, minute, next: 0 };
    prepared = state;
    const started = performance.now();
    const textOf = state.next < records.length ? texts(columns, snapshot) : undefined;
    while (textOf && state.next < records.length && performance.now() - started < limit_ms)
      for (const end = Math.min(records.length, state.next + 100); state.next < end; state.next++)
        textOf(records[state.next] as T);
    return state.next >= records.length;
  };
}

/** Creates a list. It does again only what has changed. */
export function listOf<T extends object>(definition: ListDefinition<T>): List {
  const texts = createTexts<T>();
  const sorting = createSorting(definition);
  const filtering = createFilter<T>(texts);
  const preparation = createPreparation<T>(texts);
  const made = new WeakMap<T, Row>();

  function rowOf(record: T): Row {
    const row = made.get(record) ?? {
      id: definition.id(record),
      record,
      cells(id: string, snapshot: Snapshot, columns?: number) {
        const column = definition.columns.find((one) => one.id === id);
        return column ? spansOf(column, record, snapshot, columns) : [];
      },
    };
    made.set(record, row);
    return row;
  }

  const rowsOf = memo((records: readonly T[]) => {
    const rows = records.map(rowOf);
    const ids = rows.map(({ id }) => id);
    return { rows, ids };
  });

  const idsOf = memo((records: readonly T[]) => records.map(definition.id));
  const cursorAt = memo((ids: readonly string[], cursor: string | undefined, index: number) =>
    cursorIndex(ids, { cursor, index }),
  );
  const selectedOf = memo(countSelected);
  const visibleSelectedOf = memo(countSelected);
  const chosenOf = memo((ids: readonly string[] | undefined) => chosenColumns(definition.columns, ids));
  const shownOf = memo((ids: readonly string[] | undefined, width: number) =>
    shownColumns(definition.columns, ids, width),
  );
  const shownAt = (snapshot: Snapshot, screen: Screen) =>
    shownOf(snapshot.ui.columns[screen.name], listWidth(snapshot, screen));

  return {
    columns: definition.columns,
    rows(snapshot, screen, list) {
      const records = definition.records(snapshot, screen);
      const sort = list.sort ?? definition.sort;
      const sorted = sorting(records, sort, snapshot);
      const found = filtering(sorted, list.filter, shownAt(snapshot, screen), snapshot);
      const { rows, ids } = rowsOf(found.records);
      const selected = selectedOf(list.selected, idsOf(records));
      return {
        columns: chosenOf(snapshot.ui.columns[screen.name]),
        rows,
        ids,
        total: records.length,
        index: cursorAt(ids, list.cursor, list.index),
        sort,
        selected,
        hidden: selected - visibleSelectedOf(list.selected, ids),
        similar: found.similar,
        ...(found.problem === undefined ? {} : { problem: found.problem }),
      };
    },
    prepare: (snapshot, screen, limit_ms) =>
      preparation(definition.records(snapshot, screen), shownAt(snapshot, screen), snapshot, limit_ms),
  };
}

function countSelected(selected: ReadonlySet<string>, ids: readonly string[]): number {
  return selected.size === 0 ? 0 : ids.reduce((count, id) => count + Number(selected.has(id)), 0);
}

/** Index of the cursor: its row, or its last position if that row is gone. */
export function cursorIndex(
  ids: readonly string[],
  { cursor, index }: Pick<ListState, 'cursor' | 'index'>,
): number {
  const found = cursor === undefined ? -1 : ids.indexOf(cursor);
  return found >= 0 ? found : Math.max(0, Math.min(index, ids.length - 1));
}
