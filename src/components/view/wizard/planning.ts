import type { ErrorReport } from '../../../core/index.ts';
import { formatDuration } from '../../../core/text/time.ts';
import { formatPercent } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { indeterminateBar, progressBar, spinnerAt } from '../../text/symbols.ts';
import { field, longField } from '../pages/fields.ts';
import type { Snapshot } from '../types.ts';
import type { WizardChoice, WizardContent, WizardState } from './types.ts';

/** A step of a kind of restore. */
export interface WizardStep<Wizard extends WizardState> {
  step: Wizard['step'];
  title: string;
  content(wizard: Wizard, snapshot: Snapshot): WizardContent;
}

const BAR = 30;

type Planning = NonNullable<WizardState['planning']>;

const DESCRIPTION: Readonly<Record<WizardState['kind'], string>> = {
  backup:
    'Reading the complete file, since only an intact backup is restored, and then checking the database.',
  archive: 'Checking the files and counting the existing rows of the fractal.',
};

/** Shown while a plan is being created. */
export function planningPage(
  { since, read, total }: Planning,
  kind: WizardState['kind'],
  { columns, symbols, now }: Snapshot,
): WizardContent {
  const bar = total > 0 ? progressBar(read / total, BAR, symbols) : indeterminateBar(now, BAR, symbols);
  const done =
    total > 0 ? ` ${formatPercent(read / total)}  ${formatBytes(read)} of ${formatBytes(total)}` : '';
  const lines: Line[] = [
    field(
      'Planning',
      { text: `${spinnerAt(symbols, now)} `, tone: 'info' },
      { text: formatDuration(now - since) },
    ),
    field('', ...bar, { text: done }),
    ...longField('', DESCRIPTION[kind], columns, 'dim'),
    ...longField('', 'Press Esc to stop.', columns, 'dim'),
  ];
  return { lines, choices: [] };
}

/** Shown if planning failed: the error, a hint, and a way to try again. */
export function failedPage({ message, hint }: ErrorReport, { columns, symbols }: Snapshot): WizardContent {
  return {
    lines: [
      ...longField(`${symbols.bad} No plan`, message, columns, 'bad'),
      ...(hint ? longField('What to do', hint, columns) : []),
    ],
    choices: [{ label: 'Try again', effect: { do: 'plan' } }],
  };
}

/** Choices below a plan. `blocked` says why it cannot be started. */
export function planChoices(
  blocked: string | undefined,
  label = 'Continue to the confirmation',
): WizardChoice[] {
  return [
    { label: 'Plan again', effect: { do: 'plan' } },
    {
      effect: { do: 'confirm' },
      label,
      disabled: blocked,
      tone: 'warn',
      description: blocked && `Not now: ${blocked}`,
    },
  ];
}
