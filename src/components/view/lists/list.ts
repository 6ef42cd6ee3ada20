import type { ColumnShape } from '../../text/layout.ts';
import type { Span } from '../../text/line.ts';
import type { ListState, Screen, Snapshot, Sort } from '../types.ts';

export type SortValue = number | string | undefined;

/** A column of a list of `T`. */
export interface Column<T> extends ColumnShape {
  /** `columns` is the width of the cell, for a text that has a shorter form. */
  cell(record: T, snapshot: Snapshot, columns: number): Span | readonly Span[];
  value(record: T): SortValue;
}

/** Describes a table of records. */
export interface ListDefinition<T> {
  columns: readonly Column<T>[];
  records(snapshot: Snapshot, screen: Screen): readonly T[];
  id(record: T): string;
  /** The text that a filter searches. */
  search(record: T): string;
  sort: Sort;
}

/** A row, independent of the type of its record. */
export interface Row {
  id: string;
  /** The cell of a column that is `columns` wide. */
  cells(column: string, snapshot: Snapshot, columns?: number): readonly Span[];
}

/** A list, filtered and sorted, with the position of its cursor. */
export interface RowView {
  columns: readonly ColumnShape[];
  rows: readonly Row[];
  /** Number of rows without the filter. */
  total: number;
  index: number;
  sort: Sort;
  /** Number of selected rows, and how many of them the filter hides. */
  selected: number;
  hidden: number;
}

function compare(a: SortValue, b: SortValue, descending: boolean): number {
  // Rows without a value come last in both directions.
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const order =
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en');
  return descending ? -order : order;
}

function sorted<T>(definition: ListDefinition<T>, records: readonly T[], sort: Sort): readonly T[] {
  const column = definition.columns.find((candidate) => candidate.id === sort.column);
  if (!column) return records;
  return records.toSorted(
    (a, b) =>
      compare(column.value(a), column.value(b), sort.descending) ||
      compare(definition.id(a), definition.id(b), false),
  );
}

function filtered<T>(definition: ListDefinition<T>, records: readonly T[], filter: string): readonly T[] {
  const words = filter.toLowerCase().split(' ').filter(Boolean);
  if (words.length === 0) return records;
  return records.filter((record) => {
    const text = definition.search(record).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function rowOf<T>(definition: ListDefinition<T>, record: T): Row {
  return {
    id: definition.id(record),
    cells(id, snapshot, columns = Number.POSITIVE_INFINITY) {
      const shape = definition.columns.find((column) => column.id === id);
      const cell = shape?.cell(record, snapshot, columns) ?? [];
      return 'text' in cell ? [cell] : cell;
    },
  };
}

/** Index of the cursor: its row, or its last position if that row is gone. */
export function cursorIndex(ids: readonly string[], list: ListState): number {
  const found = list.cursor === undefined ? -1 : ids.indexOf(list.cursor);
  return found >= 0 ? found : Math.max(0, Math.min(list.index, ids.length - 1));
}

/** Creates the function that turns records and the state of a list into rows. It caches its last result. */
export function listOf<T>(
  definition: ListDefinition<T>,
): (snapshot: Snapshot, screen: Screen, list: ListState) => RowView {
  let cached: { records: readonly T[]; filter: string; sort: Sort; rows: readonly Row[] } | undefined;
  return (snapshot, screen, list) => {
    const records = definition.records(snapshot, screen);
    const sort = list.sort ?? definition.sort;
    if (cached?.records !== records || cached.filter !== list.filter || cached.sort !== sort) {
      const visibleRecords = sorted(definition, filtered(definition, records, list.filter), sort);
      cached = {
        records,
        filter: list.filter,
        sort,
        rows: visibleRecords.map((record) => rowOf(definition, record)),
      };
    }
    const { rows } = cached;
    const ids = rows.map((row) => row.id);
    const selected = records.reduce(
      (count, record) => count + Number(list.selected.has(definition.id(record))),
      0,
    );
    const visible = ids.reduce((count, id) => count + Number(list.selected.has(id)), 0);
    return {
      columns: definition.columns,
      rows,
      total: records.length,
      index: cursorIndex(ids, list),
      sort,
      selected,
      hidden: selected - visible,
    };
  };
}
