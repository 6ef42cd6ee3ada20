import type { Snapshot } from './types.ts';

/** The smallest terminal on which the console says something useful. */
export const LEAST = { columns: 60, rows: 14 };

/** Lines above and below the body: installation, tabs, title; flash, footer. */
const CHROME = 5;

export function isTooSmall({ columns, rows }: Pick<Snapshot, 'columns' | 'rows'>): boolean {
  return columns < LEAST.columns || rows < LEAST.rows;
}

/** Lines of the body. */
export function bodyHeight({ rows }: Pick<Snapshot, 'rows'>): number {
  return Math.max(1, rows - CHROME);
}

/** Rows of a table in the body, below its column titles. */
export function tableHeight(snapshot: Pick<Snapshot, 'rows'>): number {
  return Math.max(1, bodyHeight(snapshot) - 1);
}
