import type { ColumnShape } from './columns.ts';
import type { ListState, Place, Snapshot, Sort, Span } from './types.ts';

export type SortValue = number | string | undefined;

/** A column of a list of `T`. */
export interface Column<T> extends ColumnShape {
  cell(record: T, snapshot: Snapshot): Span | readonly Span[];
  value(record: T): SortValue;
}

/** What makes a table of records. */
export interface ListDefinition<T> {
  columns: readonly Column<T>[];
  records(snapshot: Snapshot, place: Place): readonly T[];
  id(record: T): string;
  /** What a filter looks at. */
  search(record: T): string;
  sort: Sort;
}

/** A row, with its record's type forgotten. */
export interface Row {
  id: string;
  cells(column: string, snapshot: Snapshot): readonly Span[];
}

/** A list as it stands: filtered, sorted, with the cursor found. */
export interface RowView {
  columns: readonly ColumnShape[];
  rows: readonly Row[];
  /** How many there are without the filter. */
  total: number;
  index: number;
  sort: Sort;
  /** Marked rows, and how many of them the filter hides. */
  marked: number;
  hidden: number;
}

export const NEW_LIST: ListState = { index: 0, top: 0, filter: '', marks: new Set() };

function compare(a: SortValue, b: SortValue, descending: boolean): number {
  // What has no value comes last, whichever way the rest runs.
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
    cells(id, snapshot) {
      const made = definition.columns.find((column) => column.id === id)?.cell(record, snapshot) ?? [];
      return 'text' in made ? [made] : made;
    },
  };
}

/** Where the cursor is: on its row, or, when that has gone, where it was. */
export function cursorIndex(ids: readonly string[], list: ListState): number {
  const found = list.cursor === undefined ? -1 : ids.indexOf(list.cursor);
  return found >= 0 ? found : Math.max(0, Math.min(list.index, ids.length - 1));
}

/** Makes the function that turns records and a list's state into rows; the last answer is kept. */
export function listOf<T>(
  definition: ListDefinition<T>,
): (snapshot: Snapshot, place: Place, list: ListState) => RowView {
  let known: { records: readonly T[]; filter: string; sort: Sort; rows: readonly Row[] } | undefined;
  return (snapshot, place, list) => {
    const records = definition.records(snapshot, place);
    const sort = list.sort ?? definition.sort;
    if (known?.records !== records || known.filter !== list.filter || known.sort !== sort) {
      const chosen = sorted(definition, filtered(definition, records, list.filter), sort);
      known = { records, filter: list.filter, sort, rows: chosen.map((record) => rowOf(definition, record)) };
    }
    const { rows } = known;
    const ids = rows.map((row) => row.id);
    const marked = records.reduce(
      (count, record) => count + Number(list.marks.has(definition.id(record))),
      0,
    );
    const seen = ids.reduce((count, id) => count + Number(list.marks.has(id)), 0);
    return {
      columns: definition.columns,
      rows,
      total: records.length,
      index: cursorIndex(ids, list),
      sort,
      marked,
      hidden: marked - seen,
    };
  };
}
