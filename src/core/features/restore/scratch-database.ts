import { asBifractError, type BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier } from '../../job/retry.ts';
import type { DatabaseServer } from '../../ports/database-server.ts';
import type { JobRecord, Leftover, State } from '../../ports/state.ts';

/** How long to wait for a server that restarts. */
const RESTART_LIMIT_MS = 30_000;
const FIRST_WAIT_MS = 200;

/** Name of a database that a job creates for itself. */
export function scratchName(purpose: 'restore' | 'drill' | 'replaced', job: string): string {
  return `bifract_${purpose}_${job.replace(/^[a-z]+-/, '').replaceAll('-', '_')}`;
}

/** Whether a job created the database for itself: no other is ever dropped. */
export function isScratchName(name: string): boolean {
  return /^bifract_(restore|drill|replaced)_[0-9a-z_]+$/.test(name);
}

/**
 * Drops the databases of a job, also of a cancelled one. Never throws. Returns the error after a warning if that fails:
 * the job record must then be kept, so that the next job drops them.
 */
export async function dropScratch(
  server: DatabaseServer,
  names: string[],
  { emit }: Pick<JobContext, 'emit'>,
): Promise<BifractError | undefined> {
  const drop = async () => {
    for (const name of names) await server.drop(name);
    return undefined;
  };
  return whenReachable(drop, { emit }).catch((thrown: unknown) => {
    const error = asBifractError(thrown);
    emit('job:warning', {
      message: `Could not drop ${names.join(', ')}; the next job tries again. ${describeError(error)}`,
    });
    return error;
  });
}

/**
 * Removes the record of a job that ends; with an error, keeps it and notes why the next job has to clean up after this
 * one. Never throws: the job's own result stands.
 */
export async function endRecord(
  state: State,
  { id, kind, started_at }: JobRecord,
  error: BifractError | undefined,
): Promise<void> {
  const left = error ?? (await state.remove(id).then(() => undefined, asBifractError));
  if (!left) return;
  const { code, message, hint = '' } = left;
  const own: Leftover = { job: id, kind, since: started_at, code, message, hint, warned_at: null };
  try {
    await state.saveLeftovers([...(await state.leftovers()).filter(({ job }) => job !== id), own]);
  } catch {
    // The next job finds the record, and notes the same.
  }
}

function describeError({ message, hint }: BifractError): string {
  return hint ? `${message}. ${hint}` : message;
}

/**
 * Asks the server again while it is unreachable, for half a minute: it may be restarting. Cannot be
 * cancelled.
 */
export async function whenReachable<T>(
  ask: () => Promise<T>,
  { emit }: Pick<JobContext, 'emit'>,
): Promise<T> {
  const retrier = new Retrier({ max_ms: RESTART_LIMIT_MS, first_ms: FIRST_WAIT_MS }, { emit });
  // It was reachable before, so a wrong address is not the reason.
  retrier.progressed();
  return retrier.through(ask, new AbortController().signal);
}
