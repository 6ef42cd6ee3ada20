import { Box } from 'ink';
import { canTake, type DialogLayout, dialogWidth, layOutDialog } from '../view/dialog.ts';
import { keyLabel } from '../view/key-label.ts';
import { sanitize, width } from '../view/sanitize.ts';
import { fitLine } from '../view/text.ts';
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

/** The items that fit, and how many there are beyond them. */
function itemLines({ items, room }: DialogLayout, from = 0): readonly LineOfSpans[] {
  const top = Math.max(0, Math.min(from, items.length - room));
  const shown = items.slice(top, top + room);
  if (shown.length === items.length) return shown;
  const last = top + shown.length;
  return [
    ...shown,
    [{ text: `${top + 1} to ${last} of ${items.length}: PgUp and PgDn show the others`, tone: 'info' }],
  ];
}

function wordLines({ word, typed = '' }: DialogState): LineOfSpans[] {
  if (word === undefined) return [];
  const done = typed === word;
  return [
    [
      { text: 'Type ' },
      { text: word, bold: true, tone: 'warn' },
      { text: ' to make it possible: ' },
      { text: typed, tone: done ? 'good' : 'plain', bold: done },
      { text: '_', tone: 'info' },
    ],
  ];
}

function optionLines(dialog: DialogState, glyphs: Glyphs) {
  return dialog.options.map((option, index) => {
    const open = canTake(option, dialog);
    return {
      spans: [
        {
          text: ` ${keyLabel(option.key, glyphs)} `,
          tone: !open ? 'dim' : option.safe ? 'info' : 'warn',
          bold: open,
        } as const,
        { text: ` ${option.label}`, tone: open ? 'plain' : 'dim' } as const,
      ],
      chosen: index === dialog.focus,
    };
  });
}

/** A question. What Enter does is drawn as chosen; all else has a key of its own. */
export function Dialog({ dialog, columns, height, glyphs }: DialogProps) {
  const inner = dialogWidth(dialog, columns);
  const layout = layOutDialog({ columns, height }, dialog);
  const gap: readonly LineOfSpans[] = layout.airy ? [[]] : [];
  const parts = [layout.text, itemLines(layout, dialog.top), wordLines(dialog)];
  const body = [...parts.flatMap((part) => (part.length > 0 ? [...gap, ...part] : [])), ...gap].map(
    (spans) => ({ spans }),
  );
  return (
    <Frame
      columns={columns}
      height={height}
      lines={[...body, ...optionLines(dialog, glyphs), ...gap.map((spans) => ({ spans }))]}
      title={dialog.title}
      tone={dialog.tone}
      glyphs={glyphs}
      wide={inner}
    />
  );
}
