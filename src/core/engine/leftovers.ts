import { BifractError } from '../contract/errors.ts';
import type { Services } from '../ports/services.ts';
import { type JobRecord, type Leftover, type State, UNREADABLE } from '../ports/state.ts';
import { jobTypeOf } from './jobs.ts';

/** An interrupted job that could not be cleaned up, and why. */
export interface Left {
  record: JobRecord;
  error: BifractError;
}

type LeftoverServices = Pick<Services, 'state' | 'now'>;

/** Records of jobs whose process ended, or that ended early and left the rest to a later job. Oldest first. */
export async function interruptedRecords(state: State): Promise<JobRecord[]> {
  const running = await state.running().catch(() => []);
  const left = running.filter(({ restoring }) => restoring?.left);
  return [...(await state.interrupted()), ...left].sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
}

/** Interrupted jobs that could not be cleaned up, as far as that has been tried. Oldest first. */
export async function leftovers({ state }: LeftoverServices): Promise<Leftover[]> {
  const [records, noted] = [await interruptedRecords(state), await notes(state)];
  return records.flatMap((record) => {
    const found = noted.get(record.id) ?? (jobTypeOf(record) ? undefined : noteOf(noted, notKnown(record)));
    return found ? [found] : [];
  });
}

/** Replaces the notes by those of the last attempt. Never throws: the warnings are then repeated. */
export async function noteLeftovers({ state }: LeftoverServices, left: readonly Left[]): Promise<void> {
  const noted = await notes(state);
  if (left.length === 0 && noted.size === 0) return;
  await state.saveLeftovers(left.map((one) => noteOf(noted, one))).catch(() => undefined);
}

/** The warnings about leftovers that no job has given today (UTC), and notes that they are given now. */
export async function dueWarnings(
  { state, now }: LeftoverServices,
  left: readonly Left[],
): Promise<string[]> {
  if (left.length === 0) return [];
  const noted = await notes(state);
  const warned_at = now().toISOString();
  const all = left.map((one) => noteOf(noted, one));
  const due = all.filter((one) => one.warned_at?.slice(0, 10) !== warned_at.slice(0, 10));
  if (due.length === 0) return [];
  const given = all.map((one) => (due.includes(one) ? { ...one, warned_at } : one));
  await state.saveLeftovers(given).catch(() => undefined);
  return due.map(warningOf);
}

function warningOf({ job, message, hint }: Leftover): string {
  return `Cannot clean up after ${job}: ${message}.${hint ? ` ${hint}` : ''}`;
}

async function notes(state: State): Promise<Map<string, Leftover>> {
  const noted = await state.leftovers().catch(() => []);
  return new Map(noted.map((one) => [one.job, one]));
}

function noteOf(noted: ReadonlyMap<string, Leftover>, { record, error }: Left): Leftover {
  const { id: job, kind, started_at: since } = record;
  const before = noted.get(job);
  // A server that does not respond now says nothing new about what it refused before.
  if (before && error.code === 'TIMED_OUT') return before;
  const { code, message, hint = '' } = error;
  return { job, kind, since, code, message, hint, warned_at: before?.warned_at ?? null };
}

/** Only the version that wrote the record knows what there is to clean up. */
export function notKnown(record: JobRecord): Left {
  const { id, kind } = record;
  const file = `.bifract/jobs/${id}.json`;
  const error =
    kind === UNREADABLE
      ? new BifractError('STORAGE_FAILED', `Cannot read ${file}`, {
          hint: 'Check its owner and mode; delete it if it is not a job record.',
        })
      : new BifractError('UNSUPPORTED', `This version does not know jobs of kind ${JSON.stringify(kind)}`, {
          hint: `Run \`bifract clean\` of the version that started it, or delete ${file} if nothing is left of it.`,
        });
  return { record, error };
}
