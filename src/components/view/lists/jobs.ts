import type { JobView } from '../../../core/index.ts';
import { jobBar, jobEta, jobSpeed, jobState } from '../jobs.ts';
import { listOf } from '../rows.ts';
import { formatDuration } from '../time.ts';
import { formatBytes, formatPercent } from '../units.ts';

const BAR = 10;

export const jobsList = listOf<JobView>({
  columns: [
    {
      id: 'job',
      title: 'Job',
      width: 14,
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
      cell: (job, snapshot) =>
        job.ended_at === undefined
          ? [
              ...jobBar(job, BAR, snapshot),
              { text: job.fraction === undefined ? '   ? ' : formatPercent(job.fraction).padStart(5) },
            ]
          : { text: job.phase ?? '', tone: 'dim' },
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
      cell: (job, { now }) => ({ text: formatDuration((job.ended_at ?? now) - job.started_at), tone: 'dim' }),
      value: (job) => job.started_at,
    },
    {
      id: 'stored',
      title: 'Stored',
      width: 9,
      align: 'right',
      drop: 4,
      cell: (job) => ({
        text: job.progress.bytes_out === undefined ? '-' : formatBytes(job.progress.bytes_out),
        tone: 'dim',
      }),
      value: (job) => job.progress.bytes_out,
    },
    {
      id: 'trouble',
      title: 'Trouble',
      width: 14,
      grow: 2,
      drop: 2,
      cell: (job) => ({ text: troubleOf(job), tone: job.error ? 'bad' : 'warn' }),
      value: (job) => job.warning_count + job.retries,
    },
  ],
  records: ({ jobs }) => jobs,
  id: (job) => job.id,
  search: (job) => `${job.title} ${job.kind} ${job.state} ${job.error?.message ?? ''}`,
  // The store has the newest first.
  sort: { column: '', descending: false },
});

/** What a person should know of a job, in a few words. */
export function troubleOf(job: JobView): string {
  if (job.error && job.state === 'failed') return job.error.message;
  const parts = [
    job.waiting ? `waiting: ${job.waiting.reason}` : '',
    job.retries > 0 ? `${job.retries} ${job.retries === 1 ? 'retry' : 'retries'}` : '',
    job.warning_count > 0 ? `${job.warning_count} ${job.warning_count === 1 ? 'warning' : 'warnings'}` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
