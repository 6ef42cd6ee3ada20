import type { JobView } from '../../../core/index.ts';
import { sanitize } from '../../../core/text/sanitize.ts';
import { formatPercent } from '../../../core/text/units.ts';
import { formatClock, zoneName } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { fileTitle } from '../archive-name.ts';
import { jobBar, jobEta, jobProgress, jobSpeed, jobState, jobWait } from '../jobs.ts';
import type { Snapshot } from '../types.ts';
import { heading, indented } from './fields.ts';

const BAR_MARGIN = 12;

function progressLines(job: JobView, snapshot: Snapshot): Line[] {
  const { columns, now } = snapshot;
  if (job.ended_at !== undefined) return [];
  const part = job.fraction === undefined ? '    ?' : formatPercent(job.fraction).padStart(5);
  const left = job.eta_ms === undefined ? '' : `, ${jobEta(job)} left`;
  const wait = jobWait(job, now);
  return [
    [
      { text: '  ' },
      ...jobBar(job, Math.max(8, columns - BAR_MARGIN), snapshot),
      { text: ` ${part}`, bold: true },
    ],
    ...indented(jobProgress(job), columns),
    ...indented(`${jobSpeed(job)}${left}`, columns, 'dim'),
    ...(wait ? indented(wait, columns, 'warn') : []),
  ];
}

/** What the job has reported so far: its phases, then results of items, then warnings, each in order. */
function reportedLines(job: JobView, { columns, symbols, data }: Snapshot): Line[] {
  return [
    ...job.phases.map(
      ({ at, name }): Line => [{ text: `  ${formatClock(at)}  `, tone: 'dim' }, { text: name }],
    ),
    ...job.items.flatMap(({ item, ok, message }) => [
      [
        { text: `  ${ok ? symbols.ok : symbols.bad} `, tone: ok ? 'good' : 'bad' } as const,
        { text: fileTitle(item, data) },
      ],
      ...(ok ? [] : indented(message, columns, 'bad')),
    ]),
    ...job.warnings.flatMap((warning) => indented(`${symbols.warn} ${warning}`, columns, 'warn')),
    ...(job.error ? indented(job.error.message, columns, 'bad') : []),
  ];
}

/** The live output of a job in `height` lines: its progress, and the last lines of what it reported. */
export function jobOutput(job: JobView, snapshot: Snapshot, height: number): readonly Line[] {
  const head: Line[] = [
    heading(sanitize(job.title), snapshot.columns, snapshot.symbols),
    [{ text: '  ' }, jobState(job, snapshot), { text: `  times: ${zoneName()}`, tone: 'dim' }],
    ...progressLines(job, snapshot),
    [],
  ];
  const reported = reportedLines(job, snapshot);
  return [...head, ...reported.slice(Math.max(0, reported.length - (height - head.length)))];
}
