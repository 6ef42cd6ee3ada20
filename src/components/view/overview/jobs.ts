import type { JobView } from '../../../core/index.ts';
import { formatAgo } from '../../../core/text/time.ts';
import { formatPercent, plural } from '../../../core/text/units.ts';
import type { Span } from '../../text/line.ts';
import { fit } from '../../text/text.ts';
import { jobBar, jobEnd, jobEta, jobSpeed, jobState } from '../jobs.ts';
import { heading } from '../pages/fields.ts';
import type { Screen, Snapshot } from '../types.ts';
import { labeled, marked, type OverviewLine } from './line.ts';

const BAR = 10;

/** What runs and waits, and what failed and was not done again since: at most `limit` lines of each. */
export function jobLines(snapshot: Snapshot, limit: number): OverviewLine[] {
  const { jobs, queue } = snapshot;
  const running = jobs.filter(({ ended_at }) => ended_at === undefined);
  const failed = failedJobs(jobs);
  const waiting = queue.length > 0 ? `, ${plural(queue.length, 'archive')} queued` : '';
  if (running.length === 0 && failed.length === 0 && waiting === '') {
    const text = 'none running, none failed';
    return [labeled('jobs', 'Jobs', { name: 'jobs' }, { text, tone: 'dim' })];
  }
  return [
    ...some(running, limit, 'Running', (job, label) => runningLine(job, label, snapshot)),
    ...(waiting ? [labeled('queued', 'Waiting', { name: 'jobs' }, { text: waiting.slice(2) })] : []),
    ...some(failed, limit, 'Failed', (job, label) => failedLine(job, label, snapshot)),
  ];
}

/** The first lines, and how many more there are. */
function some(
  jobs: readonly JobView[],
  limit: number,
  label: string,
  line: (job: JobView, label: string) => OverviewLine,
): OverviewLine[] {
  const shown = jobs.length > limit ? jobs.slice(0, Math.max(1, limit - 1)) : jobs;
  const more = jobs.length - shown.length;
  return [
    ...shown.map((job, index) => line(job, index === 0 ? label : '')),
    ...(more > 0
      ? [labeled(`more:${label}`, '', { name: 'jobs' }, { text: `${more} more`, tone: 'dim' })]
      : []),
  ];
}

/** Failed jobs, except those of which a later one of the same kind, on the same fractal, was done. */
export function failedJobs(jobs: readonly JobView[]): JobView[] {
  const sameWork = (one: JobView, other: JobView) =>
    one.kind === other.kind && one.target?.id === other.target?.id;
  return jobs.filter(
    (job) =>
      job.state === 'failed' &&
      !jobs.some(
        (later) => later.state === 'done' && later.started_at >= job.started_at && sameWork(later, job),
      ),
  );
}

function runningLine(job: JobView, label: string, snapshot: Snapshot): OverviewLine {
  const part = job.fraction === undefined ? '   ?' : formatPercent(job.fraction).padStart(4);
  const left = job.eta_ms === undefined ? '' : `, ${jobEta(job)} left`;
  const room = Math.max(16, Math.min(44, snapshot.columns - 58));
  const value: Span[] = [
    { text: fit(job.title, room), tone: jobState(job, snapshot).tone },
    { text: ' ' },
    ...jobBar(job, BAR, snapshot),
    { text: part },
    { text: `  ${jobSpeed(job)}${left}`, tone: 'dim' },
  ];
  return labeled(job.id, label, pageOf(job), ...value);
}

function failedLine(job: JobView, label: string, { symbols, now }: Snapshot): OverviewLine {
  const ago = formatAgo(now - (job.ended_at ?? now));
  const why = job.error ? `: ${job.error.message}` : '';
  return labeled(job.id, label, pageOf(job), ...marked(symbols.bad, 'bad', `${ago}, ${job.title}${why}`));
}

function pageOf({ id }: JobView): Screen {
  return { name: 'job', subject: id };
}

/** The last jobs that ended, to fill at most `height` lines. */
export function recentJobs(snapshot: Snapshot, height: number): OverviewLine[] {
  const { jobs, columns, symbols, now } = snapshot;
  const ended = jobs.filter(({ ended_at }) => ended_at !== undefined).slice(0, Math.max(0, height - 2));
  if (ended.length === 0) return [];
  return [
    { id: 'space', spans: [] },
    { id: 'recent', spans: heading('Last jobs', columns, symbols) },
    ...ended.map((job): OverviewLine => {
      const { text, tone } = jobState(job, snapshot);
      const ago = formatAgo(now - (job.ended_at ?? now));
      return {
        id: `recent:${job.id}`,
        spans: [
          { text: `  ${fit(ago, 14)}` },
          { text: `${text.slice(0, 1)} `, tone },
          { text: jobEnd(job).text },
        ],
        target: pageOf(job),
      };
    }),
  ];
}
