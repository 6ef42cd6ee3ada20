import { asBifractError, ROLLED_BACK } from '../../core/index.ts';
import { jobOfFractal } from '../view/lists/archive-cells.ts';
import { archiveRows } from '../view/lists/archive-rows.ts';
import { currentScreen, rowUnderCursor } from '../view/lists/index.ts';
import type { Snapshot } from '../view/types.ts';
import { selectedJob } from './actions.ts';
import { startAndShow } from './plan-dialog.ts';
import type { Session } from './session.ts';

/** Kinds of jobs that may leave resumable work. */
const RESUMABLE: ReadonlySet<string> = new Set(['archive', 'restore-archive', 'run-due']);

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
  return RESUMABLE.has(job.kind)
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
  return { id: row.id };
}

/** Resumes the selected work in a new job, and opens its page. */
export async function resumeSelected(session: Session) {
  const chosen = resumable(session.snapshot());
  if (!('id' in chosen)) return;
  try {
    startAndShow(session, await session.engine.resumeRequest(chosen.id, { signal: session.ended }));
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `Not resumed: ${message}`, { hint });
  }
}
