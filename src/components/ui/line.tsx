import { Box, Text } from 'ink';
import { memo, useContext } from 'react';
import { toAscii } from '../../core/text/sanitize.ts';
import {
  type CursorLines,
  fitLine,
  type Line as LineOfSpans,
  mergeSpans,
  moreMark,
  type Span,
  withMark,
} from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { ThemeContext } from './theme.ts';

export interface LineProps {
  spans: LineOfSpans;
  /** The exact width of the drawn line. */
  columns: number;
  symbols: Symbols;
  /** Drawn as the cursor row. */
  highlighted?: boolean;
}

function encode(text: string, symbols: Symbols): string {
  return symbols.ellipsis === '…' ? text : toAscii(text.replaceAll('…', symbols.ellipsis));
}

function Piece({ span, symbols, highlighted }: { span: Span; symbols: Symbols; highlighted: boolean }) {
  const { styles, highlight } = useContext(ThemeContext);
  const style = highlighted ? highlight : styles[span.tone ?? 'plain'];
  return (
    <Text {...style} bold={span.bold ? true : style.bold}>
      {encode(span.text, symbols)}
    </Text>
  );
}

function DrawnLine({ spans, columns, symbols, highlighted = false }: LineProps) {
  const fitted = fitLine(spans, columns, symbols.ellipsis);
  const pieces = highlighted ? [{ text: fitted.map((span) => span.text).join('') }] : mergeSpans(fitted);
  return (
    <Text wrap="truncate">
      {pieces.map((span, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces are identified by their position
        <Piece key={index} span={span} symbols={symbols} highlighted={highlighted} />
      ))}
    </Text>
  );
}

function sameSpan(a: Span, b: Span | undefined): boolean {
  return a.text === b?.text && a.tone === b.tone && a.bold === b.bold;
}

function sameLine(a: LineProps, b: LineProps): boolean {
  if (a.columns !== b.columns || a.symbols !== b.symbols || a.highlighted !== b.highlighted) return false;
  return a.spans.length === b.spans.length && a.spans.every((span, index) => sameSpan(span, b.spans[index]));
}

/** One line of the screen. All text is drawn through it, so that everything is sanitized and fits. */
export const Line = memo(DrawnLine, sameLine);

export interface LinesProps {
  lines: readonly LineOfSpans[];
  /** Index of the first visible line. */
  top?: number;
  columns: number;
  height: number;
  symbols: Symbols;
  /** Lines under the cursor, relative to the first visible line. */
  cursor?: CursorLines;
}

/** A window of `height` lines, padded with empty ones. Marks show that there are more above or below. */
export function Lines({ lines, top = 0, columns, height, symbols, cursor }: LinesProps) {
  const first = Math.max(0, Math.min(top, lines.length - height));
  const shown = { top: first, height, count: lines.length };
  const spansAt = (index: number) => {
    const mark = moreMark(index, shown, symbols);
    const line = lines[first + index] ?? [];
    return mark === '' ? line : withMark(line, mark, columns, symbols.ellipsis);
  };
  return (
    <Box flexDirection="column" height={height} width={columns}>
      {Array.from({ length: height }, (_, index) => (
        <Line
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are identified by their position
          key={index}
          spans={spansAt(index)}
          columns={columns}
          symbols={symbols}
          highlighted={cursor !== undefined && index >= cursor.from && index < cursor.to}
        />
      ))}
    </Box>
  );
}
