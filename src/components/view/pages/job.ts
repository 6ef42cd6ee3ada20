import type { JobView } from '../../../core/index.ts';
import { jobBar, jobBytes, jobDone, jobOwner, jobState, jobWait } from '../jobs.ts';
import { type JobRow, jobRows } from '../lists/jobs.ts';
import { sanitize } from '../sanitize.ts';
import { bareName } from '../text.ts';
import { formatClock, formatDuration } from '../time.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatByteRate, formatBytes, formatExact, formatPercent, formatRowRate, plural } from '../units.ts';
import { field, heading, longField } from './fields.ts';
import { restoreResultLines, tellsItself } from './restore-result.ts';

const BAR = 30;

function speeds(job: JobView): string {
  const parts = [
    job.rows_per_second === undefined ? '' : formatRowRate(job.rows_per_second),
    job.bytes_per_second === undefined ? '' : formatByteRate(job.bytes_per_second),
  ];
  return parts.filter(Boolean).join(', ') || '-';
}

function times(job: JobView, now: number): string {
  const elapsed = formatDuration((job.ended_at ?? now) - job.started_at);
  if (job.ended_at !== undefined) return `took ${elapsed}, ended ${formatClock(job.ended_at)} UTC`;
  const left = job.eta_ms === undefined ? 'time left not known' : `about ${formatDuration(job.eta_ms)} left`;
  return `${elapsed} elapsed, ${left}, started ${formatClock(job.started_at)} UTC`;
}

function runningLines(job: JobView, snapshot: Snapshot): Line[] {
  if (job.ended_at !== undefined) return [];
  const part = job.fraction === undefined ? '' : ` ${formatPercent(job.fraction)}`;
  const wait = jobWait(job, snapshot.now);
  return [
    field('Phase', { text: job.phase ?? 'starting' }),
    field('', ...jobBar(job, BAR, snapshot), { text: part, bold: true }),
    ...(wait ? longField('Waiting', wait, snapshot.columns, 'warn') : []),
    ...(job.progress.item ? longField('Now', job.progress.item, snapshot.columns) : []),
    field('Rate', { text: speeds(job) }),
  ];
}

function shownValue(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (name.endsWith('_bytes')) return formatBytes(value);
  return name.endsWith('_ms') ? formatDuration(value) : formatExact(value);
}

/** The result without what is a list: that has lines of its own. */
function resultLines(job: JobView, snapshot: Snapshot): Line[] {
  const { columns } = snapshot;
  const told = restoreResultLines(job, snapshot);
  if (told) return told;
  return Object.entries(job.result ?? {})
    .filter(([, value]) => typeof value !== 'object' || value === null)
    .flatMap(([name, value]) => {
      const label = sanitize(name)
        .replace(/_(bytes|ms)$/, '')
        .replaceAll('_', ' ');
      return longField(label.slice(0, 14), shownValue(name, value), columns);
    });
}

function itemLines(job: JobView, { columns, glyphs }: Snapshot): Line[] {
  if (job.item_count === 0) return [];
  const failed = job.failed_count > 0 ? `, ${plural(job.failed_count, 'failed', 'failed')}` : '';
  const lost = job.item_count - job.items.length;
  // What failed is what one has come for.
  const items = job.items.toSorted((a, b) => Number(a.ok) - Number(b.ok));
  return [
    heading(`${plural(job.item_count, 'item')}${failed}`, columns, glyphs),
    ...items.flatMap(({ item, ok, message, error }): Line[] => [
      [
        { text: `  ${ok ? glyphs.ok : glyphs.bad} `, tone: ok ? 'good' : 'bad' },
        { text: bareName(item), bold: !ok },
      ],
      ...longField(ok ? '' : 'Why', message, columns, ok ? 'dim' : 'bad'),
      ...(error?.hint ? longField('What to do', error.hint, columns) : []),
    ]),
    ...(lost > 0 ? [field('', { text: `and ${plural(lost, 'more', 'more')}`, tone: 'dim' })] : []),
  ];
}

function troubleLines(job: JobView, { columns, glyphs }: Snapshot): Line[] {
  const lost = job.warning_count - job.warnings.length;
  return [
    ...(job.warning_count > 0
      ? [
          heading(plural(job.warning_count, 'warning'), columns, glyphs),
          ...job.warnings.flatMap((warning) => longField(glyphs.warn, warning, columns, 'warn')),
          ...(lost > 0 ? [field('', { text: `and ${plural(lost, 'more', 'more')}`, tone: 'dim' })] : []),
        ]
      : []),
  ];
}

function whoLine(job: JobView): string {
  const { host, pid } = job.by ?? {};
  return `${jobOwner(job)}; process ${pid} on ${host}`;
}

function queuedLines(job: JobRow, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  return [
    heading(sanitize(job.title), columns, glyphs),
    field('State', jobState(job, snapshot)),
    field('Waits', {
      text: `${formatDuration(now - job.started_at)}, for the archives before it to be done`,
    }),
    field('', { text: 'x takes it out of the queue', tone: 'dim' }),
  ];
}

function jobLines(job: JobRow, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  if (job.queued) return queuedLines(job, snapshot);
  return [
    heading(sanitize(job.title), columns, glyphs),
    field('State', jobState(job, snapshot)),
    ...(job.error
      ? [
          ...longField('Why', job.error.message, columns, job.state === 'failed' ? 'bad' : 'warn'),
          ...(job.error.hint ? longField('What to do', job.error.hint, columns) : []),
        ]
      : []),
    ...runningLines(job, snapshot),
    ...(tellsItself(job)
      ? []
      : [field('Done', { text: jobDone(job) }), field('Bytes', { text: jobBytes(job) })]),
    field('Time', { text: times(job, now) }),
    field('Retries', { text: job.retries === 0 ? 'none' : String(job.retries) }),
    ...(job.by ? longField('By', whoLine(job), columns) : []),
    field('Id', { text: job.id, tone: 'dim' }),
    ...itemLines(job, snapshot),
    ...(job.result ? [heading('Result', columns, glyphs), ...resultLines(job, snapshot)] : []),
    ...troubleLines(job, snapshot),
    heading('Phases', columns, glyphs),
    ...job.phases.map((phase) => field(formatClock(phase.at), { text: phase.name })),
  ];
}

/** A job in full: live while it runs. */
export function jobPage(snapshot: Snapshot, id: string | undefined): readonly Line[] {
  const job = jobRows(snapshot).find((candidate) => candidate.id === id);
  return job ? jobLines(job, snapshot) : [[{ text: '  The job is not known any more.', tone: 'dim' }]];
}
