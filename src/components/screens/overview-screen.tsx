import { bodyHeight, scrollTop } from '../text/layout.ts';
import type { Span } from '../text/line.ts';
import { Lines } from '../ui/line.tsx';
import { overviewCursor, overviewLines } from '../view/overview/index.ts';
import type { Snapshot } from '../view/types.ts';

/** Whether the data is safe, and what that is based on; the cursor moves over lines that lead somewhere. */
export function OverviewScreen({ snapshot }: { snapshot: Snapshot }) {
  const lines = overviewLines(snapshot);
  const { line } = overviewCursor(snapshot, lines);
  const height = bodyHeight(snapshot);
  const top = scrollTop(0, line, height, lines.length);
  const { symbols } = snapshot;
  const mark = { text: symbols.cursor, tone: 'accent' } as const;
  return (
    <Lines
      lines={lines.map(({ spans }, index) => (index === line ? withMark(spans, mark) : spans))}
      top={top}
      columns={snapshot.columns}
      height={height}
      symbols={symbols}
      cursor={{ from: line - top, to: line - top + 1 }}
    />
  );
}

/** Every line begins with a space, which the mark of the cursor replaces. */
function withMark([first, ...rest]: readonly Span[], mark: Span): Span[] {
  return [mark, ...(first ? [{ ...first, text: first.text.slice(1) }] : []), ...rest];
}
