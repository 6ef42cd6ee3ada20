import type { ArchiveRecord } from '../../../core/index.ts';
import { shortStamp } from '../../../core/text/time.ts';
import { formatCount, formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { fit } from '../../text/text.ts';
import { archiveName, fileTitle } from '../archive-name.ts';
import { groupOf } from '../lists/archive-rows.ts';
import { field, heading, paragraphs } from '../pages/fields.ts';
import { archivePage, orphanPage } from '../pages/records.ts';
import type { Snapshot } from '../types.ts';
import { archivePlanLines } from './archive-plan.ts';
import { planChoices, type WizardStep } from './planning.ts';
import type { ArchiveWizard, WizardChoice, WizardContent } from './types.ts';

/** Index of the last choice of a page. */
const LAST = Number.MAX_SAFE_INTEGER;
const RESET: WizardChoice = {
  label: 'Reset to all rows',
  effect: { do: 'change', change: { from: undefined, to: undefined, index: 0 } },
};

/** The steps of an archive restore. */
export const ARCHIVE_STEPS: readonly WizardStep<ArchiveWizard>[] = [
  { step: 'archive', title: 'Archive', content: archiveStep },
  { step: 'into', title: 'Target fractal', content: targetStep },
  { step: 'rows', title: 'Rows', content: rowsStep },
  { step: 'how', title: 'Method', content: methodStep },
  { step: 'plan', title: 'Plan', content: planStep },
];

/** The fractals that rows can be restored into, the original one first. */
function intoChoices({ source, into, into_new }: ArchiveWizard, snapshot: Snapshot): WizardChoice[] {
  const original = originalFractal(snapshot, source);
  const existing = (snapshot.data.fractals.value ?? [])
    .toSorted(
      (a, b) => Number(b.id === original) - Number(a.id === original) || a.name.localeCompare(b.name, 'en'),
    )
    .map(
      ({ id, name, log_count }): WizardChoice => ({
        id,
        label: `${name}${id === original ? ' (original fractal)' : ''}, ${formatCount(log_count)} rows`,
        checked: id === into,
        effect: { do: 'change', change: { step: 'rows', into: id, into_new: undefined } },
        exclusive: true,
      }),
    );
  const created: WizardChoice = {
    label: into_new === undefined ? 'A new fractal' : `A new fractal: ${into_new}`,
    description: 'Keeps the rows forever: the server does not delete them again.',
    checked: into_new !== undefined,
    effect: { do: 'prompt', text: 'fractal' },
    exclusive: true,
  };
  return [...existing, created];
}

function sourceLines(snapshot: Snapshot, source: string): readonly Line[] {
  const files = sourceArchives(snapshot, source);
  if (groupOf(snapshot, source)) return groupPage(files, snapshot);
  return files.length > 0 ? archivePage(snapshot, source) : orphanPage(snapshot, source);
}

function archiveStep(wizard: ArchiveWizard, snapshot: Snapshot): WizardContent {
  const { source } = wizard;
  const choices = intoChoices(wizard, snapshot);
  const chosen = Math.max(
    0,
    choices.findIndex(({ checked }) => checked),
  );
  const intro = `Restores rows to ClickHouse from ${sourceTitle(snapshot, source)}. Nothing is written before you confirm the plan.`;
  return {
    lines: [...paragraphs([intro], snapshot.columns), ...sourceLines(snapshot, source)],
    choices: [
      {
        label: 'Continue: choose the fractal',
        effect: { do: 'change', change: { step: 'into', index: chosen, choice: choices[chosen]?.id } },
      },
    ],
  };
}

function targetStep(wizard: ArchiveWizard, snapshot: Snapshot): WizardContent {
  const choices = intoChoices(wizard, snapshot);
  const original = originalFractal(snapshot, wizard.source);
  const missing = !snapshot.data.fractals.value?.some(({ id }) => id === original);
  const lines = paragraphs(
    ['Restore the rows into which fractal?', ...(missing ? ['The original fractal no longer exists.'] : [])],
    snapshot.columns,
  );
  return { lines, choices };
}

function rowsStep({ source, from, to }: ArchiveWizard, snapshot: Snapshot): WizardContent {
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
    lines: paragraphs([`Restore all rows, or only a time range? ${span}`], snapshot.columns),
    choices: [
      {
        label: all ? 'Continue with all rows' : 'Continue with this time range',
        effect: { do: 'change', change: { step: 'how', index: LAST } },
      },
      { label: `From: ${from ? shortStamp(from) : 'the first row'}`, effect: { do: 'prompt', text: 'from' } },
      {
        label: `Until (not including): ${to ? shortStamp(to) : 'the end'}`,
        effect: { do: 'prompt', text: 'to' },
      },
      ...(all ? [] : [RESET]),
    ],
  };
}

function methodStep({ replace, via, into_new }: ArchiveWizard, { columns }: Snapshot): WizardContent {
  const lines: Line[] = paragraphs(['How should the rows be restored?'], columns);
  const choices: WizardChoice[] = [
    {
      effect: { do: 'change', change: { via: 'direct' } },
      label: 'Direct: insert into the ClickHouse table',
      description:
        'Restores time, ID and log line exactly, with the parsed fields. Existing rows are skipped.',
      checked: via === 'direct',
      exclusive: true,
    },
    {
      effect: { do: 'change', change: { via: 'ingest' } },
      label: 'Ingest: send the lines to the Bifract server',
      description:
        'The server parses every line with its current rules and assigns new times, IDs and fields.',
      checked: via === 'ingest',
      exclusive: true,
    },
    {
      effect: { do: 'change', change: { replace: !replace } },
      label: "Replace: first delete the fractal's rows in the time range of step 3",
      description: 'If off, rows are only added.',
      ...(into_new === undefined ? {} : { disabled: 'a new fractal has no rows' }),
      checked: replace,
      ...(replace ? { tone: 'bad' as const } : {}),
    },
    { label: 'Continue: create the plan', effect: { do: 'plan' } },
  ];
  return { lines, choices };
}

function planStep({ plan }: ArchiveWizard, snapshot: Snapshot): WizardContent {
  const blocked = plan?.obstacles[0]?.message;
  return {
    lines: plan ? archivePlanLines(plan, snapshot) : [],
    choices: planChoices(blocked),
  };
}

const PERIOD = 26;

/** The archives of a group, one per line. */
export function groupPage(parts: readonly ArchiveRecord[], { columns, symbols }: Snapshot): Line[] {
  const rows = parts.reduce((sum, { log_count }) => sum + log_count, 0);
  const size = parts.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  return [
    heading(plural(parts.length, 'complete archive'), columns, symbols),
    field('Rows', { text: formatExact(rows) }),
    field('Size', { text: formatBytes(size) }),
    ...parts
      .toSorted((a, b) => (a.period_label ?? '').localeCompare(b.period_label ?? '', 'en'))
      .map(
        (part): Line => [
          {
            text: `  ${fit(part.period_label ?? '-', PERIOD)} ${formatExact(part.log_count).padStart(14)} rows ${formatBytes(part.size_bytes).padStart(10)}`,
          },
        ],
      ),
  ];
}

/** The completed archives to restore from: one, or those of a group. */
export function sourceArchives({ data }: Pick<Snapshot, 'data'>, source: string): readonly ArchiveRecord[] {
  const all = data.archives.value ?? [];
  const one = all.find(({ id }) => id === source);
  if (one) return [one];
  return all.filter(({ group_id, status }) => group_id === source && status === 'completed');
}

/** Id of the original fractal, from the record or else from the file. */
export function originalFractal(snapshot: Snapshot, source: string): string | undefined {
  const [first] = sourceArchives(snapshot, source);
  return first?.fractal_id ?? snapshot.reports.get(source)?.value?.fractal?.id;
}

/** A readable name of the source. */
export function sourceTitle({ data }: Pick<Snapshot, 'data'>, source: string): string {
  const files = sourceArchives({ data }, source);
  const [first] = files;
  if (!first) return fileTitle(source, data);
  if (files.length === 1) return `the archive of ${archiveName(first)}`;
  return `${plural(files.length, 'archive')} of ${archiveName({ ...first, period_label: null })}`;
}
