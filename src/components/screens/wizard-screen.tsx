import { Box } from 'ink';
import { formatExact } from '../../core/text/units.ts';
import { bodyHeight } from '../text/layout.ts';
import { justify, type Line as LineOfSpans } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { Line } from '../ui/line.tsx';
import type { Snapshot } from '../view/types.ts';
import { type WizardView, wizardView } from '../view/wizard/index.ts';
import type { WizardPage } from '../view/wizard/types.ts';

function head({ title, step, steps }: WizardPage, { columns, symbols }: Snapshot): LineOfSpans {
  return justify(
    [
      { text: ` Step ${step} of ${steps}: `, tone: 'title' },
      { text: title, tone: 'title', bold: true },
    ],
    [{ text: `${symbols.ok} nothing has been changed so far `, tone: 'good' }],
    columns,
    symbols.ellipsis,
  );
}

function position({ lines }: WizardPage, view: WizardView): LineOfSpans[] {
  if (lines.length <= view.textHeight) return [];
  const to = view.top + view.lines.length;
  return [
    [
      {
        text: ` Lines ${formatExact(view.top + 1)} to ${formatExact(to)} of ${formatExact(lines.length)}; PgUp/PgDn to scroll`,
        tone: 'info',
      },
    ],
  ];
}

/** The line above the choices: how many of them are hidden. */
function hiddenChoices({ choices, above, below }: WizardView, { up, down }: Symbols): LineOfSpans[] {
  if (choices.length === 0) return [];
  const parts = [above > 0 ? `${up} ${above} above` : '', below > 0 ? `${down} ${below} below` : ''].filter(
    Boolean,
  );
  return [parts.length > 0 ? [{ text: ` More choices: ${parts.join(', ')}`, tone: 'info' }] : []];
}

/** A step of a restore: title, text and choices. */
export function WizardScreen({ snapshot }: { snapshot: Snapshot }) {
  const { columns, symbols } = snapshot;
  const shown = wizardView(snapshot);
  if (!shown)
    return (
      <Line
        spans={[{ text: '  This restore has ended. Press Esc to go back.', tone: 'dim' }]}
        columns={columns}
        symbols={symbols}
      />
    );
  const { page, view } = shown;
  const text: LineOfSpans[] = [
    head(page, snapshot),
    ...(page.losses ?? []),
    [],
    ...view.lines,
    ...position(page, view),
    ...hiddenChoices(view, symbols),
  ];
  return (
    <Box flexDirection="column" height={bodyHeight(snapshot)} width={columns} overflow="hidden">
      {text.map((spans, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines are identified by their position
        <Line key={index} spans={spans} columns={columns} symbols={symbols} />
      ))}
      {view.choices.map(({ line, choice, first }, index) => (
        <Line
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are identified by their position
          key={text.length + index}
          spans={line}
          columns={columns}
          symbols={symbols}
          highlighted={first && choice === view.index}
        />
      ))}
    </Box>
  );
}
