import { Box } from 'ink';
import { type ColumnShape, type PlacedColumn, placeColumns, scrollTop } from '../view/columns.ts';
import type { RowView } from '../view/rows.ts';
import { fitLine, lineWidth } from '../view/text.ts';
import type { Glyphs, Line as LineOfSpans, ListState, Snapshot, Span } from '../view/types.ts';
import { Line } from './line.tsx';
import { Lines } from './lines.tsx';

export interface TableProps {
  view: RowView;
  list: ListState;
  snapshot: Snapshot;
  /** Rows below the column titles. */
  height: number;
  /** Shown in place of rows where there are none. */
  empty: readonly LineOfSpans[];
}

/** Columns left for cursor and mark, and for air at the right. */
const MARGINS = 3;
const GAP: Span = { text: '  ' };

function cell(spans: readonly Span[], { shape, width }: PlacedColumn<ColumnShape>, glyphs: Glyphs): Span[] {
  if (shape.align !== 'right') return fitLine(spans, width, glyphs.more);
  const space = Math.max(0, width - lineWidth(spans));
  return [{ text: ' '.repeat(space) }, ...fitLine(spans, width - space, glyphs.more)];
}

function titles(columns: readonly PlacedColumn<ColumnShape>[], view: RowView, glyphs: Glyphs): LineOfSpans {
  const spans = columns.flatMap((column) => {
    const sorted = column.shape.id === view.sort.column;
    const text = sorted
      ? `${column.shape.title}${view.sort.descending ? glyphs.down : glyphs.up}`
      : column.shape.title;
    return [GAP, ...cell([{ text, tone: sorted ? 'info' : 'dim', bold: sorted }], column, glyphs)];
  });
  return spans;
}

/** A table: the window of its rows that fits, column titles above. Cursor and marks stand left of the rows. */
export function Table({ view, list, snapshot, height, empty }: TableProps) {
  const { columns: width, glyphs } = snapshot;
  const columns = placeColumns(view.columns, width - MARGINS);
  const top = scrollTop(list.top, view.index, height, view.rows.length);
  const shown = view.rows.slice(top, top + height);
  if (shown.length === 0) return <Lines lines={empty} columns={width} height={height + 1} glyphs={glyphs} />;
  return (
    <Box flexDirection="column" height={height + 1} width={width}>
      <Line spans={titles(columns, view, glyphs)} columns={width} glyphs={glyphs} />
      {shown.map((row, index) => {
        const chosen = top + index === view.index;
        const gutter: Span = {
          text: (chosen ? glyphs.cursor : ' ') + (list.marks.has(row.id) ? glyphs.mark : ' '),
          tone: 'warn',
        };
        const spans = columns.flatMap((column, at) => [
          at === 0 ? gutter : GAP,
          ...cell(row.cells(column.shape.id, snapshot), column, glyphs),
        ]);
        return <Line key={row.id} spans={spans} columns={width} glyphs={glyphs} chosen={chosen} />;
      })}
    </Box>
  );
}
