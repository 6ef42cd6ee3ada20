import type { ErrorReport } from '../../../core/index.ts';
import { progressBar, restlessBar } from '../bar.ts';
import { spinnerAt } from '../glyphs.ts';
import { field, longField } from '../pages/fields.ts';
import { formatDuration } from '../time.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatBytes, formatPercent } from '../units.ts';
import type { WizardPage, WizardState } from './types.ts';

const BAR = 30;

type Planning = NonNullable<WizardState['planning']>;

const DOING: Readonly<Record<WizardState['kind'], string>> = {
  backup:
    'The file is read from its first byte to its last: only a backup that is whole is ever restored. Then the database is looked at.',
  archive: 'The files are looked at, and the rows that the fractal holds now are counted.',
};

/** What is shown while a plan is being made. */
export function planningPage(
  { since, read, total }: Planning,
  kind: WizardState['kind'],
  { columns, glyphs, now }: Snapshot,
): Pick<WizardPage, 'lines' | 'choices'> {
  const bar = total > 0 ? progressBar(read / total, BAR, glyphs) : restlessBar(now, BAR, glyphs);
  const done =
    total > 0 ? ` ${formatPercent(read / total)}  ${formatBytes(read)} of ${formatBytes(total)}` : '';
  const lines: Line[] = [
    field(
      'Planning',
      { text: `${spinnerAt(glyphs, now)} `, tone: 'info' },
      { text: formatDuration(now - since) },
    ),
    field('', ...bar, { text: done }),
    ...longField('', DOING[kind], columns, 'dim'),
    ...longField('', 'Esc stops it.', columns, 'dim'),
  ];
  return { lines, choices: [] };
}

/** What is shown where no plan could be made: why, what to do, and the way to try again. */
export function failedPage(
  { message, hint }: ErrorReport,
  { columns, glyphs }: Snapshot,
): Pick<WizardPage, 'lines' | 'choices'> {
  return {
    lines: [
      ...longField(`${glyphs.bad} No plan`, message, columns, 'bad'),
      ...(hint ? longField('What to do', hint, columns) : []),
    ],
    choices: [{ id: 'again', label: 'Try again' }],
  };
}
