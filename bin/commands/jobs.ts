import { take } from '../../src/components/text/text.ts';
import { jobOwner } from '../../src/components/view/jobs.ts';
import type { KnownJob } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatAgo, formatDuration } from '../../src/core/text/time.ts';
import { formatBytes, formatPercent, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { table } from '../output/tables.ts';
import { withEngine } from '../session.ts';

const RECENT_MS = 86_400_000;

/** Lists jobs of every process: running, unsettled and those of the last day, or all. */
export const command = defineCommand<{ all: boolean }>({
  declare(command, choose) {
    command
      .description(
        'List running jobs, and those that ended in the last 24 hours, from any console, cron job or shell',
      )
      .option('--all', 'List all known jobs', false)
      .action(choose);
  },
  run: ({ all }, context) =>
    withEngine(context, async ({ engine, printer, signal }) => {
      const now = Date.now();
      const known = await engine.knownJobs({ signal });
      const jobs = known.filter(
        ({ live, ended_at = now, unsettled }) => all || live || unsettled || now - ended_at < RECENT_MS,
      );
      const left = known.length - jobs.length;
      printer.list(jobs.map(jobReport), jobLines(jobs, { now, left, columns: process.stdout.columns }));
      return 0;
    }),
  only_output: true,
});

/** A job, for programs. */
function jobReport(job: KnownJob): object {
  const { id, kind, title, target, by, phase, progress, retries, warning_count, result, error } = job;
  const stamp = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return {
    id,
    kind,
    title,
    target,
    state: stateOf(job),
    started_at: stamp(job.started_at),
    ended_at: stamp(job.ended_at),
    by,
    phase,
    progress,
    retries,
    warnings: warning_count,
    failed_items: job.failed_count,
    unsettled: job.unsettled,
    result,
    error,
  };
}

/** A table of jobs, and below it what to do about those that crashed. `left` older jobs are not shown. */
function jobLines(
  jobs: readonly KnownJob[],
  { now, left, columns = Number.POSITIVE_INFINITY }: { now: number; left: number; columns?: number },
): string[] {
  const others =
    left > 0 ? [`${plural(left, 'older job')} not shown; list them with \`bifract jobs --all\`.`] : [];
  if (jobs.length === 0) return ['No jobs are running, and none ended within the last day.', ...others];
  const rest = { id: Math.max(...jobs.map(({ id }) => id.length)), fixed: 9 + 8 + 7 + 3 * 2 };
  const title = Math.max(12, columns - rest.id - rest.fixed - 2);
  const wide = columns >= 110;
  const rows = table(jobs, [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'STATE', cell: stateLabel },
    { title: 'DONE', cell: doneOf, right: true },
    {
      title: 'TIME',
      cell: ({ started_at, ended_at }) => formatDuration((ended_at ?? now) - started_at),
      right: true,
    },
    ...(wide
      ? [
          {
            title: 'ENDED',
            cell: ({ ended_at }: KnownJob) => (ended_at === undefined ? '-' : formatAgo(now - ended_at)),
          },
          { title: 'BY', cell: (job: KnownJob) => `${jobOwner(job)}, pid ${job.by?.pid ?? '?'}` },
        ]
      : []),
    { title: 'JOB', cell: (job) => (wide ? job.title : take(sanitize(job.title), title)) },
  ]);
  return [...rows, ...jobs.flatMap(crashLines), ...others];
}

function stateOf({ state, error, live }: KnownJob): string {
  if (error?.code === 'JOB_DIED') return 'died';
  return live && state !== 'running' && state !== 'cancelling' ? 'ending' : state;
}

/** Programs get `died`, people `crashed`. */
function stateLabel(job: KnownJob): string {
  return job.error?.code === 'JOB_DIED' ? 'crashed' : stateOf(job);
}

function doneOf({ fraction, progress }: KnownJob): string {
  if (fraction !== undefined) return formatPercent(fraction);
  return progress.bytes_in === undefined ? '-' : formatBytes(progress.bytes_in);
}

function crashLines({ id, error, unsettled }: KnownJob): string[] {
  if (error?.code !== 'JOB_DIED') return [];
  const action = unsettled ? (error.hint ?? '') : 'No cleanup is needed.';
  return ['', sanitize(`${id}: ${error.message}.`), sanitize(action)];
}
