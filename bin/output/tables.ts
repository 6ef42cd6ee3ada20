import { wrap } from '../../src/components/text/text.ts';
import { sanitize, width } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';

export interface Column<Row> {
  title: string;
  cell: (row: Row) => string;
  right?: boolean;
  /** What a narrow terminal shows instead. */
  short?: (row: Row) => string;
  /** If it is still too narrow, columns are left out, the highest number first. Without one, a column stays. */
  rank?: number;
  /** The last column: its text continues on further lines, below its start. */
  wraps?: true;
}

/** Too little for a text that wraps: longer lines, which the terminal breaks, are easier to read. */
const LEAST_WRAPPED = 20;
const GAP = '  ';

/**
 * Formats rows under column heads, each column as wide as its widest cell. On a terminal of `columns` columns, lines become
 * short enough if the columns allow it; otherwise, as in a pipe, everything is shown.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminal: number | undefined = process.stdout.columns,
): string[] {
  const full = textsOf(rows, columns, false);
  if (terminal === undefined || widthOf(full) <= terminal) return linesOf(full, columns);
  const kept = [...columns];
  let texts = textsOf(rows, kept, true);
  while (leastWidth(texts, kept) > terminal) {
    const ranked = kept.filter(({ rank }) => rank !== undefined);
    const [next] = ranked.toSorted((a, b) => (b.rank as number) - (a.rank as number));
    if (!next) break;
    kept.splice(kept.indexOf(next), 1);
    texts = textsOf(rows, kept, true);
  }
  return linesOf(texts, kept, terminal);
}

/** Heads and cells. */
function textsOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[], short: boolean): string[][] {
  const cells = rows.map((row) =>
    columns.map((column) => sanitize(((short && column.short) || column.cell)(row))),
  );
  return [columns.map(({ title }) => title), ...cells];
}

function widthsOf(texts: readonly string[][]): number[] {
  return (texts[0] ?? []).map((_, at) => Math.max(...texts.map((line) => width(line[at] ?? ''))));
}

function widthOf(texts: readonly string[][]): number {
  const widths = widthsOf(texts);
  return widths.reduce((sum, one) => sum + one, 0) + GAP.length * (widths.length - 1);
}

/** The width once the last column is wrapped. */
function leastWidth<Row>(texts: readonly string[][], columns: readonly Column<Row>[]): number {
  if (!columns.at(-1)?.wraps) return widthOf(texts);
  return widthOf(texts) - (widthsOf(texts).at(-1) ?? 0) + LEAST_WRAPPED;
}

function linesOf<Row>(
  texts: readonly string[][],
  columns: readonly Column<Row>[],
  terminal = Number.POSITIVE_INFINITY,
): string[] {
  const widths = widthsOf(texts);
  const wraps = columns.at(-1)?.wraps === true;
  const start = widths.slice(0, -1).reduce((sum, one) => sum + one + GAP.length, 0);
  const room = wraps ? Math.max(LEAST_WRAPPED, terminal - start) : Number.POSITIVE_INFINITY;
  return texts.flatMap((line) => {
    const [first = '', ...more] = wrap(line.at(-1) ?? '', room);
    const padded = [...line.slice(0, -1), first].map((text, at) => {
      const space = ' '.repeat(Math.max(0, (widths[at] ?? 0) - width(text)));
      return columns[at]?.right ? space + text : text + space;
    });
    return [padded.join(GAP), ...more.map((text) => ' '.repeat(start) + text)].map((text) => text.trimEnd());
  });
}

/** A time in a column, to the second; `-` for none. */
export function stampCell(time: string | null): string {
  return time === null ? '-' : `${formatStamp(time)}Z`;
}

/** The day of a time in a narrow column. */
export function dayCell(time: string | null): string {
  return time === null ? '-' : formatStamp(time).slice(0, 10);
}
