import { Box } from 'ink';
import { sanitize, width } from '../view/sanitize.ts';
import { fitLine, wrap } from '../view/text.ts';
import type { DialogState, Glyphs, Line as LineOfSpans, Span, Tone } from '../view/types.ts';
import { Line } from './line.tsx';

interface FrameProps {
  /** Columns and lines of the area that the box is centred in. */
  columns: number;
  height: number;
  lines: readonly { spans: LineOfSpans; chosen?: boolean }[];
  title: string;
  tone: Tone;
  glyphs: Glyphs;
  wide: number;
}

/** A box over what is shown. */
export function Frame({
  columns,
  height,
  lines,
  title,
  tone,
  glyphs: { box, more },
  glyphs,
  wide,
}: FrameProps) {
  const inner = Math.min(wide, columns - 8);
  const head = fitLine([{ text: ` ${title} ` }], Math.min(width(sanitize(title)) + 2, inner), more);
  const rule = (count: number): Span => ({ text: box.h.repeat(Math.max(0, count)), tone });
  const top = [{ text: box.tl + box.h, tone }, ...head.map((span) => ({ ...span, tone, bold: true }))];
  const used = head.reduce((sum, span) => sum + width(span.text), 0);
  const side: Span = { text: `${box.v} `, tone };
  const left = Math.max(0, Math.floor((columns - inner - 4) / 2));
  return (
    <Box
      position="absolute"
      left={left}
      top={Math.max(0, Math.floor((height - lines.length - 2) / 3))}
      flexDirection="column"
    >
      <Line
        spans={[...top, rule(inner + 1 - used), { text: box.tr, tone }]}
        columns={inner + 4}
        glyphs={glyphs}
      />
      {lines.map(({ spans, chosen }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the box
        <Box key={index}>
          <Line spans={[side]} columns={2} glyphs={glyphs} />
          <Line spans={spans} columns={inner} glyphs={glyphs} chosen={chosen ?? false} />
          <Line spans={[{ text: ` ${box.v}`, tone }]} columns={2} glyphs={glyphs} />
        </Box>
      ))}
      <Line
        spans={[{ text: box.bl, tone }, rule(inner + 2), { text: box.br, tone }]}
        columns={inner + 4}
        glyphs={glyphs}
      />
    </Box>
  );
}

export interface DialogProps {
  dialog: DialogState;
  columns: number;
  height: number;
  glyphs: Glyphs;
}

const WIDE = 58;

/** A question. What Enter does is drawn as chosen; all else has a key of its own. */
export function Dialog({ dialog, columns, height, glyphs }: DialogProps) {
  const inner = Math.min(WIDE, columns - 8);
  const text = dialog.lines.flatMap((line) => wrap(line, inner)).map((line) => ({ spans: [{ text: line }] }));
  const options = dialog.options.map((option, index) => ({
    spans: [
      { text: ` ${option.key} `, tone: option.safe ? 'info' : 'warn', bold: true } as const,
      { text: ` ${option.label}` },
    ],
    chosen: index === dialog.focus,
  }));
  const space = { spans: [] };
  const lines = text.length > 0 ? [space, ...text, space, ...options, space] : [space, ...options, space];
  return (
    <Frame
      columns={columns}
      height={height}
      lines={lines}
      title={dialog.title}
      tone={dialog.tone}
      glyphs={glyphs}
      wide={WIDE}
    />
  );
}
