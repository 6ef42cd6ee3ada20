import type { JobView } from '../../../core/index.ts';
import { formatPercent } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import { jobBar, jobEta, jobOwner, jobSpeed, jobState, shortDuration } from '../jobs.ts';
import { memo } from '../snapshot.ts';
import type { QueuedArchive, Snapshot } from '../types.ts';
import { listOf } from './list.ts';

const BAR = 10;

/** A job, or a queued archive. */
export type JobRow = JobView & { queued?: true };

function queuedRow({ id, fractal_id, fractal_name, at }: QueuedArchive): JobRow {
  return {
    id,
    queued: true,
    kind: 'archive',
    title: `Archive of ${fractal_name}`,
    target: { kind: 'fractal', id: fractal_id },
    state: 'running',
    phase: 'Waiting for the previous archive',
    phases: [],
    progress: {},
    started_at: at,
    retries: 0,
    warnings: [],
    warning_count: 0,
    items: [],
    item_count: 0,
    failed_count: 0,
  };
}

const withQueue = memo((jobs: readonly JobView[], queue: readonly QueuedArchive[]): readonly JobRow[] => [
  ...queue.map(queuedRow).toReversed(),
  ...jobs,
]);

/** The queued archives, the next one last, and then the jobs, newest first. */
export function jobRows({ jobs, queue }: Pick<Snapshot, 'jobs' | 'queue'>): readonly JobRow[] {
  return withQueue(jobs, queue);
}

function progress(job: JobRow, snapshot: Snapshot): Line {
  if (job.queued) return [{ text: '-', tone: 'dim' }];
  if (job.ended_at !== undefined)
    return [{ text: `took ${shortDuration(job.ended_at - job.started_at)}`, tone: 'dim' }];
  const part = job.fraction === undefined ? '   ? ' : formatPercent(job.fraction).padStart(5);
  return [...jobBar(job, BAR, snapshot), { text: part }];
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
      width: BAR + 5,
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
      cell: (job) => ({ text: jobSpeed(job) }),
      value: (job) => job.rows_per_second ?? job.bytes_per_second,
    },
    {
      id: 'eta',
      title: 'Left',
      width: 7,
      align: 'right',
      cell: (job) => ({ text: jobEta(job) }),
      value: (job) => job.eta_ms,
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
      cell: (job) => ({ text: jobProblem(job), tone: job.error ? 'bad' : 'warn' }),
      value: (job) => job.warning_count + job.retries,
    },
  ],
  records: jobRows,
  id: (job) => job.id,
  // The store already lists the newest first.
  sort: { column: '', descending: false },
});

/** The error of a failed job, else its waits, retries and warnings in short. */
export function jobProblem(job: JobView): string {
  if (job.error && job.state === 'failed') return job.error.message;
  const parts = [
    job.waiting ? `waiting: ${job.waiting.reason}` : '',
    job.retries > 0 ? `${job.retries} ${job.retries === 1 ? 'retry' : 'retries'}` : '',
    job.failed_count > 0 ? `${job.failed_count} of ${job.item_count} failed` : '',
    job.warning_count > 0 ? `${job.warning_count} ${job.warning_count === 1 ? 'warning' : 'warnings'}` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
