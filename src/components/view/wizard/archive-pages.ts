import { groupOf } from '../lists/archive-rows.ts';
import { groupPage } from '../pages/group.ts';
import { archivePage, orphanPage } from '../pages/records.ts';
import { shortStamp } from '../time.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatCount } from '../units.ts';
import { archivePlanLines } from './archive-plan.ts';
import { ownFractal, sourceArchives, sourceTitle } from './source.ts';
import type { ArchiveWizard, WizardChoice, WizardPage } from './types.ts';
import { planChoices, sentences } from './words.ts';

const STEPS = 5;

/** The fractals that can get the rows, the archive's own first. */
export function intoChoices({ source, into }: ArchiveWizard, snapshot: Snapshot): WizardChoice[] {
  const own = ownFractal(snapshot, source);
  return (snapshot.data.fractals.value ?? [])
    .toSorted((a, b) => Number(b.id === own) - Number(a.id === own) || a.name.localeCompare(b.name, 'en'))
    .map(({ id, name, log_count }) => ({
      id,
      label: `${name}${id === own ? ', where it came from' : ''}, ${formatCount(log_count)} logs`,
      on: id === into,
      exclusive: true,
    }));
}

function sourceLines(snapshot: Snapshot, source: string): readonly Line[] {
  const files = sourceArchives(snapshot, source);
  if (groupOf(snapshot, source)) return groupPage(files, snapshot);
  return files.length > 0 ? archivePage(snapshot, source) : orphanPage(snapshot, source);
}

function whatPage({ source }: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const intro = `Rows of ${sourceTitle(snapshot, source)} are brought back into ClickHouse. A plan is shown before anything is written.`;
  return {
    title: 'the archive',
    step: 1,
    steps: STEPS,
    lines: [...sentences([intro], snapshot.columns), ...sourceLines(snapshot, source)],
    choices: [{ id: 'next', label: 'Go on: choose the fractal' }],
  };
}

function intoPage(wizard: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const choices = intoChoices(wizard, snapshot);
  const own = ownFractal(snapshot, wizard.source);
  const gone = !choices.some(({ id }) => id === own);
  const lines = sentences(
    [
      'Into which fractal do the rows go?',
      ...(gone ? ['The fractal that it came from is not there any more.'] : []),
    ],
    snapshot.columns,
  );
  return { title: 'into which fractal', step: 2, steps: STEPS, lines, choices };
}

function rowsPage({ source, from, to }: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const files = sourceArchives(snapshot, source);
  const times = files.flatMap(({ time_range_start, time_range_end }) => [time_range_start, time_range_end]);
  const known = times.filter((time) => time !== null).toSorted();
  const [first, last] = [known[0], known.at(-1)];
  const span =
    first !== undefined && last !== undefined
      ? `It holds ${shortStamp(first)} to ${shortStamp(last)}.`
      : 'Which times it holds is not known.';
  const all = from === undefined && to === undefined;
  return {
    title: 'which rows',
    step: 3,
    steps: STEPS,
    lines: sentences([`All rows, or those of a time only? ${span}`], snapshot.columns),
    choices: [
      { id: 'next', label: all ? 'Go on with all rows' : 'Go on with the rows of this time' },
      { id: 'from', label: `From: ${from ? shortStamp(from) : 'the first row'}` },
      { id: 'to', label: `To, not included: ${to ? shortStamp(to) : 'after the last row'}` },
      ...(all ? [] : [{ id: 'all', label: 'Take all rows after all' }]),
    ],
  };
}

function howPage({ replace, via }: ArchiveWizard, { columns }: Snapshot): WizardPage {
  const lines: Line[] = sentences(['How are the rows to come back?'], columns);
  const choices: WizardChoice[] = [
    {
      id: 'direct',
      label: 'Direct, into the table of ClickHouse',
      about:
        'Time, id and log line come back to the byte, the parsed fields with them. Rows that are there are not doubled.',
      on: via === 'direct',
      exclusive: true,
    },
    {
      id: 'ingest',
      label: 'Through the ingest of Bifract',
      about: 'The server parses every line again, by its rules of today; time, id and fields are made anew.',
      on: via === 'ingest',
      exclusive: true,
    },
    {
      id: 'replace',
      label: 'Replace: first take away what the fractal holds of that time',
      about: 'Without it rows are only added.',
      on: replace,
      ...(replace ? { tone: 'bad' as const } : {}),
    },
    { id: 'next', label: 'Go on: make the plan' },
  ];
  return { title: 'how', step: 4, steps: STEPS, lines, choices };
}

function planPage({ plan }: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const blocked = plan?.obstacles[0]?.message;
  const deed = plan?.replace ? 'type the name of the fractal' : 'answer one question';
  return {
    title: 'the plan',
    step: 5,
    steps: STEPS,
    lines: plan ? archivePlanLines(plan, snapshot) : [],
    choices: planChoices(deed, blocked),
  };
}

/** The page of the restore of an archive. */
export function archivePageOf(wizard: ArchiveWizard, snapshot: Snapshot): WizardPage {
  switch (wizard.step) {
    case 'archive':
      return whatPage(wizard, snapshot);
    case 'into':
      return intoPage(wizard, snapshot);
    case 'rows':
      return rowsPage(wizard, snapshot);
    case 'how':
      return howPage(wizard, snapshot);
    case 'plan':
      return planPage(wizard, snapshot);
  }
}
