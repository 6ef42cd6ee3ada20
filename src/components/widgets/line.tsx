import { Text } from 'ink';
import { memo, useContext } from 'react';
import { CHOSEN, LOOKS, NO_LOOK } from '../theme.ts';
import { toAscii } from '../view/sanitize.ts';
import { fitLine, joined } from '../view/text.ts';
import type { Glyphs, Line as LineOfSpans, Span } from '../view/types.ts';
import { ColorContext } from './color-context.ts';

export interface LineProps {
  spans: LineOfSpans;
  /** Exactly this many columns are drawn. */
  columns: number;
  glyphs: Glyphs;
  /** Drawn as the bar under the cursor. */
  chosen?: boolean;
}

/** Whether the terminal can be trusted with more than ASCII is told by the glyphs themselves. */
function shown(text: string, glyphs: Glyphs): string {
  return glyphs.more === '…' ? text : toAscii(text);
}

function Piece({ span, glyphs, chosen }: { span: Span; glyphs: Glyphs; chosen: boolean }) {
  const colored = useContext(ColorContext);
  const look = chosen ? CHOSEN : LOOKS[span.tone ?? 'plain'];
  const bold = span.bold ? true : look.bold;
  return <Text {...(colored ? { ...look, bold } : NO_LOOK)}>{shown(span.text, glyphs)}</Text>;
}

function DrawnLine({ spans, columns, glyphs, chosen = false }: LineProps) {
  const fitted = fitLine(spans, columns, glyphs.more);
  const pieces = chosen ? [{ text: fitted.map((span) => span.text).join('') }] : joined(fitted);
  return (
    <Text wrap="truncate">
      {pieces.map((span, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity beyond their place
        <Piece key={index} span={span} glyphs={glyphs} chosen={chosen} />
      ))}
    </Text>
  );
}

function sameSpan(a: Span, b: Span | undefined): boolean {
  return a.text === b?.text && a.tone === b.tone && a.bold === b.bold;
}

function sameLine(a: LineProps, b: LineProps): boolean {
  if (a.columns !== b.columns || a.glyphs !== b.glyphs || a.chosen !== b.chosen) return false;
  return a.spans.length === b.spans.length && a.spans.every((span, index) => sameSpan(span, b.spans[index]));
}

/** One line of the screen: the only way by which text reaches it, so nothing gets there unsanitized or too wide. */
export const Line = memo(DrawnLine, sameLine);
