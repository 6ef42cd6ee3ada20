import { Box } from 'ink';
import { bodyHeight } from '../view/layout.ts';
import { spread } from '../view/text.ts';
import type { Glyphs, Line as LineOfSpans, Snapshot } from '../view/types.ts';
import { formatExact } from '../view/units.ts';
import { type WizardPage, type WizardView, wizardView } from '../view/wizard/index.ts';
import { Line } from '../widgets/line.tsx';

function head({ title, step, steps }: WizardPage, { columns, glyphs }: Snapshot): LineOfSpans {
  return spread(
    [
      { text: ` Step ${step} of ${steps}: `, tone: 'title' },
      { text: title, tone: 'title', bold: true },
    ],
    [{ text: `${glyphs.ok} nothing has been changed so far `, tone: 'good' }],
    columns,
    glyphs.more,
  );
}

function position({ lines }: WizardPage, view: WizardView): LineOfSpans[] {
  if (lines.length <= view.room) return [];
  const to = view.top + view.lines.length;
  return [
    [
      {
        text: ` Lines ${formatExact(view.top + 1)} to ${formatExact(to)} of ${formatExact(lines.length)}: PgUp and PgDn show the others`,
        tone: 'info',
      },
    ],
  ];
}

/** The line above the choices: it says how many of them do not fit. */
function edge({ choices, above, below }: WizardView, { up, down }: Glyphs): LineOfSpans[] {
  if (choices.length === 0) return [];
  const parts = [above > 0 ? `${up} ${above} above` : '', below > 0 ? `${down} ${below} below` : ''].filter(
    Boolean,
  );
  return [parts.length > 0 ? [{ text: ` More to choose: ${parts.join(', ')}`, tone: 'info' }] : []];
}

/** A step of a restore: where one is, what there is to know, what can be chosen. */
export function WizardScreen({ snapshot }: { snapshot: Snapshot }) {
  const { columns, glyphs } = snapshot;
  const shown = wizardView(snapshot);
  if (!shown)
    return (
      <Line
        spans={[{ text: '  The restore is over. Esc goes back.', tone: 'dim' }]}
        columns={columns}
        glyphs={glyphs}
      />
    );
  const { page, view } = shown;
  const text: LineOfSpans[] = [
    head(page, snapshot),
    [],
    ...view.lines,
    ...position(page, view),
    ...edge(view, glyphs),
  ];
  return (
    <Box flexDirection="column" height={bodyHeight(snapshot)} width={columns} overflow="hidden">
      {text.map((spans, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <Line key={index} spans={spans} columns={columns} glyphs={glyphs} />
      ))}
      {view.choices.map(({ line, choice, first }, index) => (
        <Line
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
          key={text.length + index}
          spans={line}
          columns={columns}
          glyphs={glyphs}
          chosen={first && choice === view.index}
        />
      ))}
    </Box>
  );
}
