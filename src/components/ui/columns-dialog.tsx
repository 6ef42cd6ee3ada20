import { scrollTop } from '../text/layout.ts';
import type { Line, Span } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import type { ColumnChoice } from '../view/columns.ts';
import { Frame } from './dialog.tsx';

export interface ColumnsDialogProps {
  choices: readonly ColumnChoice[];
  /** Index of the column under the cursor. */
  index: number;
  columns: number;
  height: number;
  symbols: Symbols;
}

const WIDE = 44;
/** Lines of the frame, and of the explanation. */
const FRAME = 2;
const HEAD = 1;

/** The dialog that shows and hides the columns of a list. */
export function ColumnsDialog({ choices, index, columns, height, symbols }: ColumnsDialogProps) {
  const rows = Math.max(1, Math.min(choices.length, height - FRAME - HEAD));
  const top = scrollTop(0, index, rows, choices.length);
  const lines = choices.slice(top, top + rows).map(({ title, chosen, visible }, at) => {
    const highlighted = top + at === index;
    const spans: Span[] = [
      { text: highlighted ? symbols.cursor : ' ' },
      { text: chosen ? `[${symbols.ok}] ` : '[ ] ', tone: chosen ? 'good' : 'dim' },
      { text: title, bold: true },
      { text: chosen && !visible ? '  no room here' : '', tone: 'warn' },
    ];
    return { spans, highlighted };
  });
  const head: Line = [{ text: ' If not all fit, some are left out.', tone: 'dim' }];
  return (
    <Frame
      columns={columns}
      height={height}
      lines={[{ spans: head }, ...lines]}
      title="Columns"
      tone="info"
      symbols={symbols}
      maxWidth={WIDE}
    />
  );
}
