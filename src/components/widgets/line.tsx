import { Text } from 'ink';
import { CHOSEN, LOOKS } from '../theme.ts';
import { toAscii } from '../view/sanitize.ts';
import { fitLine } from '../view/text.ts';
import type { Glyphs, Line as LineOfSpans, Span } from '../view/types.ts';

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
  const look = chosen ? CHOSEN : LOOKS[span.tone ?? 'plain'];
  return (
    <Text {...look} bold={(span.bold ?? false) || look.bold}>
      {shown(span.text, glyphs)}
    </Text>
  );
}

/** One line of the screen: the only way by which text reaches it, so nothing gets there unsanitized or too wide. */
export function Line({ spans, columns, glyphs, chosen = false }: LineProps) {
  const fitted = fitLine(spans, columns, glyphs.more);
  const pieces = chosen ? [{ text: fitted.map((span) => span.text).join('') }] : fitted;
  return (
    <Text wrap="truncate">
      {pieces.map((span, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity beyond their place
        <Piece key={index} span={span} glyphs={glyphs} chosen={chosen} />
      ))}
    </Text>
  );
}
