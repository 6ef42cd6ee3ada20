import { asBifractError, type Fractal, type JobView, jobFacts, type QueueMove } from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import { jobOwner } from '../view/jobs.ts';
import { archiveRows } from '../view/lists/archive-rows.ts';
import { jobOfFractal } from '../view/lists/file-cells.ts';
import { rowUnderCursor } from '../view/lists/index.ts';
import { type JobRow, jobRows } from '../view/lists/jobs.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { ArchiveSplit, Snapshot } from '../view/types.ts';
import { ask, chooseValue, clearSelection, openDialog, startAndShow } from './dialogs.ts';
import { move } from './navigation.ts';
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
  // There may be nothing to ask, only to say why.
  if (chosen.every((fractal) => inUse(session.snapshot(), fractal)))
    return void archive(session, chosen, split);
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
    () => void archive(session, chosen, split),
  );
}

function splitLabel(split: string): string {
  const [, , label = split] = SPLITS.find(([value]) => value === split) ?? [];
  return label.charAt(0).toLowerCase() + label.slice(1);
}

/**
 * Queues fractals: they are archived one after another, because each archive can use much memory in ClickHouse. Each is
 * split as it is configured unless `split` is given.
 */
async function archive(session: Session, chosen: readonly Fractal[], split?: ArchiveSplit) {
  clearSelection(session);
  const free = chosen.filter((fractal) => isFree(session, fractal));
  if (free.length > 1)
    session.notify('info', `${plural(free.length, 'fractal')} will be archived one after another`);
  try {
    for (const { id, name } of free) {
      const job = await session.engine.enqueue({
        kind: 'archive',
        fractal_id: id,
        fractal_name: name,
        ...(split ? { split } : {}),
      });
      await session.queue.refresh();
      const position = session.queue.state().find((one) => one.id === job)?.position ?? 0;
      if (free.length === 1 && position > 0)
        session.notify('info', `${name} is number ${position} in the queue`, { hint: 'Press 5 to show it.' });
    }
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `Cannot queue the archive: ${message}`, { hint });
  }
}

/** What uses a fractal, or will archive it. */
function inUse(snapshot: Snapshot, { id, name }: Fractal): { text: string; hint: string } | undefined {
  const job = jobOfFractal(snapshot.jobs, id);
  if (job?.kind === 'archive')
    return { text: `${name} is already being archived`, hint: 'Press 5 to show the job.' };
  if (job) return { text: `An archive is being restored into ${name}`, hint: 'Press 5 to show the job.' };
  const queued = jobRows(snapshot).some((one) => one.queued && one.target?.id === id);
  return queued ? { text: `${name} is already queued`, hint: 'Press 5 to show the queue.' } : undefined;
}

/** Whether nothing uses a fractal or will archive it; else says so. */
function isFree(session: Session, fractal: Fractal): boolean {
  const use = inUse(session.snapshot(), fractal);
  if (use) session.notify('warn', use.text, { hint: use.hint });
  return !use;
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
  if (job.queued) return void removeQueued(session, job);
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

async function removeQueued(session: Session, { id, title }: JobRow) {
  try {
    const removed = await session.engine.removeQueued(id);
    await session.queue.refresh();
    if (!removed)
      return session.notify('warn', `${title} has just started`, { hint: 'Press x again to cancel it.' });
    const screen = currentScreen(session.snapshot());
    if (screen.name === 'job' && screen.subject === id) session.dispatch({ type: 'back' });
    session.notify('info', `${title}: removed from the queue`);
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `${title} is still queued: ${message}`, { hint });
  }
}

/** Moves the queued job under the cursor. */
export async function moveQueued(session: Session, to: QueueMove) {
  const job = selectedJob(session.snapshot());
  if (!job?.queued) return;
  // The cursor stays with the job.
  move(session, { rows: 0 });
  try {
    await session.engine.moveQueued(job.id, to);
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.notify('warn', message, { hint });
  }
  await session.queue.refresh();
}

/** Running jobs that would stop with this console. */
function jobsEndingWithConsole({ engine, snapshot }: Session): readonly JobView[] {
  return runningJobs(snapshot()).filter(({ id }) => !engine.outlives(id));
}

const LOST_PLAN = 'The plan of a restore will be lost';

/** Quits, or switches to the installation `next`; asks first if jobs would be cancelled, or the plan of a restore dropped. */
export function quit(session: Session, next?: string) {
  const stopping = jobsEndingWithConsole(session);
  const planned = session.wizard.state()?.plan !== undefined;
  if (stopping.length === 0 && !planned) return session.leave(next);
  const continuing = runningJobs(session.snapshot()).length - stopping.length;
  const verb = next === undefined ? 'Quit' : 'Switch';
  openDialog(session, {
    escape: 'stay',
    title:
      stopping.length > 0
        ? `${verb} and cancel ${plural(stopping.length, 'running job')}?`
        : `${verb}? ${LOST_PLAN}`,
    tone: 'warn',
    lines: [
      ...stopping.slice(0, 5).map((job) => job.title),
      ...(planned && stopping.length > 0 ? [`${LOST_PLAN}.`] : []),
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

/** The selected job, archive or group if it can be resumed; else why it cannot. */
export function resumable(snapshot: Snapshot): { id: string } | { why: string } {
  const screen = currentScreen(snapshot);
  const found =
    screen.name === 'jobs' || screen.name === 'job' ? endedJob(snapshot) : brokenArchive(snapshot);
  if ('why' in found) return found;
  const { value } = snapshot.data.resumable;
  if (!value) return { why: 'what is left of it is not known yet' };
  return value.has(found.id) ? found : { why: 'nothing is left of it to continue with; start it again' };
}

function endedJob(snapshot: Snapshot): { id: string } | { why: string } {
  const job = selectedJob(snapshot);
  if (!job) return { why: 'no job selected' };
  if (job.queued) return { why: 'the job has not started' };
  if (job.ended_at === undefined) return { why: 'the job is still running' };
  return job.state === 'done' ? { why: 'the job has completed' } : { id: job.id };
}

function brokenArchive(snapshot: Snapshot): { id: string } | { why: string } {
  const screen = currentScreen(snapshot);
  const isList = screen.name === 'archives' || screen.name === 'fractal-archives';
  const id = isList ? rowUnderCursor(snapshot) : screen.subject;
  const records = snapshot.data.archives.value ?? [];
  const row =
    archiveRows(snapshot).find((one) => one.id === id) ?? records.find((record) => record.id === id);
  if (!row) return { why: 'no archive selected' };
  if (row.status === 'completed') return { why: 'the archive is complete' };
  return jobOfFractal(snapshot.jobs, row.fractal_id) ? { why: 'a job is using the fractal' } : { id: row.id };
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
