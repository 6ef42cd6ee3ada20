import {
  type ArchiveRestoreSummary,
  type JobLogLine,
  type JobView,
  type QueuedJob,
  type RestoreSummary,
  summaryRows,
} from '../../../core/index.ts';
import type { Row } from '../../../core/text/rows.ts';
import { sanitize } from '../../../core/text/sanitize.ts';
import { formatDuration } from '../../../core/text/time.ts';
import { formatExact, formatPercent, formatRowRate, plural } from '../../../core/text/units.ts';
import {
  formatByteRate,
  formatBytes,
  formatClock,
  formatStamp,
  zoneName,
  zoneOf,
} from '../../text/display.ts';
import type { Line, Tone } from '../../text/line.ts';
import { fileTitle } from '../archive-name.ts';
import {
  jobBar,
  jobBytes,
  jobOwner,
  jobProgress,
  jobState,
  jobWait,
  readableNames,
  shortDuration,
} from '../jobs.ts';
import { type JobRow, jobRows } from '../lists/jobs.ts';
import { averageRate, throughput } from '../throughput.ts';
import type { Snapshot } from '../types.ts';
import { field, heading, longField } from './fields.ts';

const BAR = 30;
const TONES: Readonly<Record<NonNullable<Row['tone']> | 'plain', Tone>> = {
  plain: 'plain',
  good: 'good',
  warning: 'warn',
  danger: 'bad',
  muted: 'dim',
};

function speeds(job: JobView): string {
  const parts = [
    job.rows_per_second === undefined ? '' : formatRowRate(job.rows_per_second),
    job.bytes_per_second === undefined ? '' : formatByteRate(job.bytes_per_second),
  ];
  return parts.filter(Boolean).join(', ') || '-';
}

function timeLeft({ eta_ms, fraction = 0 }: JobView): string {
  if (eta_ms === undefined) return fraction >= 1 ? '' : 'time left unknown';
  return eta_ms < 1_000 ? 'almost done' : `about ${formatDuration(eta_ms)} left`;
}

function times(job: JobView, now: number): string {
  const elapsed = shortDuration((job.ended_at ?? now) - job.started_at);
  if (job.ended_at !== undefined)
    return `took ${elapsed}, ended ${formatStamp(job.ended_at)} ${zoneOf(job.ended_at)}`;
  const parts = [
    `${elapsed} elapsed`,
    timeLeft(job),
    `started ${formatClock(job.started_at)} ${zoneOf(job.started_at)}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function runningLines(job: JobView, snapshot: Snapshot): Line[] {
  if (job.ended_at !== undefined) return [];
  const part = job.fraction === undefined ? '' : ` ${formatPercent(job.fraction)}`;
  const wait = jobWait(job, snapshot.now);
  return [
    field('Phase', { text: job.phase ?? 'Starting' }),
    field('', ...jobBar(job, BAR, snapshot), { text: part, bold: true }),
    ...(wait ? longField('Waiting', wait, snapshot.columns, 'warn') : []),
    ...(job.progress.item
      ? longField('Working on', fileTitle(job.progress.item, snapshot.data), snapshot.columns)
      : []),
    field('Rate', { text: speeds(job) }),
  ];
}

function shownValue(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (name.endsWith('_bytes')) return formatBytes(value);
  return name.endsWith('_ms') ? formatDuration(value) : formatExact(value);
}

/** What the job did, as the command line says it too, and what to do now. */
function resultLines(job: JobView, { columns, data }: Snapshot): Line[] {
  const result = job.result ?? {};
  // The result of a job of another version may lack a value.
  const rows = summaryRows(job.kind, result).filter(({ value }) => typeof value === 'string');
  return [
    ...rows.flatMap(({ label, value, tone }) =>
      longField(label, readableNames(value, data), columns, TONES[tone ?? 'plain']),
    ),
    ...(rows.length === 0 ? valueLines(result, columns) : []),
    ...nextSteps(job).flatMap((text, index) =>
      longField(index === 0 ? 'What to do now' : '', text, columns, 'info'),
    ),
  ];
}

/** The plain values of a result without a summary, such as that of another version's job. */
function valueLines(result: Record<string, unknown>, columns: number): Line[] {
  return Object.entries(result)
    .filter(([, value]) => typeof value !== 'object' || value === null)
    .flatMap(([name, value]) => {
      const label = sanitize(name)
        .replace(/_(bytes|ms)$/, '')
        .replaceAll('_', ' ');
      return longField(label.slice(0, 14), shownValue(name, value), columns);
    });
}

/** What to do after a restore, one sentence per entry; empty for other jobs. */
function nextSteps({ kind, result }: JobView): string[] {
  const summary: unknown = result;
  if (kind === 'restore') return restoreSteps(summary as RestoreSummary);
  if (kind === 'drill')
    return ['Nothing. The backup can be restored; the scratch database has been dropped.'];
  if (kind !== 'restore-archive') return [];
  return (summary as ArchiveRestoreSummary).via === 'direct'
    ? ['Search for the restored rows in Bifract.']
    : ['The server ingests them in the background. Search for the restored rows in Bifract.'];
}

/** Results of earlier versions do not say whether the database was the live one. */
function restoreSteps({ live, database, safety_backup }: RestoreSummary): string[] {
  if (live === false)
    return [
      `Inspect ${database} with psql. The live database was not touched.`,
      `To remove it later: DROP DATABASE "${database.replaceAll('"', '""')}".`,
    ];
  return [
    'Log in to Bifract and check that everything is there.',
    'Archives created since the backup lost their records: press 7 to list them, then a to adopt them.',
    safety_backup === null
      ? 'The previous database was not kept.'
      : `To return to the previous database, press 4, then R on ${safety_backup}. It is never pruned.`,
  ];
}

/** The newest item first, on one line; below a failed one what to do. */
function itemLines(job: JobView, { columns, symbols, data }: Snapshot): Line[] {
  if (job.item_count === 0) return [];
  const failed = job.failed_count > 0 ? `, ${plural(job.failed_count, 'failed', 'failed')}` : '';
  const more = job.item_count - job.items.length;
  return [
    heading(`${plural(job.item_count, 'item')}${failed}, newest first`, columns, symbols),
    ...job.items.toReversed().flatMap(({ item, ok, message, error }): Line[] => [
      [
        { text: `  ${ok ? symbols.ok : symbols.bad} `, tone: ok ? 'good' : 'bad' },
        { text: fileTitle(item, data), bold: !ok },
        { text: `  ${message}`, tone: ok ? 'dim' : 'bad' },
      ],
      ...(error?.hint ? longField('What to do', error.hint, columns) : []),
    ]),
    ...(more > 0 ? [field('', { text: `and ${plural(more, 'more', 'more')}`, tone: 'dim' })] : []),
  ];
}

const LEVELS: Readonly<Record<JobLogLine['level'], Tone>> = {
  info: 'plain',
  good: 'good',
  warn: 'warn',
  error: 'bad',
};

/** What the job reported, in order. */
function logLines(job: JobView, { columns, symbols }: Snapshot): Line[] {
  const warnings = job.warning_count > 0 ? `, ${plural(job.warning_count, 'warning')}` : '';
  return [
    heading(`Log (${zoneName()})${warnings}`, columns, symbols),
    ...job.log.flatMap(({ at, level, text }) => longField(formatClock(at), text, columns, LEVELS[level])),
  ];
}

function startedBy(job: JobView): string {
  const { host, pid } = job.by ?? {};
  return `${jobOwner(job)}; process ${pid} on ${host}`;
}

function queuedLines(job: JobRow, { position, problem }: QueuedJob, snapshot: Snapshot): Line[] {
  const { columns, symbols, now } = snapshot;
  return [
    heading(sanitize(job.title), columns, symbols),
    field('State', jobState(job, snapshot)),
    field('Queued', { text: `for ${shortDuration(now - job.started_at)}` }),
    field('Position', { text: ['starting', 'next'][position] ?? String(position) }),
    ...(problem
      ? [
          ...longField('Not started', problem.message, columns, 'bad'),
          ...(problem.hint ? longField('What to do', problem.hint, columns) : []),
        ]
      : []),
    ...(job.by ? longField('By', jobOwner(job), columns) : []),
    field('ID', { text: job.id, tone: 'dim' }),
    field('', {
      text: 'It starts when the jobs before it have ended, also without this console.',
      tone: 'dim',
    }),
  ];
}

/** The average rate, and the rate over time. */
function throughputLines(job: JobView, { columns, symbols, now }: Snapshot): Line[] {
  const average = averageRate(job, now);
  const rates = throughput(job, Math.max(10, Math.min(60, columns - 40)), now, symbols);
  if (average === undefined && !rates) return [];
  return [field('Average', { text: `${average ?? '-'}  ` }, ...(rates ? [rates] : []))];
}

function jobLines(job: JobRow, snapshot: Snapshot): Line[] {
  const { columns, symbols, now } = snapshot;
  if (job.queued) return queuedLines(job, job.queued, snapshot);
  return [
    heading(sanitize(job.title), columns, symbols),
    field('State', jobState(job, snapshot)),
    ...(job.error
      ? [
          ...longField('Why', job.error.message, columns, job.state === 'failed' ? 'bad' : 'warn'),
          ...(job.error.hint ? longField('What to do', job.error.hint, columns) : []),
        ]
      : []),
    ...runningLines(job, snapshot),
    ...(job.state === 'done' && nextSteps(job).length > 0
      ? []
      : [field('Done', { text: jobProgress(job) }), field('Bytes', { text: jobBytes(job) })]),
    field('Time', { text: times(job, now) }),
    ...throughputLines(job, snapshot),
    field('Retries', { text: job.retries === 0 ? 'none' : String(job.retries) }),
    ...(job.by ? longField('By', startedBy(job), columns) : []),
    field('ID', { text: job.id, tone: 'dim' }),
    ...itemLines(job, snapshot),
    ...(job.result ? [heading('Result', columns, symbols), ...resultLines(job, snapshot)] : []),
    ...logLines(job, snapshot),
  ];
}

/** All details of a job; live while it runs. */
export function jobPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const job = jobRows(snapshot).find((candidate) => candidate.id === id);
  return job
    ? jobLines(job, snapshot)
    : [[{ text: '  This job no longer exists. Press Esc to go back.', tone: 'dim' }]];
}
