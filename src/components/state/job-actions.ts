import {
  asBifractError,
  type Fractal,
  type JobView,
  jobFacts,
  RESUMABLE,
  ROLLED_BACK,
} from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import { jobOwner } from '../view/jobs.ts';
import { archiveRows } from '../view/lists/archive-rows.ts';
import { jobOfFractal } from '../view/lists/file-cells.ts';
import { rowUnderCursor } from '../view/lists/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { ArchiveSplit, Snapshot } from '../view/types.ts';
import { ask, chooseValue, openDialog, startAndShow } from './dialogs.ts';
import { commonValue, selectedFractals, selectedJob } from './selection.ts';
import type { Session } from './session.ts';

/** Jobs that have not ended. */
export function runningJobs({ jobs }: Snapshot): readonly JobView[] {
  return jobs.filter((job) => job.ended_at === undefined);
}

/** Asks whether to make a backup; one at a time. */
export function askForBackup(session: Session) {
  const { jobs, installation } = session.snapshot();
  if (jobs.some((job) => job.kind === 'backup' && job.ended_at === undefined))
    return session.notify('warn', 'A backup is already running', { hint: 'Press 5 to show the job.' });
  ask(
    session,
    {
      title: 'Back up the PostgreSQL database?',
      tone: 'info',
      lines: [`It is written to ${installation.storage}.`],
      answer: 'Back up',
    },
    () => session.startJob({ kind: 'backup' }),
  );
}

/** Asks whether to archive the selected fractals; each is split as it is configured unless `split` is given. */
export function askToArchive(session: Session, split?: ArchiveSplit) {
  const chosen = selectedFractals(session.snapshot());
  const [first] = chosen;
  if (!first) return;
  const { jobs } = session.snapshot();
  // There is nothing to ask, only to say why.
  if (chosen.every(({ id }) => jobOfFractal(jobs, id))) return archive(session, chosen, split);
  ask(
    session,
    {
      title: `Archive ${chosen.length === 1 ? `"${first.name}"` : plural(chosen.length, 'fractal')}?`,
      tone: 'info',
      lines: [],
      items: chosen.map(({ name, log_count, archive_split }) => [
        { text: `${name}: ${plural(log_count, 'row')}, ${splitLabel(split ?? archive_split)}` },
      ]),
      answer: 'Archive',
    },
    () => archive(session, chosen, split),
  );
}

function splitLabel(split: string): string {
  const [, , label = split] = SPLITS.find(([value]) => value === split) ?? [];
  return label.charAt(0).toLowerCase() + label.slice(1);
}

/** Archives fractals one after another. */
function archive(session: Session, chosen: readonly Fractal[], split?: ArchiveSplit) {
  const { queue } = session;
  session.dispatch({ type: 'clearSelection', key: listKey(currentScreen(session.snapshot())) });
  if (chosen.length > 1)
    session.notify('info', `${plural(chosen.length, 'fractal')} will be archived one after another`);
  for (const fractal of chosen) {
    const { id, name } = fractal;
    const job = jobOfFractal(session.snapshot().jobs, id);
    if (job) {
      const text =
        job.kind === 'archive'
          ? `${name} is already being archived`
          : `An archive is being restored into ${name}`;
      session.notify('warn', text, { hint: 'Press 5 to show the job.' });
    } else if (queue.state().some((one) => one.fractal_id === id)) {
      session.notify('warn', `${name} is already queued`, { hint: 'Press 5 to show the queue.' });
    } else {
      queue.add(fractal, split);
      if (chosen.length === 1 && queue.state().length > 0)
        session.notify('info', `${name} is queued until the running archive has finished`);
    }
  }
}

function cancel(session: Session, jobs: readonly JobView[]) {
  for (const job of jobs) {
    session.jobs.markCancelling(job.id);
    session.engine.cancel(job.id);
  }
}

/** Asks for confirmation to cancel the selected job; a queued one is removed at once. */
export function confirmCancel(session: Session) {
  const job = selectedJob(session.snapshot());
  if (!job) return;
  if (job.queued) {
    session.queue.remove(job.id);
    if (currentScreen(session.snapshot()).name === 'job') session.dispatch({ type: 'back' });
    return session.notify('info', `${job.title}: removed from the queue`);
  }
  openDialog(session, {
    title: 'Cancel this job?',
    escape: 'keep running',
    tone: 'warn',
    lines: [
      job.title,
      ...(job.by ? [`Started by ${jobOwner(job)}.`] : []),
      jobFacts(job.kind).cancelEffect ?? 'It stops as soon as that is safe.',
    ],
    options: [
      { key: 'n', label: 'Keep running', safe: true, run: () => {} },
      { key: 'y', label: 'Cancel job', safe: false, run: () => cancel(session, [job]) },
    ],
  });
}

/** Running jobs that would stop with this console. */
function jobsEndingWithConsole({ engine, snapshot }: Session): readonly JobView[] {
  return runningJobs(snapshot()).filter(({ id }) => !engine.outlives(id));
}

const LOST_PLAN = 'The plan of a restore will be lost';

/**
 * Quits, or switches to the installation `next`; asks first if jobs would be cancelled, or the queue or the plan of a
 * restore dropped.
 */
export function quit(session: Session, next?: string) {
  const stopping = jobsEndingWithConsole(session);
  const queued = session.queue.state().length;
  const planned = session.wizard.state()?.plan !== undefined;
  if (stopping.length === 0 && queued === 0 && !planned) return session.leave(next);
  const continuing = runningJobs(session.snapshot()).length - stopping.length;
  const verb = next === undefined ? 'Quit' : 'Switch';
  openDialog(session, {
    escape: 'stay',
    title:
      stopping.length > 0
        ? `${verb} and cancel ${plural(stopping.length, 'running job')}?`
        : queued > 0
          ? `${verb}? ${plural(queued, 'queued archive')} will not run`
          : `${verb}? ${LOST_PLAN}`,
    tone: 'warn',
    lines: [
      ...stopping.slice(0, 5).map((job) => job.title),
      ...(queued > 0 && stopping.length > 0 ? [`${plural(queued, 'queued archive')} will not run.`] : []),
      ...(planned && stopping.length + queued > 0 ? [`${LOST_PLAN}.`] : []),
      ...(continuing > 0 ? [`${plural(continuing, 'running job')} will continue without the console.`] : []),
    ],
    options: [
      { key: 'n', label: 'Stay', safe: true, run: () => {} },
      {
        key: 'y',
        label: stopping.length > 0 ? `${verb} and cancel jobs` : verb,
        safe: false,
        run: () => quitNow(session, next),
      },
    ],
  });
}

/** Quits or switches without asking. The caller of `openConsole` closes the engine, which waits for the jobs to end. */
export function quitNow(session: Session, next?: string) {
  const stopping = jobsEndingWithConsole(session);
  // Leave first: otherwise the end of a job would start the next queued one.
  session.leave(next);
  cancel(session, stopping);
}

/** How archives can be split. */
export const SPLITS: readonly (readonly [ArchiveSplit, key: string, label: string])[] = [
  ['none', 'n', 'One file'],
  ['hour', 'h', 'One file per hour'],
  ['day', 'd', 'One file per day'],
  ['week', 'w', 'One file per week (Monday to Sunday)'],
];

/** Asks how to split the archives of the selected fractals, and whether to start them. The configured split has the focus. */
export function chooseSplit(session: Session) {
  const chosen = selectedFractals(session.snapshot());
  const [first] = chosen;
  if (!first) return;
  chooseValue(session, {
    title: `Archive ${chosen.length === 1 ? `"${first.name}"` : plural(chosen.length, 'fractal')} as`,
    line: 'Periods are in UTC. Each file can be restored or deleted on its own.',
    values: SPLITS,
    current: commonValue(chosen, 'archive_split'),
    run: (split) => askToArchive(session, split),
  });
}

/** The selected job, archive or group if it may be resumable; else why it is not. */
export function resumable(snapshot: Snapshot): { id: string } | { why: string } {
  const screen = currentScreen(snapshot);
  return screen.name === 'jobs' || screen.name === 'job'
    ? resumableJob(snapshot)
    : resumableArchive(snapshot);
}

function resumableJob(snapshot: Snapshot): { id: string } | { why: string } {
  const job = selectedJob(snapshot);
  if (!job) return { why: 'no job selected' };
  if (job.ended_at === undefined) return { why: 'the job is still running' };
  if (job.state === 'done') return { why: 'the job has completed' };
  if (job.error?.hint === ROLLED_BACK) return { why: 'its partial work was rolled back; start it again' };
  // A cancelled restore can have sent rows that the same restore must not send again; others start over.
  if (job.state === 'cancelled' && job.kind !== 'restore-archive')
    return { why: 'it was cancelled; start it again' };
  return jobFacts(job.kind).keepsPartialWork
    ? { id: job.id }
    : { why: 'jobs of this kind cannot be resumed; start it again' };
}

function resumableArchive(snapshot: Snapshot): { id: string } | { why: string } {
  const screen = currentScreen(snapshot);
  const isList = screen.name === 'archives' || screen.name === 'fractal-archives';
  const id = isList ? rowUnderCursor(snapshot) : screen.subject;
  const records = snapshot.data.archives.value ?? [];
  const row =
    archiveRows(snapshot).find((one) => one.id === id) ?? records.find((record) => record.id === id);
  if (!row) return { why: 'no archive selected' };
  if (row.status === 'completed') return { why: 'the archive is complete' };
  if (jobOfFractal(snapshot.jobs, row.fractal_id)) return { why: 'a job is using the fractal' };
  // The server may have put its own message into the record, but not into that of the group.
  const group = snapshot.data.groups.value?.find((one) => one.id === row.group_id);
  if (row.status === 'failed' && ![row.error_message, group?.error_message].includes(RESUMABLE))
    return { why: 'it was not interrupted; archive the fractal again' };
  return { id: row.id };
}

/** Asks whether to resume the selected work. */
export function askToResume(session: Session) {
  const chosen = resumable(session.snapshot());
  if (!('id' in chosen)) return;
  const lines = ['A new job continues where it stopped.'];
  const question = { title: 'Resume this work?', tone: 'info', lines, answer: 'Resume' } as const;
  ask(session, question, () => void resume(session, chosen.id));
}

/** Resumes work in a new job, and opens its page. */
async function resume(session: Session, id: string) {
  try {
    startAndShow(session, await session.engine.resumeRequest(id, { signal: session.ended }));
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.notify('error', message, { hint });
  }
}
