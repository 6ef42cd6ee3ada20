import { shortStamp } from '../../../core/text/time.ts';
import { formatCount } from '../../../core/text/units.ts';
import { groupOf } from '../lists/archive-rows.ts';
import { groupPage } from '../pages/group.ts';
import { archivePage, orphanPage } from '../pages/records.ts';
import type { Line, Snapshot } from '../types.ts';
import { archivePlanLines } from './archive-plan.ts';
import { originalFractal, sourceArchives, sourceTitle } from './source.ts';
import { paragraphs, planChoices } from './text.ts';
import type { ArchiveWizard, WizardChoice, WizardPage } from './types.ts';

const STEPS = 5;

/** The fractals that rows can be restored into, the original one first. */
export function intoChoices({ source, into }: ArchiveWizard, snapshot: Snapshot): WizardChoice[] {
  const original = originalFractal(snapshot, source);
  return (snapshot.data.fractals.value ?? [])
    .toSorted(
      (a, b) => Number(b.id === original) - Number(a.id === original) || a.name.localeCompare(b.name, 'en'),
    )
    .map(({ id, name, log_count }) => ({
      id,
      label: `${name}${id === original ? ' (original fractal)' : ''}, ${formatCount(log_count)} logs`,
      checked: id === into,
      exclusive: true,
    }));
}

function sourceLines(snapshot: Snapshot, source: string): readonly Line[] {
  const files = sourceArchives(snapshot, source);
  if (groupOf(snapshot, source)) return groupPage(files, snapshot);
  return files.length > 0 ? archivePage(snapshot, source) : orphanPage(snapshot, source);
}

function archiveStep({ source }: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const intro = `Restores rows of ${sourceTitle(snapshot, source)} to ClickHouse. Nothing is written before you confirm the plan.`;
  return {
    title: 'Archive',
    step: 1,
    steps: STEPS,
    lines: [...paragraphs([intro], snapshot.columns), ...sourceLines(snapshot, source)],
    choices: [{ id: 'next', label: 'Continue: choose the fractal' }],
  };
}

function targetStep(wizard: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const choices = intoChoices(wizard, snapshot);
  const original = originalFractal(snapshot, wizard.source);
  const missing = !choices.some(({ id }) => id === original);
  const lines = paragraphs(
    ['Restore the rows into which fractal?', ...(missing ? ['The original fractal no longer exists.'] : [])],
    snapshot.columns,
  );
  return { title: 'Target fractal', step: 2, steps: STEPS, lines, choices };
}

function rowsStep({ source, from, to }: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const files = sourceArchives(snapshot, source);
  const times = files.flatMap(({ time_range_start, time_range_end }) => [time_range_start, time_range_end]);
  const known = times.filter((time) => time !== null).toSorted();
  const [first, last] = [known[0], known.at(-1)];
  const span =
    first !== undefined && last !== undefined
      ? `The archive covers ${shortStamp(first)} to ${shortStamp(last)}.`
      : 'The time range of the archive is unknown.';
  const all = from === undefined && to === undefined;
  return {
    title: 'Rows',
    step: 3,
    steps: STEPS,
    lines: paragraphs([`Restore all rows, or only a time range? ${span}`], snapshot.columns),
    choices: [
      { id: 'next', label: all ? 'Continue with all rows' : 'Continue with this time range' },
      { id: 'from', label: `From: ${from ? shortStamp(from) : 'the first row'}` },
      { id: 'to', label: `To (exclusive): ${to ? shortStamp(to) : 'after the last row'}` },
      ...(all ? [] : [{ id: 'all', label: 'Reset to all rows' }]),
    ],
  };
}

function methodStep({ replace, via }: ArchiveWizard, { columns }: Snapshot): WizardPage {
  const lines: Line[] = paragraphs(['How should the rows be restored?'], columns);
  const choices: WizardChoice[] = [
    {
      id: 'direct',
      label: 'Direct: insert into the ClickHouse table',
      description:
        'Restores time, ID and log line exactly, with the parsed fields. Existing rows are skipped.',
      checked: via === 'direct',
      exclusive: true,
    },
    {
      id: 'ingest',
      label: 'Ingest: send the lines to the Bifract server',
      description:
        'The server parses every line with its current rules and assigns new times, IDs and fields.',
      checked: via === 'ingest',
      exclusive: true,
    },
    {
      id: 'replace',
      label: 'Replace: first delete the existing rows of that time range',
      description: 'If off, rows are only added.',
      checked: replace,
      ...(replace ? { tone: 'bad' as const } : {}),
    },
    { id: 'next', label: 'Continue: create the plan' },
  ];
  return { title: 'Method', step: 4, steps: STEPS, lines, choices };
}

function planStep({ plan }: ArchiveWizard, snapshot: Snapshot): WizardPage {
  const blocked = plan?.obstacles[0]?.message;
  const confirmation = plan?.replace ? 'type the name of the fractal' : undefined;
  return {
    title: 'Plan',
    step: 5,
    steps: STEPS,
    lines: plan ? archivePlanLines(plan, snapshot) : [],
    choices: planChoices(confirmation, blocked),
  };
}

/** The current page of an archive restore. */
export function archivePageOf(wizard: ArchiveWizard, snapshot: Snapshot): WizardPage {
  switch (wizard.step) {
    case 'archive':
      return archiveStep(wizard, snapshot);
    case 'into':
      return targetStep(wizard, snapshot);
    case 'rows':
      return rowsStep(wizard, snapshot);
    case 'how':
      return methodStep(wizard, snapshot);
    case 'plan':
      return planStep(wizard, snapshot);
  }
}
