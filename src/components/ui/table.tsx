import { Box } from 'ink';
import {
  type ColumnShape,
  layOutColumns,
  type SizedColumn,
  scrollTop,
  TABLE_MARGINS,
} from '../text/layout.ts';
import { fitLine, type Line as LineOfSpans, lineWidth, moreMark, type Span, withMark } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import type { RowView } from '../view/lists/list.ts';
import type { ListState, Snapshot } from '../view/types.ts';
import { Line, Lines } from './line.tsx';

export interface TableProps {
  view: RowView;
  list: ListState;
  snapshot: Snapshot;
  /** Rows below the column titles. */
  height: number;
  /** Shown if there are no rows. */
  empty: readonly LineOfSpans[];
}

const GAP: Span = { text: '  ' };

function cell(spans: readonly Span[], { shape, width }: SizedColumn<ColumnShape>, symbols: Symbols): Span[] {
  if (shape.align !== 'right') return fitLine(spans, width, symbols.ellipsis);
  const space = Math.max(0, width - lineWidth(spans));
  return [{ text: ' '.repeat(space) }, ...fitLine(spans, width - space, symbols.ellipsis)];
}

function titles(columns: readonly SizedColumn<ColumnShape>[], view: RowView, symbols: Symbols): LineOfSpans {
  const spans = columns.flatMap((column) => {
    const sorted = column.shape.id === view.sort.column;
    const text = sorted
      ? `${column.shape.title}${view.sort.descending ? symbols.down : symbols.up}`
      : column.shape.title;
    return [GAP, ...cell([{ text, tone: sorted ? 'info' : 'dim', bold: sorted }], column, symbols)];
  });
  return spans;
}

/** A table: column titles and the visible rows, with cursor and selection marks at their left. */
export function Table({ view, list, snapshot, height, empty }: TableProps) {
  const { columns: width, symbols } = snapshot;
  const columns = layOutColumns(view.columns, width - TABLE_MARGINS);
  const top = scrollTop(list.top, view.index, height, view.rows.length);
  const shown = view.rows.slice(top, top + height);
  const window = { top, height, count: view.rows.length };
  if (shown.length === 0)
    return <Lines lines={empty} columns={width} height={height + 1} symbols={symbols} />;
  return (
    <Box flexDirection="column" height={height + 1} width={width}>
      <Line spans={titles(columns, view, symbols)} columns={width} symbols={symbols} />
      {shown.map((row, index) => {
        const highlighted = top + index === view.index;
        const gutter: Span = {
          text: (highlighted ? symbols.cursor : ' ') + (list.selected.has(row.id) ? symbols.selected : ' '),
          tone: 'warn',
        };
        const spans = columns.flatMap((column, at) => [
          at === 0 ? gutter : GAP,
          ...cell(row.cells(column.shape.id, snapshot, column.width), column, symbols),
        ]);
        return (
          <Line
            key={row.id}
            spans={withMark(spans, moreMark(index, window, symbols), width, symbols.ellipsis)}
            columns={width}
            symbols={symbols}
            highlighted={highlighted}
          />
        );
      })}
    </Box>
  );
}
