import type { JobView, QueuedJob } from '../../../core/index.ts';
import { formatAge } from '../../../core/text/time.ts';
import { formatPercent } from '../../../core/text/units.ts';
import { formatBytes, formatStamp } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { jobBar, jobEta, jobOwner, jobSpeed, jobState, shortDuration } from '../jobs.ts';
import { memo } from '../snapshot.ts';
import { averageRate, throughput } from '../throughput.ts';
import type { Snapshot } from '../types.ts';
import { listOf } from './list.ts';

const BAR = 10;
const PERCENT = 5;
const DURATION = 7;

/** A job, or one that waits in the queue. */
export type JobRow = JobView & { queued?: QueuedJob };

/** By position in the queue. */
const PLACES = ['Starting', 'Next in the queue'];

function queuedRow(queued: QueuedJob): JobRow {
  const { id, kind, title, target, by, position, queued_at } = queued;
  return {
    id,
    queued,
    kind,
    title,
    target,
    by,
    state: 'running',
    phase: PLACES[position] ?? `Number ${position} in the queue`,
    phases: [],
    progress: {},
    started_at: Date.parse(queued_at),
    retries: 0,
    warnings: [],
    warning_count: 0,
    items: [],
    item_count: 0,
    failed_count: 0,
    log: [],
    points: [],
  };
}

const EMPTY: readonly JobView[] = [];

const allJobs = memo(
  (jobs: readonly JobView[], queue: readonly QueuedJob[], history: readonly JobView[]): readonly JobRow[] => {
    // The queue may have been read before the job started.
    const known = new Set(jobs.map(({ id }) => id));
    const older = history.filter(({ id, ended_at }) => ended_at !== undefined && !known.has(id));
    return [
      ...jobs.filter(({ ended_at }) => ended_at === undefined),
      ...queue.filter(({ id }) => !known.has(id)).map(queuedRow),
      ...[...jobs.filter(({ ended_at }) => ended_at !== undefined), ...older].sort(newestFirst),
    ];
  },
);

function newestFirst(one: JobView, other: JobView): number {
  return other.started_at - one.started_at;
}

/** Running jobs, then the queue, the next one first, and then jobs that have ended, newest first. */
export function jobRows({ jobs, queue, data }: Pick<Snapshot, 'jobs' | 'queue' | 'data'>): readonly JobRow[] {
  return allJobs(jobs, queue, data.history.value ?? EMPTY);
}

/** Jobs that are running or queued. */
export function unfinishedJobs(snapshot: Pick<Snapshot, 'jobs' | 'queue' | 'data'>): readonly JobRow[] {
  return jobRows(snapshot).filter(({ ended_at }) => ended_at === undefined);
}

function progress(job: JobRow, snapshot: Snapshot): Line {
  if (job.queued) return [{ text: '-', tone: 'dim' }];
  if (job.ended_at !== undefined) {
    const took = shortDuration(job.ended_at - job.started_at).padStart(DURATION);
    const rates = throughput(job, BAR + PERCENT - DURATION - 1, snapshot.now, snapshot.symbols);
    return [{ text: `${took} `, tone: 'dim' }, ...(rates ? [rates] : [])];
  }
  const part = job.fraction === undefined ? '   ? ' : formatPercent(job.fraction).padStart(5);
  return [...jobBar(job, BAR, snapshot), { text: part }];
}

/** As short as the time left of a running job. */
function endedAgo(ms: number): string {
  const age = formatAge(ms);
  return age === 'now' ? age : `${age} ago`;
}

export const jobsList = listOf<JobRow>({
  columns: [
    {
      id: 'job',
      title: 'Job',
      width: 15,
      grow: 2,
      cell: (job) => ({ text: job.title }),
      value: (job) => job.title,
    },
    {
      id: 'state',
      title: 'State',
      width: 12,
      cell: jobState,
      value: (job) => job.state,
    },
    {
      id: 'progress',
      title: 'Progress',
      width: BAR + PERCENT,
      cell: progress,
      value: (job) => job.fraction,
    },
    {
      id: 'phase',
      title: 'Phase',
      width: 16,
      grow: 2,
      drop: 3,
      cell: (job) => ({ text: job.phase ?? '-', tone: 'dim' }),
      value: (job) => job.phase,
    },
    {
      id: 'speed',
      title: 'Rate',
      width: 12,
      align: 'right',
      // Of a job that has ended, the average.
      cell: (job, { now }) =>
        job.ended_at === undefined
          ? { text: jobSpeed(job) }
          : { text: averageRate(job, now) ?? '-', tone: 'dim' },
      value: (job) => job.rows_per_second ?? job.bytes_per_second,
    },
    {
      id: 'eta',
      title: 'Left',
      width: 7,
      align: 'right',
      cell: (job, { now }) =>
        job.ended_at === undefined
          ? { text: jobEta(job) }
          : { text: endedAgo(now - job.ended_at), tone: 'dim' },
      value: (job) => job.eta_ms ?? job.ended_at,
    },
    {
      id: 'ended',
      title: 'Ended',
      width: 16,
      drop: 3,
      cell: ({ ended_at }) => ({ text: formatStamp(ended_at ?? null).slice(0, 16), tone: 'dim' }),
      value: ({ ended_at }) => ended_at,
    },
    {
      id: 'elapsed',
      title: 'Elapsed',
      width: 7,
      align: 'right',
      drop: 1,
      cell: (job, { now }) => ({ text: shortDuration((job.ended_at ?? now) - job.started_at), tone: 'dim' }),
      value: (job) => job.started_at,
    },
    {
      id: 'by',
      title: 'By',
      width: 10,
      drop: 4,
      cell: (job) => ({ text: jobOwner(job), tone: 'dim' }),
      value: jobOwner,
    },
    {
      id: 'stored',
      title: 'Stored',
      width: 9,
      align: 'right',
      drop: 5,
      cell: (job) => ({
        text: job.progress.bytes_out === undefined ? '-' : formatBytes(job.progress.bytes_out),
        tone: 'dim',
      }),
      value: (job) => job.progress.bytes_out,
    },
    {
      id: 'problems',
      title: 'Problems',
      width: 14,
      grow: 2,
      drop: 2,
      cell: (job) => ({ text: jobProblem(job), tone: job.error || job.queued ? 'bad' : 'warn' }),
      value: (job) => job.warning_count + job.retries,
    },
  ],
  records: jobRows,
  id: (job) => job.id,
  // The store already lists the newest first.
  sort: { column: '', descending: false },
});

/** The error of a failed job, else its waits, retries and warnings in short. */
export function jobProblem(job: JobRow): string {
  if (job.queued) return job.queued.problem?.message ?? '';
  if (job.error && job.state === 'failed') return job.error.message;
  const parts = [
    job.waiting ? `waiting: ${job.waiting.reason}` : '',
    job.retries > 0 ? `${job.retries} ${job.retries === 1 ? 'retry' : 'retries'}` : '',
    job.failed_count > 0 ? `${job.failed_count} of ${job.item_count} failed` : '',
    job.warning_count > 0 ? `${job.warning_count} ${job.warning_count === 1 ? 'warning' : 'warnings'}` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
