import type { ArchiveRecord, JobView } from '../../core/index.ts';
import { jobOfFractal } from '../view/lists/archives.ts';
import { type FractalRecord, fractalRecords } from '../view/lists/fractals.ts';
import { listKey, listStateAt, placeOf, rowUnderCursor } from '../view/lists/index.ts';
import type { DialogOption, DialogState, Snapshot } from '../view/types.ts';
import { plural } from '../view/units.ts';
import { copySequence } from './clipboard.ts';
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
export function chosenJob(snapshot: Snapshot): JobView | undefined {
  const place = placeOf(snapshot);
  const id =
    place.name === 'job' ? place.subject : place.name === 'jobs' ? rowUnderCursor(snapshot) : undefined;
  return snapshot.jobs.find((job) => job.id === id);
}

export function startBackup({ engine }: Session) {
  engine.start({ kind: 'backup' });
}

/** Archives the chosen fractals, one after another: each of them may fill the log database's memory. */
export async function archiveChosen(session: Session): Promise<void> {
  const { engine } = session;
  const chosen = chosenFractals(session.snapshot());
  session.dispatch({ type: 'unmark', key: listKey(placeOf(session.snapshot())) });
  if (chosen.length > 1)
    session.say('info', `${plural(chosen.length, 'fractal')} will be archived, one after another`);
  for (const { id, name } of chosen) {
    if (session.ended.aborted) return;
    if (jobOfFractal(session.snapshot().jobs, id)) {
      session.say('warn', `${name} is being archived already`, { hint: '5 shows the job' });
      continue;
    }
    await engine.start({ kind: 'archive', fractal_id: id, fractal_name: name }).outcome;
  }
}

function ask(session: Session, dialog: Omit<DialogState, 'focus'>) {
  session.dispatch({ type: 'mode', mode: { name: 'dialog', dialog: { ...dialog, focus: 0 } } });
}

function cancel(session: Session, jobs: readonly JobView[]) {
  for (const job of jobs) {
    session.jobs.markCancelling(job.id);
    session.engine.cancel(job.id);
  }
}

/** Asks whether the chosen job is to be cancelled. */
export function askToCancel(session: Session) {
  const job = chosenJob(session.snapshot());
  if (!job) return;
  ask(session, {
    title: 'Cancel this job?',
    tone: 'warn',
    lines: [job.title, 'What it has written so far is removed; nothing else is touched.'],
    options: [
      { key: 'n', label: 'Keep it running', safe: true, run: () => {} },
      { key: 'y', label: 'Cancel the job', safe: false, run: () => cancel(session, [job]) },
    ],
  });
}

/** Leaves, after a question where jobs are running. */
export function quit(session: Session) {
  const running = runningJobs(session.snapshot());
  if (running.length === 0) return session.leave();
  ask(session, {
    title: `Quit and cancel ${plural(running.length, 'running job')}?`,
    tone: 'warn',
    lines: running.slice(0, 5).map((job) => job.title),
    options: [
      { key: 'n', label: 'Cancel, stay here', safe: true, run: () => {} },
      { key: 'y', label: 'Quit, ending the jobs', safe: false, run: () => quitNow(session) },
    ],
  });
}

/** Leaves without a question. Whoever opened the console closes the engine, and so waits for the jobs to end. */
export function quitNow(session: Session) {
  const running = runningJobs(session.snapshot());
  // First, so that the end of one job does not start the next.
  session.leave();
  cancel(session, running);
}

type Copyable = { key: string; label: string; text: string | null };

function ofArchive(record: ArchiveRecord): Copyable[] {
  return [
    { key: 'p', label: 'path', text: record.storage_path },
    { key: 'i', label: 'id', text: record.id },
    { key: 'c', label: 'checksum', text: record.checksum },
  ];
}

/** What can be copied here. */
export function copyables(snapshot: Snapshot): readonly Copyable[] {
  const place = placeOf(snapshot);
  const { data, jobs, ui } = snapshot;
  const id = rowUnderCursor(snapshot) ?? place.subject;
  const archive = data.archives.value?.find((record) => record.id === id);
  const backup = data.backups.value?.find((record) => record.name === id);
  const fractal = data.fractals.value?.find((record) => record.id === id);
  const job = jobs.find((candidate) => candidate.id === id);
  const entry =
    place.name === 'log' || place.name === 'entry' ? ui.log.find((line) => line.id === id) : undefined;
  const all: Copyable[] = [
    ...(archive ? ofArchive(archive) : []),
    ...(backup
      ? [
          { key: 'p', label: 'path', text: backup.path },
          { key: 'n', label: 'name', text: backup.name },
        ]
      : []),
    ...(fractal
      ? [
          { key: 'i', label: 'id', text: fractal.id },
          { key: 'n', label: 'name', text: fractal.name },
        ]
      : []),
    ...(job ? [{ key: 'i', label: 'id', text: job.id }] : []),
    ...(entry ? [{ key: 'm', label: 'message', text: entry.text }] : []),
    ...(place.name === 'overview' ? [{ key: 'd', label: 'directory', text: snapshot.installation.dir }] : []),
  ];
  return all.filter((one) => one.text);
}

function copyOne(session: Session, { label, text }: Copyable) {
  session.hands.write(copySequence(text ?? '', Boolean(process.env.TMUX)));
  session.say('info', `Copied the ${label}: ${text}`);
}

/** Copies what there is; asks where there is more than one thing. */
export function copy(session: Session) {
  const [first, ...more] = copyables(session.snapshot());
  if (!first) return;
  if (more.length === 0) return copyOne(session, first);
  const options = [first, ...more].map(
    (one): DialogOption => ({ key: one.key, label: one.label, safe: true, run: () => copyOne(session, one) }),
  );
  ask(session, { title: 'Copy', tone: 'info', lines: [], options });
}
