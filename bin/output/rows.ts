import type { Row } from '../../src/core/text/rows.ts';
import { sanitize, width } from '../../src/core/text/sanitize.ts';

/** One row; for plans that this program describes itself. */
export function row(label: string, value: string): Row {
  return { label, value };
}

/** Rows of a plan or a summary, one line each: labels as wide as the widest of them. */
export function rowLines(rows: readonly Row[]): string[] {
  const widest = Math.max(0, ...rows.map(({ label }) => width(label)));
  return rows.map(({ label, value }) => `${label}${' '.repeat(widest - width(label))}  ${sanitize(value)}`);
}
