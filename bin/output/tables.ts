import { sanitize, width } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';

interface Column<Row> {
  title: string;
  cell: (row: Row) => string;
  right?: boolean;
}

/** Formats rows under column heads, each column as wide as its widest cell. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) => columns.map(({ cell }) => sanitize(cell(row))));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at] ?? ''))));
  return lines.map((line) =>
    line
      .map((text, at) => {
        const space = ' '.repeat(Math.max(0, (widths[at] ?? 0) - width(text)));
        return columns[at]?.right ? space + text : text + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A time in a column, to the second; `-` for none. */
export function stampCell(time: string | null): string {
  return time === null ? '-' : `${formatStamp(time)}Z`;
}
