import { Box } from 'ink';
import { sanitize, width } from '../../core/text/sanitize.ts';
import { fitLine, type Line as LineOfSpans, type Span, type Tone } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { canChoose, type DialogLayout, dialogWidth, layOutDialog } from '../view/dialog.ts';
import { keyLabel } from '../view/hints.ts';
import type { DialogState } from '../view/types.ts';
import { Line } from './line.tsx';

interface FrameProps {
  /** Size of the area the box is centred in. */
  columns: number;
  height: number;
  lines: readonly { spans: LineOfSpans; highlighted?: boolean }[];
  title: string;
  tone: Tone;
  symbols: Symbols;
  maxWidth: number;
}

/** A box drawn over the screen. */
export function Frame({
  columns,
  height,
  lines,
  title,
  tone,
  symbols: { box, ellipsis },
  symbols,
  maxWidth,
}: FrameProps) {
  const inner = Math.min(maxWidth, columns - 8);
  const head = fitLine([{ text: ` ${title} ` }], Math.min(width(sanitize(title)) + 2, inner), ellipsis);
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
        symbols={symbols}
      />
      {lines.map(({ spans, highlighted }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the box
        <Box key={index}>
          <Line spans={[side]} columns={2} symbols={symbols} />
          <Line spans={spans} columns={inner} symbols={symbols} highlighted={highlighted ?? false} />
          <Line spans={[{ text: ` ${box.v}`, tone }]} columns={2} symbols={symbols} />
        </Box>
      ))}
      <Line
        spans={[{ text: box.bl, tone }, rule(inner + 2), { text: box.br, tone }]}
        columns={inner + 4}
        symbols={symbols}
      />
    </Box>
  );
}

export interface DialogProps {
  dialog: DialogState;
  columns: number;
  height: number;
  symbols: Symbols;
}

/** The visible items, and the scroll position if not all fit. */
function itemLines({ items, visibleItems: room }: DialogLayout, from = 0): readonly LineOfSpans[] {
  const top = Math.max(0, Math.min(from, items.length - room));
  const shown = items.slice(top, top + room);
  if (shown.length === items.length) return shown;
  const last = top + shown.length;
  return [
    ...shown,
    [{ text: `Lines ${top + 1}-${last} of ${items.length}; PgUp/PgDn scroll`, tone: 'info' }],
  ];
}

function confirmationLines({ confirmation, typed = '' }: DialogState): LineOfSpans[] {
  if (confirmation === undefined) return [];
  const matches = typed === confirmation;
  return [
    [
      { text: 'Type "' },
      { text: confirmation, bold: true, tone: 'warn' },
      { text: '" to confirm: ' },
      { text: typed, tone: matches ? 'good' : 'plain', bold: matches },
      { text: '_', tone: 'info' },
    ],
  ];
}

function optionLines(dialog: DialogState, symbols: Symbols) {
  return dialog.options.map((option, index) => {
    const enabled = canChoose(option, dialog);
    const highlighted = index === dialog.focus;
    return {
      spans: [
        { text: highlighted ? symbols.cursor : ' ' },
        {
          text: `${keyLabel(option.key, symbols)} `,
          tone: !enabled ? 'dim' : option.safe ? 'info' : 'warn',
          bold: enabled,
        } as const,
        { text: ` ${option.label}`, tone: enabled ? 'plain' : 'dim' } as const,
      ],
      highlighted,
    };
  });
}

/** A dialog. The option that Enter chooses is highlighted; every option has its own key. */
export function Dialog({ dialog, columns, height, symbols }: DialogProps) {
  const inner = dialogWidth(dialog, columns);
  const layout = layOutDialog({ columns, height }, dialog);
  const gap: readonly LineOfSpans[] = layout.spaced ? [[]] : [];
  const parts = [layout.text, itemLines(layout, dialog.top), confirmationLines(dialog)];
  const body = [...parts.flatMap((part) => (part.length > 0 ? [...gap, ...part] : [])), ...gap].map(
    (spans) => ({ spans }),
  );
  return (
    <Frame
      columns={columns}
      height={height}
      lines={[...body, ...optionLines(dialog, symbols), ...gap.map((spans) => ({ spans }))]}
      title={dialog.title}
      tone={dialog.tone}
      symbols={symbols}
      maxWidth={inner}
    />
  );
}
