import type { ErrorReport } from '../../../core/index.ts';
import { formatDuration } from '../../../core/text/time.ts';
import { formatBytes, formatPercent } from '../../../core/text/units.ts';
import type { Line } from '../../text/line.ts';
import { indeterminateBar, progressBar, spinnerAt } from '../../text/symbols.ts';
import { field, longField } from '../pages/fields.ts';
import type { Snapshot } from '../types.ts';
import type { WizardChoice, WizardPage, WizardState } from './types.ts';

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
): Pick<WizardPage, 'lines' | 'choices'> {
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
export function failedPage(
  { message, hint }: ErrorReport,
  { columns, symbols }: Snapshot,
): Pick<WizardPage, 'lines' | 'choices'> {
  return {
    lines: [
      ...longField(`${symbols.bad} No plan`, message, columns, 'bad'),
      ...(hint ? longField('What to do', hint, columns) : []),
    ],
    choices: [{ id: 'again', label: 'Try again' }],
  };
}

/** Choices below a plan. `confirmation` says what to type to start it, `blocked` why it cannot be started. */
export function planChoices(confirmation: string | undefined, blocked: string | undefined): WizardChoice[] {
  return [
    { id: 'again', label: 'Plan again' },
    {
      id: 'next',
      label: confirmation ? `Continue: ${confirmation}` : 'Continue',
      disabled: blocked,
      tone: 'warn',
      description: blocked && `Not now: ${blocked}`,
    },
  ];
}
