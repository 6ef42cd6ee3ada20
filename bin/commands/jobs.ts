import { Argument } from 'commander';
import { jobOwner } from '../../src/components/view/jobs.ts';
import { type KnownJob, QUEUE_MOVES, type QueuedJob, type QueueMove } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatAgo, formatDuration } from '../../src/core/text/time.ts';
import { formatBytes, formatPercent, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import { problemLine } from '../jobs/run.ts';
import { table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';
import { ID_HELP } from './attach.ts';

const RECENT_MS = 86_400_000;

type Input = { all: boolean } | { id: string; to: QueueMove };

/** Lists the queue, and jobs of every process: running, unsettled and those of the last day, or all. */
export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description(
        'List running jobs, the queue, and jobs that ended in the last 24 hours, from any console, cron job or shell',
      )
      .helpCommand('help [command]', 'Print help for a command')
      .option('--all', 'List all known jobs', false)
      .action(choose);
    addFooter(command.command('move <id>'), ID_HELP)
      .description('Move a queued job')
      .addArgument(new Argument('<to>', 'Where to move it').choices(QUEUE_MOVES))
      .action((id: string, to: QueueMove) => choose({ id, to }));
  },
  run: (input, context) =>
    withEngine(context, (session) =>
      'id' in input ? moveQueued(session, input.id, input.to) : listJobs(session, input.all),
    ),
  only_output: true,
});

async function moveQueued(
  { engine, printer }: Pick<Session, 'engine' | 'printer'>,
  wanted: string,
  to: QueueMove,
): Promise<number> {
  const job = await engine.findJob(wanted);
  await engine.moveQueued(job, to);
  const position = (await engine.queuedJobs()).find(({ id }) => id === job)?.position || null;
  const where = position === null ? 'has started' : `is now number ${position} in the queue`;
  printer.result({ job, position }, [`${job} ${where}.`]);
  return 0;
}

async function listJobs(
  { engine, printer, signal }: Pick<Session, 'engine' | 'printer' | 'signal'>,
  all: boolean,
): Promise<number> {
  const now = Date.now();
  const waiting = await engine.queuedJobs();
  const known = await engine.knownJobs({ signal });
  const queued = waiting.filter(({ id }) => !known.some((job) => job.id === id));
  const jobs = known.filter(
    ({ live, ended_at = now, unsettled }) => all || live || unsettled || now - ended_at < RECENT_MS,
  );
  const left = known.length - jobs.length;
  const live = jobs.filter((job) => job.live);
  const ended = jobs.filter((job) => !job.live);
  printer.list(
    [...live.map(jobReport), ...queued.map(queuedReport), ...ended.map(jobReport)],
    [...queueLines(queued, now), ...jobLines(jobs, { now, left })],
  );
  return 0;
}

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
    position: null,
    queued_at: null,
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

/** A queued job, with the same keys. */
function queuedReport({ id, kind, title, target, position, queued_at, by, problem }: QueuedJob): object {
  return {
    id,
    kind,
    title,
    target,
    state: 'queued',
    position,
    queued_at,
    started_at: null,
    ended_at: null,
    by,
    progress: {},
    retries: 0,
    warnings: 0,
    failed_items: 0,
    unsettled: false,
    ...(problem ? { error: problem } : {}),
  };
}

/** A table of the queue, and an empty line; nothing if it is empty. */
function queueLines(queued: readonly QueuedJob[], now: number): string[] {
  if (queued.length === 0) return [];
  const rows = table(queued, [
    { title: 'QUEUE', cell: ({ position }) => (position === 0 ? 'starting' : String(position)), right: true },
    { title: 'ID', cell: ({ id }) => id, short: shortId },
    { title: 'QUEUED', cell: ({ queued_at }) => formatAgo(now - Date.parse(queued_at)), rank: 1 },
    { title: 'BY', cell: (job) => jobOwner(job), rank: 2 },
    { title: 'JOB', cell: ({ title }) => title, wraps: true },
  ]);
  return [...rows, ...queued.filter(({ problem }) => problem).map(problemLine), ''];
}

/** A table of jobs, and below it what to do about those that crashed. `left` older jobs are not shown. */
function jobLines(jobs: readonly KnownJob[], { now, left }: { now: number; left: number }): string[] {
  const others =
    left > 0 ? [`${plural(left, 'older job')} not shown; list them with \`bifract jobs --all\`.`] : [];
  if (jobs.length === 0) return ['No jobs are running, and none ended within the last day.', ...others];
  const rows = table(jobs, [
    { title: 'ID', cell: ({ id }) => id, short: shortId },
    { title: 'STATE', cell: stateLabel },
    { title: 'DONE', cell: doneOf, right: true },
    {
      title: 'TIME',
      cell: ({ started_at, ended_at }) => formatDuration((ended_at ?? now) - started_at),
      right: true,
    },
    {
      title: 'ENDED',
      cell: ({ ended_at }) => (ended_at === undefined ? '-' : formatAgo(now - ended_at)),
      rank: 1,
    },
    { title: 'BY', cell: (job) => `${jobOwner(job)}, pid ${job.by?.pid ?? '?'}`, rank: 2 },
    { title: 'JOB', cell: ({ title }) => title, wraps: true },
  ]);
  return [...rows, ...jobs.flatMap(crashLines), ...others];
}

/** The part of an ID that commands accept for it. */
function shortId({ id }: { id: string }): string {
  return id.slice(id.lastIndexOf('-') + 1);
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
