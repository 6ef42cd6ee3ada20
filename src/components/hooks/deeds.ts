import type { JobKind, JobView } from '../../core/index.ts';
import type { ArchiveSplit } from '../view/file-types.ts';
import { jobOwner } from '../view/jobs.ts';
import { jobOfFractal } from '../view/lists/archive-cells.ts';
import { type FractalRecord, fractalRecords } from '../view/lists/fractals.ts';
import { listKey, listStateAt, placeOf, rowUnderCursor } from '../view/lists/index.ts';
import { type JobRow, jobRows } from '../view/lists/jobs.ts';
import type { DialogState, Prompt, Snapshot } from '../view/types.ts';
import { plural } from '../view/units.ts';
import type { Session } from './session.ts';

/** Jobs that have not ended. */
export function runningJobs({ jobs }: Snapshot): readonly JobView[] {
  return jobs.filter((job) => job.ended_at === undefined);
}

/** The fractals an archive action is about: the marked ones, else the one under the cursor or of this place. */
export function chosenFractals(snapshot: Snapshot): readonly FractalRecord[] {
  const place = placeOf(snapshot);
  const fractals = fractalRecords(snapshot);
  if (place.name === 'fractals') {
    const { marks } = listStateAt(snapshot, place);
    const marked = fractals.filter((fractal) => marks.has(fractal.id));
    if (marked.length > 0) return marked;
  }
  const id = place.name === 'fractals' ? rowUnderCursor(snapshot) : place.subject;
  return fractals.filter((fractal) => fractal.id === id);
}

/** The job that is meant: the one under the cursor, or the one on the screen. */
export function chosenJob(snapshot: Snapshot): JobRow | undefined {
  const place = placeOf(snapshot);
  const id =
    place.name === 'job' ? place.subject : place.name === 'jobs' ? rowUnderCursor(snapshot) : undefined;
  return jobRows(snapshot).find((job) => job.id === id);
}

export function startBackup({ engine }: Session) {
  engine.start({ kind: 'backup' });
}

/** Archives the chosen fractals, one after another, each cut as it is set unless a cut was chosen. */
export function archiveChosen(session: Session, split?: ArchiveSplit) {
  const { queue } = session;
  const chosen = chosenFractals(session.snapshot());
  session.dispatch({ type: 'unmark', key: listKey(placeOf(session.snapshot())) });
  if (chosen.length > 1)
    session.say('info', `${plural(chosen.length, 'fractal')} will be archived, one after another`);
  for (const fractal of chosen) {
    const { id, name } = fractal;
    const job = jobOfFractal(session.snapshot().jobs, id);
    if (job) {
      const doing = job.kind === 'archive' ? 'is being archived already' : 'gets rows of an archive just now';
      session.say('warn', `${name} ${doing}`, { hint: '5 shows the job' });
    } else if (queue.state().some((one) => one.fractal_id === id)) {
      session.say('warn', `${name} is waiting for its turn already`, { hint: '5 shows the queue' });
    } else {
      queue.add(fractal, split);
      if (chosen.length === 1 && queue.state().length > 0)
        session.say('info', `${name} will be archived when the archive before it is done`);
    }
  }
}

/** Puts a question before the user. */
export function ask(session: Session, dialog: Omit<DialogState, 'focus'>) {
  session.dispatch({ type: 'mode', mode: { name: 'dialog', dialog: { ...dialog, focus: 0 } } });
}

/** Asks for a line of text. */
export function askLine(session: Session, prompt: Prompt) {
  session.dispatch({ type: 'mode', mode: { name: 'prompt', prompt } });
}

function cancel(session: Session, jobs: readonly JobView[]) {
  for (const job of jobs) {
    session.jobs.markCancelling(job.id);
    session.engine.cancel(job.id);
  }
}

const REMOVED = 'What it has written so far is removed; nothing else is touched.';
const CANCELLED: Readonly<Partial<Record<JobKind, string>>> = {
  backup: REMOVED,
  archive: REMOVED,
  verify: 'It has changed nothing. Results of files that were verified stay.',
  adopt: 'Files that have got their records keep them.',
  clean: 'What was cleaned up so far stays so.',
  delete: 'What was deleted so far is gone; the rest stays.',
  restore:
    'Nothing of the live database has been changed before the last moment; what was restored is dropped.',
  drill: 'The scratch database is dropped; nothing else was touched.',
  'restore-archive':
    'Rows that stand beside the logs are dropped. Once it has begun to remove rows or to move them in, it goes to its end first. Lines sent to ingest stay.',
  copy: 'Copies that are whole stay; the one in the making is removed.',
};

/** Asks whether the chosen job is to be cancelled. */
export function askToCancel(session: Session) {
  const job = chosenJob(session.snapshot());
  if (!job) return;
  if (job.queued) {
    session.queue.remove(job.id);
    return session.say('info', `${job.title}: will not be archived`);
  }
  ask(session, {
    title: 'Cancel this job?',
    tone: 'warn',
    lines: [
      job.title,
      ...(job.by ? [`Started by ${jobOwner(job)}.`] : []),
      CANCELLED[job.kind] ?? 'It ends as soon as it safely can.',
    ],
    options: [
      { key: 'n', label: 'Keep it running', safe: true, run: () => {} },
      { key: 'y', label: 'Cancel the job', safe: false, run: () => cancel(session, [job]) },
    ],
  });
}

/** Running jobs that end with this console. */
function endingJobs({ engine, snapshot }: Session): readonly JobView[] {
  return runningJobs(snapshot()).filter(({ id }) => !engine.outlives(id));
}

/** Leaves, after a question where something would end with the console. */
export function quit(session: Session) {
  const ending = endingJobs(session);
  const waiting = session.queue.state().length;
  if (ending.length === 0 && waiting === 0) return session.leave();
  const going = runningJobs(session.snapshot()).length - ending.length;
  ask(session, {
    title:
      ending.length > 0
        ? `Quit and cancel ${plural(ending.length, 'running job')}?`
        : `Quit, though ${plural(waiting, 'fractal')} ${waiting === 1 ? 'waits' : 'wait'}?`,
    tone: 'warn',
    lines: [
      ...ending.slice(0, 5).map((job) => job.title),
      ...(waiting > 0 ? [`${plural(waiting, 'fractal')} waiting for their turn will not be archived.`] : []),
      ...(going > 0 ? [`${plural(going, 'running job')} will go on without the console.`] : []),
    ],
    options: [
      { key: 'n', label: 'Cancel, stay here', safe: true, run: () => {} },
      {
        key: 'y',
        label: ending.length > 0 ? 'Quit, ending the jobs' : 'Quit',
        safe: false,
        run: () => quitNow(session),
      },
    ],
  });
}

/** Leaves without a question. Whoever opened the console closes the engine, and so waits for the jobs to end. */
export function quitNow(session: Session) {
  const ending = endingJobs(session);
  // First, so that the end of one job does not start the next.
  session.leave();
  cancel(session, ending);
}
