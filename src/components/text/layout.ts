import type { Snapshot } from '../view/types.ts';

/** The smallest usable terminal. */
export const MIN_SIZE = { columns: 60, rows: 14 };

/** Lines above and below the body: installation, tabs, title; status, footer. */
const CHROME = 5;

export function isTooSmall({ columns, rows }: Pick<Snapshot, 'columns' | 'rows'>): boolean {
  return columns < MIN_SIZE.columns || rows < MIN_SIZE.rows;
}

/** Lines available to the body. */
export function bodyHeight({ rows }: Pick<Snapshot, 'rows'>): number {
  return Math.max(1, rows - CHROME);
}

/** Rows of a table that fit into the body, below the column titles. */
export function tableHeight(snapshot: Pick<Snapshot, 'rows'>): number {
  return Math.max(1, bodyHeight(snapshot) - 1);
}
