import type { JobView } from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import type { ArchiveSplit } from '../view/file-types.ts';
import { jobOwner } from '../view/jobs.ts';
import { jobOfFractal } from '../view/lists/archive-cells.ts';
import { type FractalRecord, fractalRecords } from '../view/lists/fractals.ts';
import { currentScreen, listKey, listStateAt, rowUnderCursor } from '../view/lists/index.ts';
import { type JobRow, jobRows } from '../view/lists/jobs.ts';
import type { DialogState, Prompt, Snapshot } from '../view/types.ts';
import type { Session } from './session.ts';

/** Jobs that have not ended. */
export function runningJobs({ jobs }: Snapshot): readonly JobView[] {
  return jobs.filter((job) => job.ended_at === undefined);
}

/** The fractals an archive action applies to: the selected ones, else the one under the cursor or on the screen. */
export function selectedFractals(snapshot: Snapshot): readonly FractalRecord[] {
  const screen = currentScreen(snapshot);
  const fractals = fractalRecords(snapshot);
  if (screen.name === 'fractals') {
    const { selected: marks } = listStateAt(snapshot, screen);
    const marked = fractals.filter((fractal) => marks.has(fractal.id));
    if (marked.length > 0) return marked;
  }
  const id = screen.name === 'fractals' ? rowUnderCursor(snapshot) : screen.subject;
  return fractals.filter((fractal) => fractal.id === id);
}

/** The job under the cursor or on the screen. */
export function selectedJob(snapshot: Snapshot): JobRow | undefined {
  const screen = currentScreen(snapshot);
  const id =
    screen.name === 'job' ? screen.subject : screen.name === 'jobs' ? rowUnderCursor(snapshot) : undefined;
  return jobRows(snapshot).find((job) => job.id === id);
}

export function startBackup({ startJob }: Session) {
  startJob({ kind: 'backup' });
}

/** Archives the selected fractals one after another; each is split as it is configured unless `split` is given. */
export function archiveSelected(session: Session, split?: ArchiveSplit) {
  const { queue } = session;
  const chosen = selectedFractals(session.snapshot());
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

/** Opens a dialog with its first option focused. */
export function openDialog(session: Session, dialog: Omit<DialogState, 'focus'>) {
  session.dispatch({ type: 'mode', mode: { name: 'dialog', dialog: { ...dialog, focus: 0 } } });
}

/** Opens a prompt for a line of text. */
export function openPrompt(session: Session, prompt: Prompt) {
  session.dispatch({ type: 'mode', mode: { name: 'prompt', prompt } });
}

function cancel(session: Session, jobs: readonly JobView[]) {
  for (const job of jobs) {
    session.jobs.markCancelling(job.id);
    session.engine.cancel(job.id);
  }
}

const PARTIAL_DELETED = 'Its partial output is deleted; nothing else is changed.';
/** What cancelling means, by kind of job. */
const CANCEL_EFFECTS: Readonly<Partial<Record<string, string>>> = {
  backup: PARTIAL_DELETED,
  archive: PARTIAL_DELETED,
  verify: 'Verifying changes nothing. Results so far are kept.',
  adopt: 'Records created so far are kept.',
  clean: 'What has been cleaned up so far stays cleaned up.',
  delete: 'What has been deleted so far is gone; the rest is kept.',
  restore:
    'The live database is not changed before the final swap; what has been restored so far is dropped.',
  drill: 'The scratch database is dropped; nothing else is changed.',
  'restore-archive':
    'Staged rows are dropped. If it is already deleting rows or moving them in, it finishes that first. Lines sent to ingest are kept.',
  copy: 'Finished copies are kept; the partial one is deleted.',
};

/** Asks for confirmation to cancel the selected job; a queued one is removed at once. */
export function confirmCancel(session: Session) {
  const job = selectedJob(session.snapshot());
  if (!job) return;
  if (job.queued) {
    session.queue.remove(job.id);
    return session.notify('info', `${job.title}: removed from the queue`);
  }
  openDialog(session, {
    title: 'Cancel this job?',
    tone: 'warn',
    lines: [
      job.title,
      ...(job.by ? [`Started by ${jobOwner(job)}.`] : []),
      CANCEL_EFFECTS[job.kind] ?? 'It stops as soon as that is safe.',
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

/** Quits; asks first if jobs would be cancelled or the queue dropped. */
export function quit(session: Session) {
  const stopping = jobsEndingWithConsole(session);
  const queued = session.queue.state().length;
  if (stopping.length === 0 && queued === 0) return session.leave();
  const continuing = runningJobs(session.snapshot()).length - stopping.length;
  openDialog(session, {
    title:
      stopping.length > 0
        ? `Quit and cancel ${plural(stopping.length, 'running job')}?`
        : `Quit and drop ${plural(queued, 'queued fractal')}?`,
    tone: 'warn',
    lines: [
      ...stopping.slice(0, 5).map((job) => job.title),
      ...(queued > 0 ? [`${plural(queued, 'queued fractal')} will not be archived.`] : []),
      ...(continuing > 0 ? [`${plural(continuing, 'running job')} will continue without the console.`] : []),
    ],
    options: [
      { key: 'n', label: 'Stay', safe: true, run: () => {} },
      {
        key: 'y',
        label: stopping.length > 0 ? 'Quit and cancel jobs' : 'Quit',
        safe: false,
        run: () => quitNow(session),
      },
    ],
  });
}

/** Quits without asking. The caller of `openConsole` closes the engine, which waits for the jobs to end. */
export function quitNow(session: Session) {
  const stopping = jobsEndingWithConsole(session);
  // Leave first: otherwise the end of a job would start the next queued one.
  session.leave();
  cancel(session, stopping);
}
