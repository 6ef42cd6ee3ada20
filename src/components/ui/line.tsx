import { Text } from 'ink';
import { memo, useContext } from 'react';
import { toAscii } from '../../core/text/sanitize.ts';
import { fitLine, mergeSpans } from '../text/text.ts';
import type { Line as LineOfSpans, Span, Symbols } from '../view/types.ts';
import { ColorContext } from './color-context.ts';
import { HIGHLIGHT, NO_STYLE, STYLES } from './theme.ts';

export interface LineProps {
  spans: LineOfSpans;
  /** The exact width of the drawn line. */
  columns: number;
  symbols: Symbols;
  /** Drawn as the cursor row. */
  highlighted?: boolean;
}

function encode(text: string, symbols: Symbols): string {
  return symbols.ellipsis === '…' ? text : toAscii(text);
}

function Piece({ span, symbols, highlighted }: { span: Span; symbols: Symbols; highlighted: boolean }) {
  const colored = useContext(ColorContext);
  const style = highlighted ? HIGHLIGHT : STYLES[span.tone ?? 'plain'];
  const bold = span.bold ? true : style.bold;
  return <Text {...(colored ? { ...style, bold } : NO_STYLE)}>{encode(span.text, symbols)}</Text>;
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
