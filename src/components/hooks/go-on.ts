import { asBifractError, type JobKind, UNDONE } from '../../core/index.ts';
import { jobOfFractal } from '../view/lists/archive-cells.ts';
import { archiveRows } from '../view/lists/archive-rows.ts';
import { placeOf, rowUnderCursor } from '../view/lists/index.ts';
import type { Snapshot } from '../view/types.ts';
import { chosenJob } from './deeds.ts';
import { carryOut } from './planned.ts';
import type { Session } from './session.ts';

/** What may have left work that can be gone on with. */
const RESUMABLE: ReadonlySet<JobKind> = new Set(['archive', 'restore-archive', 'run-due']);

/** The chosen job, archive or group, if it may have ended too early; else why it cannot be gone on with. */
export function unfinished(snapshot: Snapshot): { id: string } | { why: string } {
  const place = placeOf(snapshot);
  return place.name === 'jobs' || place.name === 'job'
    ? unfinishedJob(snapshot)
    : unfinishedArchive(snapshot);
}

function unfinishedJob(snapshot: Snapshot): { id: string } | { why: string } {
  const job = chosenJob(snapshot);
  if (!job) return { why: 'there is no job here' };
  if (job.ended_at === undefined) return { why: 'the job has not ended' };
  if (job.state === 'done') return { why: 'the job ended as it was to' };
  if (job.error?.hint === UNDONE) return { why: 'what it had begun was undone' };
  return RESUMABLE.has(job.kind) ? { id: job.id } : { why: 'it is begun anew, with its own key' };
}

function unfinishedArchive(snapshot: Snapshot): { id: string } | { why: string } {
  const place = placeOf(snapshot);
  const isList = place.name === 'archives' || place.name === 'fractal-archives';
  const id = isList ? rowUnderCursor(snapshot) : place.subject;
  const records = snapshot.data.archives.value ?? [];
  const row =
    archiveRows(snapshot).find((one) => one.id === id) ?? records.find((record) => record.id === id);
  if (!row) return { why: 'there is no archive here' };
  if (row.status === 'completed') return { why: 'the archive is complete' };
  if (jobOfFractal(snapshot.jobs, row.fractal_id)) return { why: 'a job is at work on the fractal' };
  return { id: row.id };
}

/** Goes on with the chosen work in a new job, and shows it. */
export async function goOnWithChosen(session: Session) {
  const chosen = unfinished(session.snapshot());
  if (!('id' in chosen)) return;
  try {
    carryOut(session, await session.engine.goOn(chosen.id, { signal: session.ended }));
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.say('error', `Not gone on with: ${message}`, { hint });
  }
}
